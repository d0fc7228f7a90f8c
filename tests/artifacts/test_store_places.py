"""A store that is full, cannot be written to, or is shared with another run."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pandas as pd
import pytest
import torch
from maskbench.artifacts import artifact_folder, removal
from maskbench.artifacts import store as module
from maskbench.artifacts.store import Artifact, Store, StoreUnwritable
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.planning.plan import Step
from maskbench.planning.prepare import prepare
from tiny import CPU, command, run, tiny

SUITE = tiny(("random",), ("released",))
FILE = (
    "{name: tiny, data: {source: digits, limit: 300}, methods: [random], attacks: [released], seeds: 1, settings: "
    "{scored: 32, recognition: {epochs: 2}, attack: {epochs: 2}, restoration: {epochs: 2}}}"
)
ARGUMENTS = ("run", "suite.yaml", "--device", "cpu", "--store", "store", "--out", "out", "--no-pictures")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a suite."""
    (tmp_path / "suite.yaml").write_text(FILE)
    return tmp_path


def _full_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many artifacts be written; of the next one half is, and the disk is full."""
    whole, left = artifact_folder.write, [writes]

    def write(folder: Path, *arguments: object) -> None:
        if left[0] == 0:
            (folder / "half").write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        left[0] -= 1
        whole(folder, *arguments)

    monkeypatch.setattr(artifact_folder, "write", write)


def test_a_full_disk_leaves_no_half_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    _full_after(0, monkeypatch)
    with pytest.raises(StoreUnwritable, match="No space left on device"):
        store.save("ab" * 32, Artifact({"x": torch.zeros(3)}), {})
    assert not list((tmp_path / "partial").iterdir()) and not store.keys()


def test_what_the_library_says_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Safetensors has an error of its own for it."""

    def save_file(tensors: object, path: Path) -> None:
        raise module.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(artifact_folder, "save_file", save_file)
    with pytest.raises(StoreUnwritable, match="No space left on device"):
        Store(tmp_path).save("ab" * 32, Artifact({"x": torch.zeros(3)}), {})


def test_a_record_that_is_no_json_is_the_stages_fault(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        Store(tmp_path).save("ab" * 32, Artifact({}, {"x": {1, 2}}), {})
    assert not list((tmp_path / "partial").iterdir())


def test_a_run_whose_store_fills_up_says_so_and_goes_on_with_the_same_command(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _full_after(3, patch)
        stopped = command(*ARGUMENTS, cwd=here)
    assert stopped.returncode == 2
    assert stopped.stderr.count("No space left on device") == 1 and "Traceback" not in stopped.stderr
    assert "failed" not in stopped.stdout
    assert sorted(path.name for path in here.iterdir()) == ["store", "suite.yaml"]
    resumed = command(*ARGUMENTS, cwd=here)
    assert resumed.returncode == 0, resumed.stderr
    assert "3 of them in the store" in resumed.stdout


def test_a_full_disk_for_the_results_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: pd.DataFrame, path: Path, **options: object) -> None:
        Path(path).write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_csv", full)
        stopped = command(*ARGUMENTS, cwd=here)
    assert stopped.returncode == 2
    assert "No space left on device" in stopped.stderr and "Traceback" not in stopped.stderr
    assert sorted(path.name for path in here.iterdir()) == ["store", "suite.yaml"]
    assert command(*ARGUMENTS, cwd=here).returncode == 0


def _read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that is mounted so: everything that would write is refused, for root too."""

    def refused(self: object, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    for name in ("mkdir", "rename", "unlink", "rmdir", "touch"):
        monkeypatch.setattr(Path, name, refused)
    monkeypatch.setattr(module, "FileLock", refused)
    monkeypatch.setattr(removal.shutil, "rmtree", refused)


def _execute(root: Path) -> set[str]:
    _, plan = prepare(SUITE, "cpu")
    return {outcome.source for outcome in LocalExecutor(Store(root), CPU).execute(plan, Silent()).values()}


def test_a_complete_store_serves_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(SUITE, tmp_path)
    _read_only(monkeypatch)
    assert _execute(tmp_path) == {"stored"}


@pytest.mark.parametrize("damaged", [False, True])
def test_an_incomplete_one_is_one_message_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    run(SUITE, tmp_path)
    store = Store(tmp_path)
    if damaged:
        (store.folder(store.keys()[0]) / "artifact.json").write_text("not this")
    else:
        store.remove(store.keys()[0])
    _read_only(monkeypatch)
    with pytest.raises(StoreUnwritable, match=r"Read-only file system.*choose another --store"):
        _execute(tmp_path)


def test_a_run_that_waits_says_for_what(tmp_path: Path) -> None:
    """Another run has the turn at one stage, and gives it up as soon as this one says that it waits."""
    _, plan = prepare(SUITE, "cpu")
    key, step = next(iter(plan.steps.items()))
    held, give_up, waited = threading.Event(), threading.Event(), []

    class Watching(Silent):
        """Notes what is waited for."""

        def waiting(self, step: Step) -> None:
            waited.append(step.stage.title())
            give_up.set()

    def another_run() -> None:
        with Store(tmp_path).turn(key):
            held.set()
            give_up.wait(60)

    other = threading.Thread(target=another_run)
    other.start()
    held.wait(60)
    outcomes = LocalExecutor(Store(tmp_path), CPU).execute(plan, Watching())
    other.join(60)
    assert waited == [step.stage.title()]
    assert {outcome.source for outcome in outcomes.values()} == {"computed"}
