"""The work of a stage grows with its images and no faster: reads and copies are counted, not timed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from maskbench import Release
from maskbench.artifacts.store import Artifact, Store
from maskbench.artifacts.stored_tensors import StoredTensors
from maskbench.attacks.classifiers import Adaptive, MaskOnly
from maskbench.data.load import resolve
from maskbench.planning.matrix import expand
from maskbench.plugins.knowledge import Known
from maskbench.stages import batched_release, party_release
from maskbench.stages.data import Data
from maskbench.stages.stage import Context
from maskbench.stages.trial import Trial
from tiny import CPU, tiny

PICTURES = torch.arange(6 * 3 * 4 * 4, dtype=torch.uint8).view(6, 3, 4, 4)
MASKS = (PICTURES[:, :1] % 3 > 0).to(torch.uint8)


def stored(store: Store, stage: Data | party_release.PartyRelease, inputs: dict[str, Artifact]) -> Artifact:
    key = f"{len(store.keys()):064x}"
    store.save(key, stage.run(inputs, Context(CPU)), {})
    return store.load(key)


@pytest.mark.parametrize("batch", [64, 16, 4])
def test_a_release_reads_each_tensor_once_however_many_batches_it_takes(
    batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, store = tiny(["random"]), Store(tmp_path)
    matrix = expand(suite, resolve(suite.data))
    data = stored(store, matrix.data, {})
    release = Trial(matrix.data, matrix.methods[-1], suite.settings, 0).release("owner")
    reads = []
    read = StoredTensors.__getitem__
    monkeypatch.setattr(StoredTensors, "__getitem__", lambda self, name: reads.append(name) or read(self, name))
    monkeypatch.setattr(batched_release, "_BATCH", batch)
    release.run({"data": data}, Context(CPU))
    assert sorted(name for name in reads if name.startswith("images/")) == ["images/owner_test", "images/owner_train"]
    assert len(reads) <= 6  # and of each split its numbers and its labels


def test_what_a_classifier_is_trained_on_is_never_made_into_floats() -> None:
    release = Release.of_bytes(PICTURES, MASKS, {"telea": PICTURES})
    known = Known(PICTURES[:2], release, torch.zeros(6), copies=3)
    assert torch.equal(Adaptive().view(release), torch.cat([PICTURES, MASKS * 255], dim=1))
    assert torch.equal(MaskOnly().view(release), MASKS * 255)
    assert not {"images", "masks", "restorations"} & set(vars(release))
    assert not {"raw", "raw_bytes"} & set(vars(known))  # nor are raw pictures repeated that nobody reads
    assert torch.equal(known.raw_bytes, PICTURES[:2].repeat(3, 1, 1, 1))
    assert torch.equal(known.raw, PICTURES[:2].repeat(3, 1, 1, 1).float() / 255)


def test_a_release_in_bytes_is_the_one_in_floats() -> None:
    held = Release.of_bytes(PICTURES, MASKS, {"telea": PICTURES})
    floats = Release(held.images, held.masks, held.restorations)
    assert torch.equal(floats.image_bytes, PICTURES)
    assert torch.equal(floats.kept_bytes, MASKS)
    assert torch.equal(floats.restoration_bytes["telea"], PICTURES)
    some = torch.tensor([4, 0])
    for release in (held, floats):
        part = release.select(some)
        assert len(part) == 2
        assert torch.equal(part.image_bytes, PICTURES[some])
        assert torch.equal(part.kept, MASKS[some].float())
        assert torch.equal(part.restoration_bytes["telea"], PICTURES[some])
    with pytest.raises(AttributeError, match="cannot be changed"):
        held.images = PICTURES
