"""Every plug-in that comes with maskbench keeps its contract."""

from __future__ import annotations

import pytest
from maskbench.conformance.suite import CHECKED, examine
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import catalogue

LONG = ("attack-deep-image-prior", "attack-diffusion", "method-learned", "method-saliency-untrained")
"""Those whose networks are trained or searched for many steps whatever the pictures' size."""

CHEAPER: dict[str, dict[str, float]] = {
    "attack-deep-image-prior": {"iterations": 10},
    "attack-diffusion": {"samples": 1},
    "attack-gaussian-mean": {"shrinkage": 0.01, "stationary": 0.3},
    "attack-inversion": {"combinations": 64, "stationary": 0.1},
    "attack-mlp": {"networks": 1, "steps": 30},
    "method-learned": {"epochs": 2},
}
"""Those that do the same thing many times over: here a few times, since every check begins anew."""


def _built_in() -> list[object]:
    found = {
        f"{kind}-{plugin.name}": plugin
        for kind in CHECKED
        for plugin in catalogue().classes(kind)
        if plugin.__module__.startswith("maskbench.")
    }
    return [
        pytest.param(plugin, CHEAPER.get(name, {}), id=name, marks=[pytest.mark.slow] if name in LONG else [])
        for name, plugin in found.items()
    ]


@pytest.mark.parametrize(("plugin", "parameters"), _built_in())
def test_it_keeps_its_contract(plugin: type[Plugin], parameters: dict[str, float]) -> None:
    report = examine(plugin, parameters)
    assert not report.failures, "\n".join(str(failure) for failure in report.failures)
    passed = {result.check.name for result in report.results if result.status == "ok"}
    assert {"name", "documented", "parameters"} <= passed
    if plugin.create({}).unavailable() is None:
        assert "determinism" in passed
