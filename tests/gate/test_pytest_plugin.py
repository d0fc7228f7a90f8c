"""The fixture of pytest, in a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

TEST = """
SUITE = {suite!r}


def test_my_method_is_no_worse(maskbench_gate):
    found = maskbench_gate("random:patch=2", suite=SUITE, baseline={baseline!r}, seeds=2)
    assert found.judged


def test_a_limit_that_is_not_met(maskbench_gate):
    maskbench_gate("random:patch=2", suite=SUITE, require=["accuracy@random>=101"], seeds=2)


def test_quick():
    pass
"""

SUITE = """
data: {source: digits, size: 16, limit: 300}
methods: [random]
attacks: [mean-fill]
settings: {scored: 32, recognition: {epochs: 1}}
"""

PLUGIN = "maskbench.pytest_plugin"
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-ra")


def named() -> tuple[str, ...]:
    """What names the plug-in where maskbench runs from its source; an installed one is found by its entry point."""
    # As pytest looks: through every distribution, those of one name too.
    found = (entry for each in distributions() for entry in each.entry_points if entry.group == "pytest11")
    return () if any(entry.value == PLUGIN for entry in found) else ("-p", PLUGIN)


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder."""
    environment = {**os.environ, "MASKBENCH_STORE": str(folder / "store"), "PYTHONDONTWRITEBYTECODE": "1"}
    call = [*PYTEST, *named(), "--strict-markers", *arguments]
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_fixture_runs_a_suite_and_compares(tmp_path: Path) -> None:
    import maskbench

    (tmp_path / "mine.yaml").write_text(SUITE, encoding="utf-8")
    suite, store = str(tmp_path / "mine.yaml"), str(tmp_path / "store")
    options = {"pictures": False, "progress": False, "store": store, "out": tmp_path / "baseline"}
    baseline = maskbench.run(suite, methods=["random:patch=2"], seeds=3, **options)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    test = TEST.format(suite=suite, baseline=str(baseline.path))
    (tmp_path / "test_mine.py").write_text(test, encoding="utf-8")
    done = ran(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 passed" in done.stdout and "1 failed" in done.stdout
    assert "requirement not met" in done.stdout or "not met" in done.stdout
    assert "1 passed, 2 deselected" in ran(tmp_path, "-m", "not maskbench_gate").stdout
