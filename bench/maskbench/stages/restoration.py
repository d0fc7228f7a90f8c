"""The restoration stage: an attack that learns on the attacker's own pictures and restores the owner's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from maskbench.artifacts.store import Artifact
from maskbench.plugins.attack import Aux, Known, RestorationAttack
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.release import to_bytes
from maskbench.stages.data import Data, Dataset, Split
from maskbench.stages.found_masks import as_seen, finding
from maskbench.stages.released import Released, fitted
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Context, Stage, share_title
from maskbench.training.seeding import seeded

SCORED: dict[Split, str] = {
    "owner_train": "release",
    "owner_test": "release",
    "attacker_validation": "attacker_release",
}


@dataclass(frozen=True)
class Restoration(Stage):
    """Restored images (uint8) of the scored part of each split in ``SCORED``.

    ``aux_share``: of its training pictures the attacker uses this share. ``training``: those it trained on are
    restored too, all of them, for inference attacks that learn on restored pictures.
    """

    kind: ClassVar[str] = "restoration"

    data: Data
    method: Method
    attack: RestorationAttack
    settings: Settings
    seed: int
    aux_share: float = 1.0
    training: bool = False

    @property
    def time_limit(self) -> float:
        """The attack's own."""
        return self.attack.time_limit

    def inputs(self) -> Mapping[str, Stage]:
        return {
            "data": self.data,
            "release": Released(self.data, self.method, "owner", self.settings, self.seed),
            "attacker_release": Released(self.data, self.method, "attacker", self.settings, self.seed),
            **finding(self.data, self.method, self.settings, self.seed, self.aux_share),
        }

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "training": self.settings.restoration.model_dump(),
            "scored": self.settings.scored,
            "mirror": self.method.mirror_symmetric,
            "seed": self.seed,
            "aux_share": self.aux_share,
            "restores_training": self.training,
        }

    def roots(self) -> tuple[str, ...]:
        return (type(self.attack).__module__,)

    def title(self) -> str:
        method = self.method.label(leave_out=("adjust",))
        also = " and of its own pictures" if self.training else ""
        return f"restoration {self.attack.label()} of {method}{share_title(self.aux_share)}{also} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        with seeded(derive(self.seed, "restoration", self.attack.name)):
            state = self.attack.fit(self._aux(dataset, inputs, context))
            attack = self.attack.with_state(state)
            tensors = {}
            for split, source in SCORED.items():
                positions = dataset.scored(split, self.settings.scored)
                release = as_seen(inputs, source, split, positions)
                tensors[split] = to_bytes(attack.restored(release, context.device))
            if self.training:
                release = as_seen(inputs, "attacker_release", "attacker_train")
                tensors["attacker_train"] = to_bytes(attack.restored(release, context.device))
        return Artifact(tensors)

    def _aux(self, dataset: Dataset, inputs: Mapping[str, Artifact], context: Context) -> Aux:
        used = dataset.share("attacker_train", self.aux_share)
        known, validation = (
            as_seen(inputs, "attacker_release", split, part)
            for split, part in (("attacker_train", used), ("attacker_validation", None))
        )
        method = fitted(self.method, inputs["attacker_release"], torch.device("cpu"))
        return Aux(
            train=Known(dataset.images("attacker_train")[used], known),
            validation=Known(dataset.images("attacker_validation"), validation),
            training=self.settings.restoration.over(self.aux_share),
            mirror=dataset.mirror and self.method.mirror_symmetric,
            seed=derive(self.seed, "restoration", self.attack.name),
            device=context.device,
            progress=context.progress,
            invert=method.invert if self.method.key_known() else None,
        )
