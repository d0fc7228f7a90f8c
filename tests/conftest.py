"""What all tests share: one thread a worker, CUDA tests skip without a device, soaks run when they are asked for, and
no test touches the user's store, the network or another test's plug-ins."""

from __future__ import annotations

import os

# Before PyTorch starts its pool, and for every interpreter that a test starts: the number of threads changes results,
# and a worker on each core leaves none for more.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny import plugins_forgotten

torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    """Where ``-n`` starts workers, share the tests out by group and in order, unless another way is asked for."""
    if config.pluginmanager.hasplugin("xdist") and config.option.dist == "load":
        config.option.dist, config.option.loadscopereorder = "loadgroup", False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device that is not there, leave soaks out, and say how workers may share the rest."""
    if "soak" not in config.option.markexpr:
        soaks = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
    for item in items:
        if item.get_closest_marker("cuda") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
    # What takes long is handed out first, so that no worker is left with it when the others are done.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            # A file stays on one worker, so that its fixtures are built once; slow tests that share none may go to
            # whichever is free.
            if not item.get_closest_marker("slow") or _shares_a_fixture(item):
                item.add_marker(pytest.mark.xdist_group(str(item.path)))


def _shares_a_fixture(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    definitions = item._fixtureinfo.name2fixturedefs.values()
    return any(found[-1].scope == "module" for found in definitions)


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBENCH_STORE", str(tmp_path_factory.mktemp("store")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _own_plugins() -> Iterator[None]:
    """The next test must find what a new process finds."""
    with plugins_forgotten():
        yield


@pytest.fixture
def shared_data() -> Path:
    """The folder of real images, where there is one."""
    for folder in (os.environ.get("MASKBENCH_DATA", ""), Path(__file__).parents[2] / "shared" / "data"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("real data not found: set MASKBENCH_DATA to their folder")
