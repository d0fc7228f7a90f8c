"""pytest: ``maskbench_gate`` runs a suite with a method and fails where it is worse than its baseline.

pytest loads this file wherever maskbench is installed, so it imports nothing else until it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from maskbench.gate.compare import ComparedRuns

MARKER = "maskbench_gate"
Gate = Callable[..., "ComparedRuns"]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f'{MARKER}: trains networks and takes minutes; leave out with -m "not {MARKER}"')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the fixture, so that nobody has to."""
    for item in items:
        if MARKER in getattr(item, "fixturenames", ()):
            item.add_marker(MARKER)


@pytest.fixture
def maskbench_gate(tmp_path: Path) -> Gate:
    """A function: ``maskbench_gate("NAME", baseline=FOLDER)`` runs suite ``ci`` with a method and compares.

    It takes ``suite``, ``plugins``, ``tolerances``, ``require``, ``strict``, and whatever else ``maskbench.run`` takes;
    without a baseline, requirements alone are checked. It returns what ``maskbench.compare`` found, and fails the test
    with the report where that is no clean answer.
    """

    def gate(
        method: str | Iterable[str],
        *,
        baseline: str | Path | None = None,
        suite: str = "ci",
        tolerances: Iterable[str] = (),
        require: Iterable[str] = (),
        strict: bool = False,
        **options: Any,
    ) -> ComparedRuns:
        import maskbench
        from maskbench.gate.report import markdown

        require = tuple(require)
        if baseline is None and not require:
            raise maskbench.UsageError("maskbench_gate needs a baseline, a requirement, or both.")
        methods = [method] if isinstance(method, str) else list(method)
        run = maskbench.run(suite, methods=methods, out=tmp_path / "run", pictures=False, progress=False, **options)
        against: Any = run if baseline is None else baseline
        found = maskbench.compare(against, run, tolerances=tolerances, require=require, strict=strict)
        if found.exit_code:
            pytest.fail(markdown(found), pytrace=False)
        return found

    return gate
