"""The restoration stage: an attack that learns on the attacker's own pictures and restores the owner's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeGuard

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import Split
from maskbench.plugins.attack import RestorationAttack
from maskbench.plugins.knowledge import Aux, Known, Releasing
from maskbench.randomness import derive, seeded
from maskbench.stages.data import Dataset
from maskbench.stages.found_masks import as_seen, seen_inputs
from maskbench.stages.party_release import PartyRelease, StoredRelease, release_input
from maskbench.stages.raw_model import RawModel, raw_input
from maskbench.stages.released_again import released_again, releasing, stored_draws
from maskbench.stages.stage import Context, Stage, code_of, share_title
from maskbench.stages.trial import Trial
from maskbench.training.losses import late_fall, losses_seen

_SCORED: tuple[Split, ...] = ("owner_train", "owner_test", "attacker_validation")


@dataclass(frozen=True)
class Restoration(Stage):
    """Restored images of the scored part of the owner's splits and of attacker-validation.

    Attributes:
        aux_share: of its training pictures the attacker uses this share.
    """

    kind: ClassVar[str] = "restoration"
    timed: ClassVar[bool] = True

    trial: Trial
    attack: RestorationAttack
    aux_share: float = 1.0

    @property
    def time_limit(self) -> float:
        """The attack's own."""
        return self.attack.time_limit

    @property
    def cpu_only(self) -> bool:
        """The attack's own."""
        return self.attack.cpu_only

    def inputs(self) -> Mapping[str, Stage]:
        return self._reading((self.trial.seen("owner"), *self._own_releases()))

    def fit_inputs(self) -> Mapping[str, Stage]:
        """What the attack learns from: nothing of the owner's."""
        return self._reading(self._own_releases())

    def _reading(self, releases: tuple[PartyRelease, ...]) -> Mapping[str, Stage]:
        found = self.trial.found_masks(self.aux_share)
        return {"data": self.trial.data, **seen_inputs(releases, found), **self._raw()}

    def _own_releases(self) -> tuple[PartyRelease, ...]:
        return self.trial.seen("attacker"), *(stored_draws(self.trial) if self._takes_pairs() else ())

    def _takes_pairs(self) -> bool:
        return self.attack.learns_from == "pairs"

    def _raw(self) -> Mapping[str, Stage]:
        if not self.attack.learns_from_raw():
            return {}
        training = self.trial.settings.restoration
        return {raw_input(self.attack): RawModel(self.trial.data, self.attack, training, self.aux_share)}

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "training": self.trial.settings.restoration.model_dump(),
            "scored": self.trial.settings.scored,
            "mirror": self.trial.method.mirror_symmetric,
            "seed": self.trial.seed,
            "aux_share": self.aux_share,
        }

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.attack),)

    def title(self) -> str:
        method = self.trial.method.label(leave_out=("adjust",))
        return f"restoration {self.attack.label()} of {method}{share_title(self.aux_share)} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        with seeded(self._attack_seed()):
            with losses_seen() as losses:
                state = self.attack.fit(self._aux(dataset, inputs, context))
            attack = self.attack.with_state(state)
            restored: dict[Split, Tensor] = {}
            for split in _SCORED:
                release = as_seen(inputs, split, dataset.scored(split, self.trial.settings.scored))
                restored[split] = attack.restored_bytes(release, context.device)
        return StoredRestoration.pack(restored, state, self._late_fall(losses, inputs))

    def _late_fall(self, losses: Sequence[Sequence[float]], inputs: Mapping[str, Artifact]) -> float | None:
        """Of what was trained here, or else on raw pictures before."""
        if losses or not self.attack.learns_from_raw():
            return late_fall(losses)
        return inputs[raw_input(self.attack)].record["late_fall"]

    def restore_training(self, inputs: Mapping[str, Artifact], stored: StoredRestoration, context: Context) -> Tensor:
        """Restore all training pictures of the attacker: uint8 (N, C, H, W).

        Args:
            inputs: of ``fit_inputs``.
            stored: what this stage made; the attack learns again where its state was not stored.
        """
        with seeded(self._attack_seed()):
            state = stored.state
            if state is None:
                state = self.attack.fit(self._aux(Dataset(inputs["data"]), inputs, context))
            release = as_seen(inputs, "attacker_train")
            return self.attack.with_state(state).restored_bytes(release, context.device)

    def _attack_seed(self) -> int:
        return derive(self.trial.seed, "restoration", self.attack.name)

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
            seed=self._attack_seed(),
            device=context.device,
            progress=context.progress,
            invert=method.invert if method.key_known() else None,
            again=released_again(self.trial, dataset, inputs, used, context.device) if self._takes_pairs() else None,
            release=self._releasing(inputs, context.device),
            from_raw=dict(inputs[raw_input(self.attack)].tensors) if self.attack.learns_from_raw() else {},
        )

    def _releasing(self, inputs: Mapping[str, Artifact], device: torch.device) -> Releasing | None:
        method = StoredRelease(inputs[release_input("attacker")]).fitted(self.trial.method, device)
        return releasing(method, self._attack_seed(), device, self.trial.releases)


@dataclass(frozen=True)
class StoredRestoration:
    """The artifact of a restoration."""

    artifact: Artifact

    @staticmethod
    def pack(images: Mapping[Split, Tensor], state: object = None, late_fall: float | None = None) -> Artifact:
        """Make the artifact of the restored images of each split, uint8 (N, C, H, W), and of the attack's state.

        A state is stored that is a dict of tensors by name; any other would have to be pickled. ``late_fall`` is the
        attribute of this name.
        """
        tensors = {str(split): tensor for split, tensor in images.items()}
        if not _is_storable(state):
            return Artifact(tensors, {"state": None, "late_fall": late_fall})
        # Weights that are tied stand for two names; in a file each needs memory of its own.
        kept = {_state(name): tensor.detach().cpu().clone() for name, tensor in state.items()}
        return Artifact({**tensors, **kept}, {"state": list(state), "late_fall": late_fall})

    def images(self, split: Split) -> Tensor:
        """Uint8 (N, C, H, W): the restored images of a split: of its scored part, but all of attacker-train."""
        return self.artifact.tensors[split]

    @property
    def late_fall(self) -> float | None:
        """See ``training.losses.late_fall``; None where no network was trained."""
        found = self.artifact.record["late_fall"]
        return None if found is None else float(found)

    @property
    def state(self) -> dict[str, Tensor] | None:
        """What the attack's ``fit`` returned, on the CPU; None where that was not stored."""
        names = self.artifact.record["state"]
        return None if names is None else {name: self.artifact.tensors[_state(name)] for name in names}


def _is_storable(state: object) -> TypeGuard[dict[str, Tensor]]:
    return isinstance(state, dict) and all(isinstance(tensor, Tensor) for tensor in state.values())


def _state(name: str) -> str:
    return f"state/{name}"
