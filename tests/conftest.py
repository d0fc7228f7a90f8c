"""What all tests share: CUDA tests skip without a device, and no test touches the user's store, the network or
another test's plug-ins."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from maskbench.plugins.catalogue import catalogue


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked ``cuda`` where PyTorch sees no device."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("cuda"):
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBENCH_STORE", str(tmp_path_factory.mktemp("store")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _own_plugins() -> Iterator[None]:
    """Forget the plug-ins that a test added: the next one must find what a new process finds."""
    before = {name: copy.copy(value) for name, value in vars(catalogue()).items()}
    yield
    for name, value in vars(catalogue()).items():  # in place: a fixture of a wider scope may hold one of them
        value.clear()
        value.update(before[name])


@pytest.fixture
def shared_data() -> Path:
    """The folder of real images, where there is one."""
    for folder in (os.environ.get("MASKBENCH_DATA", ""), Path(__file__).parents[2] / "shared" / "data"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("real data not found: set MASKBENCH_DATA to their folder")
