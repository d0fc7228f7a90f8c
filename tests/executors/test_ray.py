"""A local Ray cluster of two nodes gives the tables of one process, whatever becomes of its workers."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import maskbench as mb
import pandas as pd
import psutil
import pytest
from maskbench.artifacts.store import Store
from maskbench.planning.plan import Step
from maskbench.planning.suite import Suite
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.files import add_file
from maskbench.results.execute import execute
from maskbench.running import results_of
from tiny import Log, Ran, run, tiny
from torch import Tensor

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
from maskbench.executors.ray import RayExecutor  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

pytestmark = pytest.mark.slow

SUITE = tiny(("random", "pixelate"), ("released", "telea", "mask-only"))
MEMORY = 80 << 20  # bytes of each node's object store; nothing of size goes through it


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with a core each."""
    node = {"num_cpus": 1, "object_store_memory": MEMORY}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # 15 by default, which starves them on a busy machine
        found = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        found.add_node(**node)
        try:
            yield found
        finally:
            found.shutdown()


class Watching(Log):
    """Remembers what began and how far it came, and acts on the news."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[str] = []
        self.left: list[float] = []

    def started(self, step: Step) -> None:
        """See ``Observer``."""
        self.began.append(step.stage.title())

    def remaining(self, seconds: float) -> None:
        """See ``Observer``."""
        self.left.append(seconds)


def run_on(cluster: Any, suite: Suite, store: Path, **options: Any) -> tuple[Ran, Watching]:
    """Run a suite on the cluster."""
    log = Watching()
    execution = execute(suite, RayExecutor(Store(store), cluster.address, **options), log)
    return Ran(execution, results_of(execution)), log


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The suite in this process."""
    return run(SUITE, tmp_path_factory.mktemp("here"))[0]


def same(one: Ran, two: Ran) -> None:
    """Tables are equal bit by bit, and so is what stands in the stores."""
    pd.testing.assert_frame_equal(one.cells, two.cells, check_exact=True)
    pd.testing.assert_frame_equal(one.samples, two.samples, check_exact=True)


def test_a_cluster_gives_the_tables_of_one_process(cluster: Any, here: Ran, tmp_path: Path) -> None:
    there, log = run_on(cluster, SUITE, tmp_path)
    same(there, here)
    computed = log.outcomes["computed"]
    assert len(computed) == len(set(computed)) == len(there.execution.plan.steps)
    assert set(log.began) == set(computed) and log.left
    again, found = run_on(cluster, SUITE, tmp_path)
    same(again, here)
    assert len(found.outcomes["stored"]) == len(computed) and not found.began
    assert not ray.is_initialized() and not list(tmp_path.glob("runs/*"))


def _workers() -> list[psutil.Process]:
    """The processes in which Ray makes steps now: they are called after the function."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if " ".join(process.info["cmdline"] or ()).startswith("ray::make") and _is_ours(process):
            found.append(process)
    return found


def _is_ours(process: psutil.Process) -> bool:
    """Whether the cluster that made it was started by this process, not by another test."""
    try:
        return any(parent.pid == os.getpid() for parent in process.parents())
    except psutil.Error:
        return False


def test_workers_may_be_killed(cluster: Any, here: Ran, tmp_path: Path) -> None:
    chance, killed, over = random.Random(0), [], threading.Event()

    def kill() -> None:
        while len(killed) < 3 and not over.wait(chance.uniform(0.2, 0.8)):
            if victims := _workers():
                victim = chance.choice(victims)
                victim.kill()
                killed.append(victim.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        there, log = run_on(cluster, SUITE, tmp_path)
    finally:
        over.set()
        thread.join()
    assert len(killed) == 3
    same(there, here)
    assert sum(map(len, log.outcomes.values())) == len(there.execution.plan.steps)
    assert not list((tmp_path / "partial").iterdir())


PLUGIN = '''
import os, signal, time
from pathlib import Path
from typing import ClassVar

import ray
from maskbench import MaskMethod, RestorationAttack


class Told(MaskMethod):
    """Keep the brightest; say on which node, and wait until another one is at work too."""

    name: ClassVar[str] = "told"

    def scores(self, images, given):
        nodes = Path({nodes!r})
        (nodes / ray.get_runtime_context().get_node_id()).touch()
        until = time.monotonic() + 60
        while len(list(nodes.iterdir())) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        return images.mean(dim=1, keepdim=True)


class Exits(RestorationAttack):
    """End the process, of what has no masks."""

    name: ClassVar[str] = "exits"

    def restore(self, release, generator):
        if release.masks is None:
            os._exit(3)
        return release.images


class Hangs(RestorationAttack):
    """Go on after the time limit, whatever is raised, with what has no masks."""

    name: ClassVar[str] = "hangs"
    time_limit: ClassVar[float] = 1.0

    def restore(self, release, generator):
        while release.masks is None:
            try:
                time.sleep(60)
            except BaseException:
                pass
        return release.images


class Raises(RestorationAttack):
    """Raise, of what has no masks."""

    name: ClassVar[str] = "raises"

    def restore(self, release, generator):
        if release.masks is None:
            raise ValueError("kaboom")
        return release.images
'''


class Darkest(mb.MaskMethod):
    """Keep the darkest places; as a notebook defines it."""

    name: ClassVar[str] = "darkest-of-the-cluster"

    def scores(self, images: Tensor, given: mb.Given) -> Tensor:
        return -images.mean(dim=1, keepdim=True)


def test_plug_ins_travel_and_what_they_do_to_their_process_fails_their_cells_alone(
    cluster: Any, tmp_path: Path
) -> None:
    """A method of a file and one of a notebook; attacks that end their process, hang or raise."""
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    (tmp_path / "travelling.py").write_text(PLUGIN.format(nodes=str(nodes)))
    add_file(tmp_path / "travelling.py")
    catalogue().add(Darkest)
    suite = tiny(("told", "darkest-of-the-cluster"), ("telea", "exits", "hangs", "raises"))
    there, _ = run_on(cluster, suite, tmp_path / "store", grace=2.0)
    failed = there.cells[(there.cells["status"] == "failed") & there.cells["seed"].notna()]
    reasons = failed.set_index("attack")["reason"]
    assert set(failed["method"]) == {"raw"} and sorted(reasons.index) == ["exits", "hangs", "raises", "stacked"]
    assert "its process or machine was lost; tries: 4" in reasons["exits"]
    assert "stopped at its limit of 1 s; it went on" in reasons["hangs"]
    assert "ValueError: kaboom" in reasons["raises"]
    assert {"told", "darkest-of-the-cluster", "raw", "full-mask"} == set(there.cells["method"])
    assert len(list(nodes.iterdir())) == 2


def test_a_machine_with_another_store_is_named(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskbench.executors.ray._marker", _elsewhere)
    with pytest.raises(mb.UsageError, match=r"must lie where all machines see it: the machine .* does not"):
        run_on(cluster, tiny(attacks=()), tmp_path)


class _elsewhere:  # noqa: N801 - stands for a function
    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Path:
        return self._store.root / "nowhere"

    def __exit__(self, *error: object) -> None:
        pass


def test_gpus_that_are_not_there_are_refused(cluster: Any, tmp_path: Path) -> None:
    for share in (0.25, 2.0):
        with pytest.raises(mb.UsageError, match="the cluster has 0 GPUs"):
            run_on(cluster, tiny(attacks=()), tmp_path, gpus_per_stage=share)


def test_where_no_cluster_is_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(mb.UsageError, match=r"--ray 127\.0\.0\.1:1: no Ray cluster answers there"):
        execute(tiny(attacks=()), RayExecutor(Store(tmp_path), "127.0.0.1:1"), Log())


def test_ctrl_c_ends_a_run_in_order(cluster: Any, tmp_path: Path) -> None:
    class Stopping(Log):
        def started(self, step: Step) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    suite = tiny(attacks=())
    with pytest.raises(KeyboardInterrupt):
        execute(suite, RayExecutor(Store(tmp_path), cluster.address), Stopping())
    assert not ray.is_initialized()
    there, _ = run_on(cluster, suite, tmp_path)
    assert set(there.cells["status"]) == {"ok"}
