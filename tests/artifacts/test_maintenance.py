"""A store can be measured, pruned and verified, and no run loses what it relies on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from maskbench import UsageError
from maskbench.artifacts.maintenance import DAMAGED, GONE, entries, open_store, prune, superseded, verify
from maskbench.artifacts.occupancy import alone, occupied, runs_at_work
from maskbench.artifacts.store import Artifact, Store, StoreUnwritable
from maskbench.cli.store import read_age, read_size
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.running import run_suite
from tiny import CPU, command, tiny

DAY = 86_400


def put(
    store: Store,
    key: str,
    *,
    stage: str = "release",
    inputs: dict[str, str] | None = None,
    size: int = 1000,
    code: str = "1",
    **parameters: Any,
) -> str:
    """Save an artifact of so many bytes."""
    key = key.ljust(64, "0")
    ingredients = {
        "stage": stage,
        "parameters": parameters,
        "inputs": inputs or {},
        "sources": {"module": code},
        "libraries": {},
        "device_type": "cpu",
    }
    slot = f"set {parameters['content']}" if stage == "data" else f"{stage} of something"
    tensors = {"x": torch.zeros(size, dtype=torch.uint8)}
    store.save(key, Artifact(tensors), {"stage": stage, "slot": slot, "ingredients": ingredients, "timing": {}})
    return key


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how many days ago things are written from now on."""
    really = time.time

    def set_age(days: float) -> None:
        monkeypatch.setattr("maskbench.artifacts.store.time.time", lambda: really() - days * DAY)

    return set_age


def keys(found: Any) -> list[str]:
    return [entry.key[:1] for entry in found]


def test_each_artifact_is_counted_with_its_stage_and_its_data(store: Store) -> None:
    data = put(store, "a", stage="data", content="A")
    release = put(store, "b", inputs={"data": data}, size=5000)
    put(store, "c", stage="scoring", inputs={"release": release})
    put(store, "d", stage="scoring", inputs={"release": "e" * 64})
    found = {entry.key[:1]: entry for entry in entries(store)}
    assert [found[key].data for key in "abcd"] == ["set A", "set A", "set A", GONE]
    assert [found[key].stage for key in "abcd"] == ["data", "release", "scoring", "scoring"]
    assert 5000 < found["b"].bytes < 8000


def test_what_other_code_made_again_is_superseded_with_all_that_goes_back_to_it(store: Store) -> None:
    data = put(store, "a", stage="data", content="A")
    old = put(store, "b", inputs={"data": data}, ratio=0.5)
    put(store, "c", stage="scoring", inputs={"release": old})
    new = put(store, "d", inputs={"data": data}, ratio=0.5, code="2")
    put(store, "e", stage="scoring", inputs={"release": new})
    put(store, "f", inputs={"data": data}, ratio=0.75, code="2")  # another purpose in the same slot
    assert keys(superseded(entries(store))) == ["b", "c"]
    assert keys(prune(store, replaced=True).removed) == ["b", "c"]
    assert keys(entries(store)) == ["a", "d", "e", "f"]


def test_other_data_supersede_nothing(store: Store) -> None:
    for content, names in (("A", "ab"), ("B", "cd")):
        data = put(store, names[0], stage="data", content=content)
        put(store, names[1], inputs={"data": data})
    assert superseded(entries(store)) == []


def test_the_old_go_by_age_and_the_oldest_by_size(store: Store, aged: Callable[[float], None]) -> None:
    for name, days in (("a", 40), ("b", 10), ("c", 0)):
        aged(days)
        put(store, name, size=100_000)
    aged(0)
    assert keys(prune(store, before=time.time() - 30 * DAY, dry_run=True).removed) == ["a"]
    dry = prune(store, at_most=150_000, dry_run=True)
    assert keys(dry.removed) == ["a", "b"] and 100_000 < dry.remaining < 150_000
    assert keys(entries(store)) == ["a", "b", "c"]
    assert keys(prune(store, before=time.time() - 30 * DAY).removed) == ["a"]
    assert keys(prune(store, at_most=150_000).removed) == ["b"]
    assert keys(prune(store, at_most=0).removed) == ["c"]
    assert entries(store) == [] and not list((store.root / "partial").iterdir())


def test_what_was_pruned_is_made_again(store: Store) -> None:
    key = put(store, "a")
    prune(store, at_most=0)
    again = Store(store.root)
    assert not again.verify(key)
    put(again, "a")
    assert again.verify(key)


def test_nothing_is_taken_away_while_a_run_is_at_work(store: Store) -> None:
    put(store, "a")
    with occupied(store.root), occupied(store.root):
        assert runs_at_work(store.root) == 2
        with pytest.raises(UsageError, match=r"2 runs are at work in the store .*--dry-run"):
            prune(store, at_most=0)
        assert keys(prune(store, at_most=0, dry_run=True).removed) == ["a"]
        assert keys(entries(store)) == ["a"]
    assert runs_at_work(store.root) == 0 and not list((store.root / "runs").iterdir())


def test_a_run_holds_its_store_from_its_first_look_to_its_last(tmp_path: Path) -> None:
    class Pruning(Silent):
        tried: ClassVar[list[str]] = []

        def planned(self, steps: int, stored: int) -> None:
            with pytest.raises(UsageError, match="A run is at work") as refused:
                prune(Store(tmp_path / "store"), at_most=0)
            self.tried.append(str(refused.value))

    executor = LocalExecutor(Store(tmp_path / "store"), CPU)
    run_suite(tiny(attacks=()), executor, Pruning(), out=tmp_path / "out", command="", pictures=False)
    assert len(Pruning.tried) == 1
    assert prune(Store(tmp_path / "store"), at_most=0).removed


def test_what_a_killed_run_left_is_in_nobodys_way(store: Store) -> None:
    put(store, "a")
    (store.root / "runs").mkdir()
    (store.root / "runs" / "killed.lock").touch()
    (store.root / "runs" / "killed.seen").touch()
    assert keys(prune(store, at_most=0).removed) == ["a"]
    assert not list((store.root / "runs").iterdir())


def test_an_artifact_whose_lock_is_held_stays(store: Store) -> None:
    held, _ = put(store, "a"), put(store, "b")
    with store.turn(held):
        found = prune(store, at_most=0)
    assert keys(found.removed) == ["b"] and keys(found.in_use) == ["a"] and found.remaining > 0
    assert keys(entries(store)) == ["a"]


def test_two_do_not_prune_at_once(store: Store) -> None:
    with alone(store.root), pytest.raises(UsageError, match="being pruned already"):
        prune(store, at_most=0)


def _broken(store: Store) -> dict[str, str]:
    """One artifact of each kind of damage, and one that is whole."""
    found = {
        name: put(store, letter)
        for name, letter in zip(("whole", "flipped", "cut", "gone", "described"), "abcde", strict=True)
    }
    tensors = "tensors.safetensors"
    path = store.folder(found["flipped"]) / tensors
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.truncate(store.folder(found["cut"]) / tensors, 10)
    (store.folder(found["gone"]) / tensors).unlink()
    (store.folder(found["described"]) / "artifact.json").write_text("{")
    stray = store.root / "objects" / "ff" / "ff-stray"
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("what is this")
    return found


def test_damage_is_named_and_taken_away_only_when_asked(store: Store) -> None:
    found = _broken(store)
    count, damaged = verify(store)
    assert count == 6 and len(damaged) == 5 and not any(damage.removed for damage in damaged)
    assert found["whole"] not in {damage.key for damage in damaged}
    assert "its tensors do not match their checksum" in " ".join(damage.reason for damage in damaged)
    assert len(store.keys()) == 6
    assert [entry.stage for entry in entries(store)].count(DAMAGED) == 2
    count, damaged = verify(store, repair=True)
    assert all(damage.removed for damage in damaged) and store.keys() == [found["whole"]]
    assert verify(store) == (1, [])


def test_what_this_process_verified_before_is_checked_again(store: Store) -> None:
    key = put(store, "a")
    assert store.verify(key)
    (store.folder(key) / "tensors.safetensors").write_bytes(b"")
    assert len(verify(store)[1]) == 1


def test_damage_that_a_run_mends_meanwhile_is_left_to_it(store: Store) -> None:
    found = _broken(store)
    with store.turn(found["cut"]):
        _, damaged = verify(store, repair=True)
    assert {damage.key for damage in damaged if not damage.removed} == {found["cut"]}


@contextmanager
def _read_only(store: Store) -> Iterator[None]:
    folders = [store.root, *(path for path in store.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    try:
        yield
    finally:
        for folder in folders:
            folder.chmod(0o700)


def _refuse(*arguments: object, **options: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_store_that_cannot_be_written_to_is_measured_and_verified_but_not_pruned(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, modes are no obstacle: what they would refuse is refused."""
    _broken(store)
    with _read_only(store):
        monkeypatch.setattr(Path, "mkdir", _refuse)
        monkeypatch.setattr(Path, "rename", _refuse)
        assert len(entries(store)) == 6 and len(verify(store)[1]) == 5
        for act in (lambda: prune(store, at_most=0), lambda: verify(store, repair=True)):
            with pytest.raises(StoreUnwritable, match="cannot be written to"):
                act()
        with occupied(store.root):  # a run that finds all it needs goes on
            pass
    monkeypatch.undo()
    assert len(store.keys()) == 6


def test_where_there_is_no_store_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no store at"):
        open_store(tmp_path / "nowhere")
    for words in (["size"], ["verify"], ["prune", "--superseded"]):
        done = command("store", *words, "--store", str(tmp_path / "nowhere"))
        assert done.returncode == 2 and "There is no store at" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("500MB", 5 * 10**8), ("1.5 gb", 15 * 10**8), ("2TB", 2 * 10**12), ("7kb", 7000)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("12h", 43_200), ("1.5d", 129_600), ("2w", 1_209_600)])
def test_ages_are_read(text: str, seconds: float) -> None:
    assert read_age(text) == seconds


@pytest.mark.parametrize("text", ["", "20", "GB", "-1GB", "1e3GB", "20 G", "٣GB", "nanGB", "9" * 400 + "GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write a size such as"):
        read_size(text)


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "infd"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write an age in"):
        read_age(text)


def test_the_command_measures_prunes_and_verifies(store: Store) -> None:
    found, place = _broken(store), ("--store", str(store.root))
    done = command("store", "size", *place)
    assert done.returncode == 0 and "6 artifacts" in done.stdout and "release" in done.stdout
    done = command("store", "verify", *place)
    assert done.returncode == 1
    assert "5 of them damaged" in done.stdout and found["flipped"][:12] in done.stdout and "--repair" in done.stdout
    done = command("store", "verify", "--repair", *place)
    assert done.returncode == 0 and "(taken away)" in done.stdout
    done = command("store", "prune", *place)
    assert done.returncode == 2 and "Say what can go" in done.stderr
    done = command("store", "prune", "--down-to", "0B", "--dry-run", *place)
    assert done.returncode == 0 and "Would take away 1 artifacts" in done.stdout and store.keys()
    done = command("store", "prune", "--down-to", "0B", "--older-than", "1h", "--superseded", *place)
    assert done.returncode == 0 and "Took away 1 artifacts" in done.stdout and not store.keys()
