"""Every plug-in that comes with maskbench keeps its contract."""

from __future__ import annotations

import pytest
from maskbench.conformance.suite import CHECKED, examine
from maskbench.plugins.attack import InferenceAttack, RestorationAttack
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.method import Method

_CONTRACTS = (Method, RestorationAttack, InferenceAttack)


def _learns(plugin: type[Plugin]) -> bool:
    return any(issubclass(plugin, contract) and plugin.fit is not contract.fit for contract in _CONTRACTS)


def _built_in() -> list[object]:
    return [
        pytest.param(plugin, id=f"{kind}-{plugin.name}", marks=[pytest.mark.slow] if _learns(plugin) else [])
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
