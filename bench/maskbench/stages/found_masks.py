"""The stage that finds masks which were withheld: what an attacker does first where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.release import Release
from maskbench.stages.data import SPLITS, Data, Dataset, Split
from maskbench.stages.released import DRAW, Released, more_draws, read_release
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Context, Stage, share_title
from maskbench.training.seeding import seeded

_INPUT = "found_masks"
# Loaded by name: every attack imports this file, and only those on masks that were found depend on the finder.
_FINDER = "maskbench.training.mask_finder"


@dataclass(frozen=True)
class FoundMasks(Stage):
    """A mask for every image of both parties, found from the released image alone (uint8 N 1 H W, 1 = kept).

    A network learns from the releases that the attacker made of its own training pictures, whose masks it knows.
    (Rong et al. 2022, arXiv 2202.00449, find zero-filled pixels of CIFAR-10 with 99.8 % accuracy.)
    """

    kind: ClassVar[str] = "masks"

    data: Data
    method: Method
    settings: Settings
    seed: int
    aux_share: float = 1.0

    def inputs(self) -> Mapping[str, Stage]:
        return {
            "data": self.data,
            "release": Released(self.data, self.method, "owner", self.settings, self.seed),
            "attacker_release": Released(self.data, self.method, "attacker", self.settings, self.seed),
            **more_draws(self.data, self.method, self.settings, self.seed),
        }

    def parameters(self) -> Mapping[str, Any]:
        return {
            "training": self.settings.restoration.model_dump(),
            "mirror": self.method.mirror_symmetric,
            "seed": self.seed,
            "aux_share": self.aux_share,
        }

    def roots(self) -> tuple[str, ...]:
        return (_FINDER,)

    def title(self) -> str:
        method = self.method.label(leave_out=("adjust",))
        return f"finding masks of {method}{share_title(self.aux_share)} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        own = inputs["attacker_release"].tensors
        used = dataset.share("attacker_train", self.aux_share)
        seed = derive(self.seed, "masks")
        finder = import_module(_FINDER)
        with seeded(seed):
            network = finder.MaskFinder(dataset.shape[0])
        finder.train_mask_finder(
            network,
            own["attacker_train/images"][used],
            own["attacker_train/masks"][used],
            training=self.settings.restoration.over(self.aux_share),
            flip=dataset.mirror and self.method.mirror_symmetric,
            seed=seed,
            device=context.device,
            progress=context.progress,
        )
        found = {}
        for party, source in (("owner", "release"), ("attacker", "attacker_release")):
            for split in SPLITS[party]:
                found[split] = finder.find_masks(network, inputs[source].tensors[f"{split}/images"], context.device)
        for name in (name for name in inputs if name.startswith(DRAW)):
            images = inputs[name].tensors["attacker_train/images"]
            found[_name("attacker_train", name)] = finder.find_masks(network, images, context.device)
        return Artifact(found)


def finding(data: Data, method: Method, settings: Settings, seed: int, aux_share: float = 1.0) -> dict[str, FoundMasks]:
    """What a stage that works with what an attacker sees reads in addition: nothing, unless masks are withheld."""
    return {_INPUT: FoundMasks(data, method, settings, seed, aux_share)} if method.withholds_masks() else {}


def as_seen(inputs: Mapping[str, Artifact], source: str, split: Split, positions: Tensor | None = None) -> Release:
    """A split's release as an attacker sees it: with the masks it found, where they were withheld."""
    release = read_release(inputs[source], split, positions)
    if _INPUT not in inputs:
        return release
    masks = inputs[_INPUT].tensors[_name(split, source)]
    return Release(release.images, (masks if positions is None else masks[positions]).to(torch.float32))


def _name(split: Split, source: str) -> str:
    return f"{split}/{source.removeprefix(DRAW)}" if source.startswith(DRAW) else split
