"""Every plug-in that comes with maskbench keeps its contract."""

from __future__ import annotations

import pytest
from maskbench.conformance.suite import CHECKED, examine
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import catalogue

LONG = ("attack-deep-image-prior", "attack-diffusion", "method-learned", "method-saliency-untrained")
"""Those whose networks are trained or searched for many steps whatever the pictures' size."""


def _built_in() -> list[object]:
    return [
        pytest.param(
            plugin, id=f"{kind}-{plugin.name}", marks=[pytest.mark.slow] if f"{kind}-{plugin.name}" in LONG else []
        )
        for kind in CHECKED
        for plugin in catalogue().classes(kind)
        if plugin.__module__.startswith("maskbench.")
    ]


@pytest.mark.parametrize("plugin", _built_in())
def test_it_keeps_its_contract(plugin: type[Plugin]) -> None:
    report = examine(plugin)
    assert not report.failures, "\n".join(str(failure) for failure in report.failures)
    passed = {result.check.name for result in report.results if result.status == "ok"}
    assert {"name", "documented", "parameters"} <= passed
    if plugin.create({}).unavailable() is None:
        assert "determinism" in passed
