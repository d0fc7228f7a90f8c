"""What all tests share: one thread a worker, CUDA tests skip without a device, soaks run when they are asked for, and
no test touches the user's store, the network or another test's plug-ins."""

from __future__ import annotations

import os

# Before PyTorch starts its pool, and for every interpreter that a test starts: the number of threads changes results,
# and a worker on each core leaves none for more.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

# Stages are made in the test's own process unless it says otherwise: a worker takes its time to start.
os.environ["MASKBENCH_JOBS"] = "0"

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny import plugins_forgotten

torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    """Where ``-n`` starts workers, hand out whole files, in order: what a file's tests share is made once."""
    if config.pluginmanager.hasplugin("xdist") and config.option.dist == "load":
        config.option.dist, config.option.loadscopereorder = "loadfile", False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave soaks out, skip what needs a CUDA device that is not there, and begin with what takes long.

    Otherwise a worker may be left with it when the others are done.
    """
    if "soak" not in config.option.markexpr:
        soaks = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBENCH_STORE", str(tmp_path_factory.mktemp("store")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True, scope="module")
def _own_plugins_of_a_file() -> Iterator[None]:
    """What the shared runs of one file plant, the next file must not find."""
    with plugins_forgotten():
        yield


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
