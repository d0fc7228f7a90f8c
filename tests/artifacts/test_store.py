"""Artifacts: whole or not there, found out when damaged, written once."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
import torch
from maskbench.artifacts.store import Artifact, Store
from maskbench.errors import DamagedArtifact

KEY = "ab" * 32
DESCRIPTION = {"stage": "test", "slot": "a test", "ingredients": {}, "timing": {}}


def _saved(root: Path) -> Store:
    store = Store(root)
    store.save(KEY, Artifact({"x": torch.arange(1000.0)}, {"note": "é"}), DESCRIPTION)
    return store


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    _saved(tmp_path)
    store = Store(tmp_path)
    artifact = store.load(KEY)
    assert torch.equal(artifact.tensors["x"], torch.arange(1000.0))
    assert artifact.record == {"note": "é"}
    assert store.keys("ab") == [KEY]
    assert [entry["key"] for entry in store.journal()] == [KEY]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_new_store_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Raw images lie in it. A folder that was there keeps the rights that its owner gave it."""
    assert stat.S_IMODE(Store(tmp_path / "new" / "store").root.stat().st_mode) == 0o700
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    assert stat.S_IMODE(Store(shared).root.stat().st_mode) == 0o755


def test_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.verify(KEY)
    with pytest.raises(KeyError):
        store.load(KEY)


@pytest.mark.parametrize("name", ["tensors.safetensors", "artifact.json"])
def test_any_flipped_byte_is_found_out(tmp_path: Path, name: str) -> None:
    path = _saved(tmp_path).folder(KEY) / name
    whole = path.read_bytes()
    missed = []
    for position in range(0, len(whole), 13):
        damaged = bytearray(whole)
        damaged[position] ^= 0b0000_0001
        path.write_bytes(damaged)
        try:
            artifact = Store(tmp_path).load(KEY)
        except DamagedArtifact:
            continue
        # A flipped space between JSON tokens may leave the same values: then nothing is damaged.
        if name == "tensors.safetensors" or dict(artifact.record) != {"note": "é"}:
            missed.append(position)
    assert not missed


def test_a_truncated_or_missing_part_is_found_out_and_removed(tmp_path: Path) -> None:
    for name in ("tensors.safetensors", "artifact.json"):
        root = tmp_path / name
        path = _saved(root).folder(KEY) / name
        path.write_bytes(path.read_bytes()[:-5])
        store = Store(root)
        assert not store.verify(KEY)
        assert not store.folder(KEY).exists()


def test_an_artifact_of_another_key_does_not_pass(tmp_path: Path) -> None:
    store = _saved(tmp_path)
    other = "ac" * 32
    store.folder(other).parent.mkdir()
    store.folder(KEY).rename(store.folder(other))
    with pytest.raises(DamagedArtifact, match="another artifact"):
        Store(tmp_path).load(other)


def test_a_second_save_leaves_the_first(tmp_path: Path) -> None:
    store = _saved(tmp_path)
    store.save(KEY, Artifact({"x": torch.zeros(3)}), DESCRIPTION)
    assert len(Store(tmp_path).load(KEY).tensors["x"]) == 1000
    assert len(store.journal()) == 1


def test_a_cut_off_line_of_the_journal_is_left_out(tmp_path: Path) -> None:
    store = _saved(tmp_path)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"key": "cd')
    assert len(store.journal()) == 1


def _count_turns(root: Path, log: Path) -> None:
    store = Store(root)
    with store.turn(KEY):
        if store.verify(KEY):
            return
        store.save(KEY, Artifact({"x": torch.zeros(3)}), DESCRIPTION)
        with log.open("a") as file:
            file.write(json.dumps("made") + "\n")


def test_two_processes_take_turns(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    workers = [context.Process(target=_count_turns, args=(tmp_path / "store", log)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert log.read_text().count("made") == 1


def test_sweeping_passes_over_what_another_run_has_just_moved_into_place(tmp_path: Path) -> None:
    """It is listed, and gone when it is looked at: as a link that leads nowhere is."""
    store = Store(tmp_path / "store")
    (tmp_path / "store" / "partial" / "moved").symlink_to(tmp_path / "gone")
    store.sweep()
    assert (tmp_path / "store" / "partial" / "moved").is_symlink()
