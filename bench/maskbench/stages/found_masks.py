"""The stage that finds masks which were withheld: what an attacker does first where there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.randomness import derive, seeded
from maskbench.release import Release
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import PartyRelease, release_input, stored_release
from maskbench.stages.stage import Context, Stage, share_title
from maskbench.training.settings import Training

_INPUT = "found_masks"
# Loaded by name: every attack imports this file, and only those on masks that were found depend on the finder.
_FINDER = "maskbench.training.mask_finder"


@dataclass(frozen=True)
class FoundMasks(Stage):
    """A mask for every image of both parties, found from the released image alone.

    A network learns from the releases that the attacker made of its own training pictures, whose masks it knows.
    (Rong et al. 2022, arXiv 2202.00449, find zero-filled pixels of CIFAR-10 with 99.8 % accuracy.)

    Attributes:
        release: the owner's.
        attacker_release: of both splits of the attacker's; the network learns from it.
        draws: further releases of the attacker's.
        training: of the network, with all of the attacker's training pictures.
        aux_share: of its training pictures the attacker uses this share.
    """

    kind: ClassVar[str] = "masks"

    release: PartyRelease
    attacker_release: PartyRelease
    draws: tuple[PartyRelease, ...]
    training: Training
    aux_share: float = 1.0

    def inputs(self) -> Mapping[str, Stage]:
        releases = (self.release, self.attacker_release, *self.draws)
        return {"data": self.release.data, **{release_input(each.party, each.draw): each for each in releases}}

    def parameters(self) -> Mapping[str, Any]:
        return {
            "training": self.training.model_dump(),
            "mirror": self.release.method.mirror_symmetric,
            "seed": self.release.seed,
            "aux_share": self.aux_share,
        }

    def roots(self) -> tuple[str, ...]:
        return (_FINDER,)

    def title(self) -> str:
        method = self.release.method.label(leave_out=("adjust",))
        return f"finding masks of {method}{share_title(self.aux_share)} · seed {self.release.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        own = stored_release(inputs, "attacker_train")
        used = dataset.share("attacker_train", self.aux_share)
        seed = derive(self.release.seed, "masks")
        finder = import_module(_FINDER)
        with seeded(seed):
            network = finder.MaskFinder(dataset.shape[0])
        finder.train_mask_finder(
            network,
            own.images("attacker_train")[used],
            own.masks("attacker_train")[used],
            training=self.training.over(self.aux_share),
            flip=dataset.mirror and self.release.method.mirror_symmetric,
            seed=seed,
            device=context.device,
            progress=context.progress,
        )
        wanted = [(split, 0) for splits in SPLITS_OF.values() for split in splits]
        wanted += [("attacker_train", each.draw) for each in self.draws]
        found = {}
        for split, draw in wanted:
            images = stored_release(inputs, split, draw).images(split)
            found[split, draw] = finder.find_masks(network, images, context.device)
        return StoredMasks.pack(found)


@dataclass(frozen=True)
class StoredMasks:
    """The artifact of masks that were found."""

    artifact: Artifact

    @staticmethod
    def pack(masks: Mapping[tuple[Split, int], Tensor]) -> Artifact:
        """Make the artifact of the masks of each split and draw, uint8 (N, 1, H, W)."""
        return Artifact({StoredMasks._name(split, draw): found for (split, draw), found in masks.items()})

    def masks(self, split: Split, draw: int = 0) -> Tensor:
        """Uint8 (N, 1, H, W), 1 = kept: the masks of a split, in the release of that draw."""
        return self.artifact.tensors[self._name(split, draw)]

    @staticmethod
    def _name(split: Split, draw: int) -> str:
        return f"{split}/{draw}"


def seen_inputs(releases: Sequence[PartyRelease], found: FoundMasks | None) -> dict[str, Stage]:
    """What a stage reads to see releases as an attacker does: in addition the masks it found, where there are any."""
    inputs: dict[str, Stage] = {release_input(each.party, each.draw): each for each in releases}
    return inputs if found is None else {**inputs, _INPUT: found}


def as_seen(inputs: Mapping[str, Artifact], split: Split, positions: Tensor | None = None, draw: int = 0) -> Release:
    """A split's release as an attacker sees it: with the masks it found, where they were withheld."""
    release = stored_release(inputs, split, draw).release(split, positions)
    if _INPUT not in inputs:
        return release
    masks = StoredMasks(inputs[_INPUT]).masks(split, draw)
    return Release.of_bytes(release.image_bytes, masks if positions is None else masks[positions])
