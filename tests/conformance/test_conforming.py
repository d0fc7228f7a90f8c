"""Every plug-in that comes with maskbench keeps its contract."""

from __future__ import annotations

import pytest
from maskbench.conformance.suite import examine
from maskbench.plugins.base import Plugin
from maskbench.plugins.discovery import FOLDERS, catalogue

LONG = ("attack-deep-image-prior", "attack-diffusion", "method-learned", "method-saliency-untrained")
"""Those whose networks are trained or searched for many steps whatever the pictures' size."""


def _built_in() -> list[object]:
    return [
        pytest.param(plugin, id=f"{kind}-{name}", marks=[pytest.mark.slow] if f"{kind}-{name}" in LONG else [])
        for (kind, name), plugin in sorted(catalogue().found.items())
        if plugin.__module__.startswith(FOLDERS)
    ]


@pytest.mark.parametrize("plugin", _built_in())
def test_it_keeps_its_contract(plugin: type[Plugin]) -> None:
    report = examine(plugin)
    assert not report.failures, "\n".join(str(failure) for failure in report.failures)
    passed = {outcome.check.name for outcome in report.outcomes if outcome.status == "ok"}
    assert {"name", "documented", "parameters"} <= passed
    if plugin.create({}).unavailable() is None:
        assert "determinism" in passed
