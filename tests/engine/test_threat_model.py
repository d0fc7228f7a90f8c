"""An attack is handed what the threat model allows, and nothing that leads to the owner's raw images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from maskbench import Aux, InferenceAttack, InferenceAux, Release, RestorationAttack
from maskbench.plugins.catalogue import catalogue
from maskbench.release import to_bytes
from maskbench.stages.data import Dataset
from tiny import run, tiny
from torch import Tensor, nn

SEEN: list[object] = []
_DEPTH = 12


class Spy(RestorationAttack):
    """Keeps everything it is handed."""

    name: ClassVar[str] = "spy-on-images"

    def fit(self, aux: Aux) -> Any:
        SEEN.append(aux)
        return None

    def restore(self, release: Release, device: torch.device) -> Tensor:
        SEEN.append(release)
        return release.images


class SpyOnLabels(InferenceAttack):
    """The same for inference."""

    name: ClassVar[str] = "spy-on-labels"
    needs_raw_classifier: ClassVar[bool] = True
    needs_restorations: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> Any:
        SEEN.append(aux)
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        SEEN.append(release)
        return torch.zeros(len(release), self.state)


def reachable(thing: object, depth: int = _DEPTH, known: set[int] | None = None) -> Iterator[Tensor]:
    """Every tensor that can be reached through attributes, containers, closures and bound methods."""
    known = set() if known is None else known
    if depth == 0 or id(thing) in known:
        return
    known.add(id(thing))
    if isinstance(thing, Tensor):
        yield thing
        return
    inside: list[object] = []
    if isinstance(thing, dict):
        inside += thing.values()
    elif isinstance(thing, (list, tuple, set)):
        inside += thing
    elif isinstance(thing, nn.Module):
        inside += thing.state_dict().values()
    else:
        inside += getattr(thing, "__dict__", {}).values()
        inside += [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
        inside += [getattr(thing, "__self__", None), *(getattr(thing, "__defaults__", None) or ())]
        inside += (getattr(thing, "__pydantic_private__", None) or {}).values()
    for part in inside:
        yield from reachable(part, depth - 1, known)


def pictures(tensors: Iterator[Tensor], shape: torch.Size) -> set[bytes]:
    """The images of a shape among some tensors, as bytes."""
    found = set()
    for tensor in tensors:
        if tensor.shape[-3:] == shape and tensor.ndim == 4:
            images = tensor if tensor.dtype == torch.uint8 else to_bytes(tensor.detach().clamp(0, 1))
            found |= {image.numpy().tobytes() for image in images.contiguous()}
    return found


@pytest.fixture
def handed(tmp_path: Path) -> tuple[set[bytes], Dataset]:
    """The images that two spies could reach, and the data they were run on."""
    SEEN.clear()
    found = catalogue().found
    found["attack", Spy.name], found["attack", SpyOnLabels.name] = Spy, SpyOnLabels
    try:
        data = {"source": "digits", "limit": 300, "target": "parity", "sensitive": "digit"}
        methods, spies = ["random", "saliency:attribution=gradient"], [Spy.name, SpyOnLabels.name]
        done, _ = run(tiny(methods, spies, data=data), tmp_path)
    finally:
        del found["attack", Spy.name], found["attack", SpyOnLabels.name]
    # On raw images the release is the image; what is looked for is what random and saliency masks have hidden.
    spied = [thing for thing in SEEN if not _of_raw(thing)]
    assert len(SEEN) > len(spied) > 0
    dataset = Dataset(done.artifact(done.execution.matrix.data))
    return pictures(reachable(spied), torch.Size(dataset.shape)), dataset


def _of_raw(thing: object) -> bool:
    release = thing if isinstance(thing, Release) else thing.train.release
    return release.masks is None


def test_a_spy_finds_its_own_pictures_and_none_of_the_owners(handed: tuple[set[bytes], Dataset]) -> None:
    seen, dataset = handed
    for split, allowed in {
        "attacker_train": True,
        "attacker_validation": True,
        "owner_train": False,
        "owner_test": False,
    }.items():
        mine = {image.numpy().tobytes() for image in dataset.bytes(split)}
        assert bool(mine & seen) == allowed, split
