"""While an attack runs, no raw picture of the owner's is anywhere in its process: there is nothing to be found."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from maskbench import Aux, InferenceAttack, InferenceAux, Release, RestorationAttack, to_bytes
from maskbench.data.load import resolve
from maskbench.data.parties import SPLITS_OF
from maskbench.plugins.catalogue import catalogue
from maskbench.stages.data import Data, Dataset
from maskbench.stages.stage import Context
from tiny import CPU, run, tiny
from torch import Tensor

FOUND: dict[str, set[bytes]] = {}
SHAPE: list[tuple[int, ...]] = []
SETTINGS = {"scored": 32, "draws": 1, **{kind: {"epochs": 1} for kind in ("recognition", "attack", "restoration")}}


def _digest(picture: Tensor) -> bytes:
    return hashlib.sha256(picture.contiguous().numpy().tobytes()).digest()


def _tensors() -> Iterator[Tensor]:
    """Every tensor and array that Python's collector can reach, in any module, frame, cache or closure."""
    gc.collect()
    known = set()
    for holder in gc.get_objects():
        for thing in (holder, *gc.get_referents(holder)):
            if id(thing) in known:
                continue
            known.add(id(thing))
            if issubclass(type(thing), Tensor):  # isinstance would wake lazy modules
                yield thing.detach()
            elif issubclass(type(thing), np.ndarray) and thing.dtype in (np.uint8, np.float32):
                yield torch.from_numpy(np.array(thing))


def look_around(who: str) -> None:
    """Remember every picture of the data's shape that is in the process; views are looked at with all they view."""
    seen = FOUND.setdefault(who, set())
    size = torch.Size(SHAPE[0]).numel()
    for tensor in _tensors():
        if tensor.dtype not in (torch.uint8, torch.float32) or tensor.layout != torch.strided or tensor.numel() < size:
            continue
        whole = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
        if whole.numel() == 0 or whole.numel() % size:
            continue
        shown = whole if whole.dtype == torch.uint8 else to_bytes(whole.nan_to_num().clamp(0, 1))
        seen.update(map(_digest, shown.view(-1, size)))


class Searcher(RestorationAttack):
    """Looks through the memory of its process."""

    name: ClassVar[str] = "searches-and-restores"
    needs_masks: ClassVar[bool] = True

    def fit(self, aux: Aux) -> Any:
        assert len(aux.train.raw_images)
        look_around(self.name)
        return None

    def restore(self, release: Release, device: torch.device) -> Tensor:
        if release.masks.any():  # a search takes seconds: not also of the fully masked control
            look_around(self.name)
        return release.images


class SearcherOfLabels(InferenceAttack):
    """The same for inference."""

    name: ClassVar[str] = "searches-and-infers"
    needs_masks: ClassVar[bool] = True
    needs_raw_classifier: ClassVar[bool] = True
    needs_restorations: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> Any:
        assert aux.train.raw is None or len(aux.train.raw)
        look_around(self.name)
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        if release.masks.any():
            look_around(self.name)
        return torch.zeros(len(release), self.state)


def test_no_raw_picture_of_the_owners_is_in_the_process_of_an_attack(tmp_path: Path) -> None:
    FOUND.clear()
    # Of a size that no other test has: what those left in the process is none of these pictures.
    data = {"source": "digits", "limit": 240, "size": 19, "target": "parity", "sensitive": "digit"}
    searchers = [Searcher, SearcherOfLabels]
    # What a matching attack is handed as candidates is gone when it is done.
    suite = tiny(
        ["random"],
        ["visible-pixels", *(each.name for each in searchers)],
        data=data,
        probe_target=True,
        settings=SETTINGS,
    )
    digests = _of_each_split(Data(resolve(suite.data)), CPU)
    found = catalogue().found
    found.update({("attack", each.name): each for each in searchers})
    done, _ = run(suite, tmp_path)
    assert all(result.status == "ok" for result in done.results), [result.reason for result in done.results]
    for each in searchers:
        assert FOUND[each.name] & digests["attacker_train"], "the search finds what is there"
        for split in SPLITS_OF["owner"]:
            assert not FOUND[each.name] & digests[split], (each.name, split)


def _of_each_split(stage: Data, device: torch.device) -> dict[str, set[bytes]]:
    """Digests of the raw pictures that one split alone has; the pictures themselves are gone afterwards."""
    dataset = Dataset(stage.run({}, Context(device)))
    SHAPE[:] = [dataset.shape]
    splits = [split for splits in SPLITS_OF.values() for split in splits]
    found = {split: {_digest(picture) for picture in dataset.bytes(split)} for split in splits}
    assert all(found.values())
    return found


@pytest.mark.parametrize("party", SPLITS_OF)
def test_the_data_hold_each_splits_pictures_apart(party: str) -> None:
    dataset = Dataset(Data(resolve(tiny().data)).run({}, Context(CPU)))
    for split in SPLITS_OF[party]:
        pictures = dataset.bytes(split)
        assert len(pictures) == dataset.size(split) == len(dataset.index(split))
        assert pictures.untyped_storage().nbytes() == pictures.nbytes
