"""What every test of plug-ins starts from."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import pytest
from maskbench.plugins import catalogue as module


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules and entry points of one test are nothing to the next."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [*sys.modules]:
        if name.startswith(("maskbench_plugin_given_here", "installed_here", "built_in_here")):
            del sys.modules[name]
    module._installed_modules.cache_clear()
    importlib.invalidate_caches()
