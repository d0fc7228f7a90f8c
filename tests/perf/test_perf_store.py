"""A round trip through the store costs little more than writing, checking and reading the same file by hand."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
from maskbench.artifacts.store import Artifact, Store
from pairs import in_turn, report
from pytest_benchmark.fixture import BenchmarkFixture
from safetensors.torch import load_file, save_file

TENSORS = {name: torch.randint(0, 256, (1000, 3, 32, 32), dtype=torch.uint8) for name in ("images", "restored")}
MOST_LARGE, MOST_SMALL = 2.0, 12.0
"""Times what is timed by hand. Of a small artifact the locks, the journal and the description are most of it."""


def _by_hand(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, path)
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())
    for _ in range(2):  # when it is written, and when it is read
        hashlib.sha256(path.read_bytes()).hexdigest()
    {name: tensor.clone() for name, tensor in load_file(path).items()}


def _round_trip(store: Store, key: str, artifact: Artifact) -> None:
    with store.turn(key):
        store.save(key, artifact, {"stage": "test", "slot": "test", "ingredients": {}, "timing": {}})
    assert store.verify(key)
    {name: tensor.clone() for name, tensor in store.load(key).tensors.items()}
    store.remove(key)


def test_large_artifacts(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    store, artifact = Store(tmp_path / "store"), Artifact(TENSORS, {"scores": [0.5]})
    pairs = in_turn(
        benchmark,
        lambda: _round_trip(store, "a" * 64, artifact),
        lambda: _by_hand(tmp_path / "file", TENSORS),
        rounds=9,
    )
    report(benchmark, mebibytes_per_second=round(artifact.nbytes / 2**20 / min(pairs.ours)))
    assert pairs.slowdown <= MOST_LARGE


def test_small_artifacts(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    few = {name: tensor[:1] for name, tensor in TENSORS.items()}
    store, artifact = Store(tmp_path / "store"), Artifact(few, {"scores": [0.5]})

    def ours() -> None:
        for number in range(20):
            _round_trip(store, f"{number:064x}", artifact)

    def by_hand() -> None:
        for _ in range(20):
            _by_hand(tmp_path / "file", few)

    assert in_turn(benchmark, ours, by_hand).slowdown <= MOST_SMALL
