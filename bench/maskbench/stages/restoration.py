"""The restoration stage: an attack that learns on the attacker's own pictures and restores the owner's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import Split
from maskbench.plugins.attack import Aux, Known, RestorationAttack
from maskbench.randomness import derive, seeded
from maskbench.stages.data import Dataset
from maskbench.stages.found_masks import as_seen, seen_inputs
from maskbench.stages.party_release import StoredRelease, release_input
from maskbench.stages.stage import Context, Stage, code_of, share_title
from maskbench.stages.trial import Trial

_SCORED: tuple[Split, ...] = ("owner_train", "owner_test", "attacker_validation")


@dataclass(frozen=True)
class Restoration(Stage):
    """Restored images of the scored part of the owner's splits and of attacker-validation.

    Attributes:
        aux_share: of its training pictures the attacker uses this share.
        training: those it trained on are restored too, all of them, for inference attacks that learn on restored
            pictures.
    """

    kind: ClassVar[str] = "restoration"
    timed: ClassVar[bool] = True

    trial: Trial
    attack: RestorationAttack
    aux_share: float = 1.0
    training: bool = False

    @property
    def time_limit(self) -> float:
        """The attack's own."""
        return self.attack.time_limit

    def inputs(self) -> Mapping[str, Stage]:
        releases = self.trial.release("owner"), self.trial.release("attacker")
        return {"data": self.trial.data, **seen_inputs(releases, self.trial.found_masks(self.aux_share))}

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "training": self.trial.settings.restoration.model_dump(),
            "scored": self.trial.settings.scored,
            "mirror": self.trial.method.mirror_symmetric,
            "seed": self.trial.seed,
            "aux_share": self.aux_share,
            "restores_training": self.training,
        }

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.attack),)

    def title(self) -> str:
        method = self.trial.method.label(leave_out=("adjust",))
        share, also = share_title(self.aux_share), " and of its own pictures" if self.training else ""
        return f"restoration {self.attack.label()} of {method}{share}{also} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        with seeded(derive(self.trial.seed, "restoration", self.attack.name)):
            state = self.attack.fit(self._aux(dataset, inputs, context))
            attack = self.attack.with_state(state)
            restored: dict[Split, Tensor] = {}
            for split in _SCORED:
                release = as_seen(inputs, split, dataset.scored(split, self.trial.settings.scored))
                restored[split] = attack.restored_bytes(release, context.device)
            if self.training:
                release = as_seen(inputs, "attacker_train")
                restored["attacker_train"] = attack.restored_bytes(release, context.device)
        return StoredRestoration.pack(restored)

    def _aux(self, dataset: Dataset, inputs: Mapping[str, Artifact], context: Context) -> Aux:
        used = None if self.aux_share == 1 else dataset.share("attacker_train", self.aux_share)
        known, raw = as_seen(inputs, "attacker_train", used), dataset.bytes("attacker_train")
        validation = as_seen(inputs, "attacker_validation")
        method = StoredRelease(inputs[release_input("attacker")]).fitted(self.trial.method, torch.device("cpu"))
        return Aux(
            train=Known(raw if used is None else raw[used], known),
            validation=Known(dataset.bytes("attacker_validation"), validation),
            training=self.trial.settings.restoration.over(self.aux_share),
            mirror=dataset.mirror and method.mirror_symmetric,
            seed=derive(self.trial.seed, "restoration", self.attack.name),
            device=context.device,
            progress=context.progress,
            invert=method.invert if method.key_known() else None,
        )


@dataclass(frozen=True)
class StoredRestoration:
    """The artifact of a restoration."""

    artifact: Artifact

    @staticmethod
    def pack(images: Mapping[Split, Tensor]) -> Artifact:
        """Make the artifact of the restored images of each split, uint8 (N, C, H, W)."""
        return Artifact({str(split): tensor for split, tensor in images.items()})

    def restored(self, split: Split) -> bool:
        """Whether images of a split were restored."""
        return split in self.artifact.tensors

    def images(self, split: Split) -> Tensor:
        """Uint8 (N, C, H, W): the restored images of a split: of its scored part, but all of attacker-train."""
        return self.artifact.tensors[split]
