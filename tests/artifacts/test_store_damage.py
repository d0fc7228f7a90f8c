"""Every kind of entry of a store, met by every kind of damage: the same results, and nothing raises."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from maskbench.artifacts.store import Artifact, Store
from tiny import run, tiny

KEY = "ab" * 32
DESCRIPTION = {"stage": "test", "slot": "a test", "ingredients": {}, "timing": {}}
DEEP = "[" * 100_000 + "]" * 100_000


def _gone(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _instead(write: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        _gone(path)
        write(path)

    return damage


def _cut(path: Path) -> None:
    if path.is_dir():
        next(path.iterdir()).unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flipped(path: Path) -> None:
    file = path if path.is_file() else next(path.iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _folder_with_content(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "gone": _gone,
    "empty file": _instead(Path.touch),
    "text": _instead(lambda path: path.write_text("not this")),
    "other JSON": _instead(lambda path: path.write_text('{"checksum": 1, "body": {"key": []}}')),
    "deep JSON": _instead(lambda path: path.write_text(DEEP)),
    "bytes": _instead(lambda path: path.write_bytes(bytes(range(256)))),
    "empty folder": _instead(Path.mkdir),
    "folder": _instead(_folder_with_content),
    "dangling link": _instead(lambda path: path.symlink_to("nowhere")),
    "circular link": _instead(lambda path: path.symlink_to(path.name)),
    "pipe": _instead(os.mkfifo),
    "device": _instead(lambda path: path.symlink_to("/dev/zero")),
    "cut": _cut,
    "flipped bit": _flipped,
}

ENTRIES: dict[str, Callable[[Store], Path]] = {
    "artifact": lambda store: store.folder(KEY),
    "artifact's shard": lambda store: store.folder(KEY).parent,
    "description": lambda store: store.folder(KEY) / "artifact.json",
    "tensors": lambda store: store.folder(KEY) / "tensors.safetensors",
    "lock": lambda store: store.root / "locks" / f"{KEY}.lock",
    "journal": lambda store: store.root / "journal.jsonl",
    "lock of sweeping": lambda store: store.root / "sweep.lock",
}

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX files")


def _make(store: Store) -> bool:
    """As an executor does; whether it had to be made."""
    there = store.verify(KEY)
    if not there:
        store.require_writable()
    store.sweep()
    with store.turn(KEY):
        if not store.verify(KEY):
            store.save(KEY, Artifact({"x": torch.arange(100.0)}, {"note": "é"}), DESCRIPTION)
    return not there


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one artifact and everything that lies beside it."""
    made = Store(tmp_path / "store")
    _make(made)
    for entry in ENTRIES.values():
        if not entry(made).exists():
            entry(made).touch()
    return made


_WITH_BYTES = ("artifact", "description", "tensors")
CASES = [
    (entry, damage)
    for entry in ENTRIES
    for damage in DAMAGES
    if entry in _WITH_BYTES or damage not in ("cut", "flipped bit")
]


@pytest.mark.parametrize(("entry", "damage"), CASES)
def test_damage_is_made_good(store: Store, entry: str, damage: str) -> None:
    DAMAGES[damage](ENTRIES[entry](store))
    again = Store(store.root)
    made = _make(again)
    assert made == (entry in ("artifact", "artifact's shard", "description", "tensors"))
    found = Store(store.root).load(KEY)
    assert torch.equal(found.tensors["x"], torch.arange(100.0)) and found.record == {"note": "é"}
    assert all({"key", "slot"} <= line.keys() for line in again.journal())
    assert not list((store.root / "partial").iterdir())


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_left_in_partial_is_swept_after_a_day(store: Store, damage: str) -> None:
    left = store.root / "partial" / "left"
    (_folder_with_content if damage in ("cut", "flipped bit") else Path.touch)(left)
    if damage != "gone":
        DAMAGES[damage](left)
    fresh = store.root / "partial" / "fresh"
    fresh.touch()
    day = time.time() - 25 * 3600
    os.utime(left, (day, day), follow_symlinks=False)
    store.sweep()
    assert [path.name for path in fresh.parent.iterdir()] == ["fresh"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A store of a whole run, and its table."""
    root = tmp_path_factory.mktemp("made")
    ran, _ = run(SUITE, root)
    return root, ran.cells


SUITE = tiny(("random",), ("released",))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_run_on_a_damaged_store_has_the_same_table(
    made: tuple[Path, pd.DataFrame], tmp_path: Path, damage: str
) -> None:
    """Of every third artifact the first, second or third part is damaged."""
    root, cells = made
    shutil.copytree(root, tmp_path / "store")
    artifacts = sorted((tmp_path / "store" / "objects").glob("*/*"))[::3]
    for number, artifact in enumerate(artifacts):
        parts = (artifact, artifact / "artifact.json", artifact / "tensors.safetensors")
        DAMAGES[damage](parts[number % len(parts)])
    ran, log = run(SUITE, tmp_path / "store")
    pd.testing.assert_frame_equal(ran.cells, cells)
    assert len(log.outcomes["computed"]) == len(artifacts)
