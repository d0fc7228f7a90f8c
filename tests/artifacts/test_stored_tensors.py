"""Tensors of the store are read one by one: only what is asked for, with memory of its own, and clearly missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from maskbench.artifacts.store import Artifact, Store
from maskbench.artifacts.stored_tensors import StoredTensors
from maskbench.errors import DamagedArtifact, UsageError
from safetensors.torch import save_file

KEY = "cd" * 32
DESCRIPTION = {"stage": "test", "slot": "a test", "ingredients": {}, "timing": {}}
LARGE = torch.arange(3 << 20, dtype=torch.int64).to(torch.uint8).view(3, 1 << 20)
TENSORS = {
    "large": LARGE,
    "neighbour": LARGE.flip(1),
    "half": torch.rand(5, 7).half(),
    "bits": torch.tensor([True, False, True]),
    "number": torch.tensor(0.5, dtype=torch.float64),
    "nothing": torch.empty(0, 3, 2),
    "rounded": torch.rand(3).bfloat16(),
}


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Store, Artifact]:
    store = Store(tmp_path)
    store.save(KEY, Artifact(TENSORS), DESCRIPTION)
    return store, store.load(KEY)


def test_every_tensor_comes_back_as_it_was_saved(stored: tuple[Store, Artifact]) -> None:
    _, artifact = stored
    assert set(artifact.tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        found = artifact.tensors[name]
        assert found.dtype == tensor.dtype and torch.equal(found, tensor), name
    assert artifact.nbytes == Artifact(TENSORS).nbytes
    assert "nowhere" not in artifact.tensors
    with pytest.raises(KeyError):
        artifact.tensors["nowhere"]


def test_a_tensor_has_no_memory_but_its_own_and_writes_stay_with_who_wrote(stored: tuple[Store, Artifact]) -> None:
    _, artifact = stored
    for name, tensor in TENSORS.items():
        assert artifact.tensors[name].untyped_storage().nbytes() == tensor.nbytes, name
    written = artifact.tensors["large"]
    written.zero_()
    assert torch.equal(artifact.tensors["large"], LARGE)
    assert Store(stored[0].root).verify(KEY)


@pytest.mark.parametrize("name", ["large", "half"])
def test_work_grows_with_what_is_read_and_not_with_what_is_stored(
    stored: tuple[Store, Artifact], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, artifact = stored
    touched = []
    memmap = np.memmap
    monkeypatch.setattr(np, "memmap", lambda *given: touched.append(given[4][0]) or memmap(*given))
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *given, **named: touched.append(given[0]) or empty(*given, **named))
    artifact.tensors[name]
    assert touched == [TENSORS[name].nbytes]


@pytest.mark.parametrize("name", ["large", "half"])
@pytest.mark.parametrize("how", ["gone", "cut", "replaced"])
def test_a_file_that_vanishes_meanwhile_is_said_to_have(stored: tuple[Store, Artifact], name: str, how: str) -> None:
    store, artifact = stored
    file = store.folder(KEY) / "tensors.safetensors"
    content = file.read_bytes()
    file.unlink()
    if how == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif how == "replaced":
        file.write_bytes(content + content)
    with pytest.raises(UsageError, match=r"cannot be read any more.*Run the same command again"):
        artifact.tensors[name]


def test_a_tensor_in_use_outlives_its_artifact(stored: tuple[Store, Artifact]) -> None:
    store, artifact = stored
    held = artifact.tensors["large"]
    store.remove(KEY)
    assert torch.equal(held, LARGE)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 8, (5).to_bytes(8, "little") + b"[1,2]", (2).to_bytes(8, "little") + b"{]", bytes(range(256))],
)
def test_a_file_of_something_else_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DamagedArtifact, match="cannot be read"):
        StoredTensors.of(tmp_path / "x")


def test_a_header_that_lies_about_sizes_is_damaged(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(4)}, tmp_path / "x")
    content = (tmp_path / "x").read_bytes().replace(b'"shape":[4]', b'"shape":[5]')
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DamagedArtifact, match="another size"):
        StoredTensors.of(tmp_path / "x")


def test_what_another_process_verified_is_not_read_whole_again(
    stored: tuple[Store, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Store(stored[0].root)
    monkeypatch.setattr(Store, "_check_tensors", lambda *given: pytest.fail("it was read whole"))
    assert torch.equal(fresh.load(KEY, verified=True).tensors["half"], TENSORS["half"])
