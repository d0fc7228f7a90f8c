"""The stage that restores the attacker's training pictures, once: by the attack that comes closest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.plugins.knowledge import closest
from maskbench.release import to_float
from maskbench.stages.data import Dataset
from maskbench.stages.restoration import Restoration, StoredRestoration
from maskbench.stages.stage import Context, Stage, code_of


@dataclass(frozen=True)
class ClosestRestoration(Stage):
    """All of the attacker's training pictures, for inference attacks that learn on restored ones.

    The attack is chosen without labels, by the mean squared error on the scored part of attacker-validation.

    Attributes:
        candidates: of one trial, with all of the attacker's training pictures.
    """

    kind: ClassVar[str] = "closest restoration"
    timed: ClassVar[bool] = True

    candidates: tuple[Restoration, ...]

    @property
    def time_limit(self) -> float:
        """The longest that a candidate may take."""
        return max(each.time_limit for each in self.candidates)

    @property
    def cpu_only(self) -> bool:
        """Where every candidate is."""
        return all(each.cpu_only for each in self.candidates)

    def inputs(self) -> Mapping[str, Stage]:
        inputs: dict[str, Stage] = {}
        for each in self.candidates:
            inputs |= {**each.fit_inputs(), _input(each): each}
        return inputs

    def parameters(self) -> Mapping[str, Any]:
        return {"candidates": [each.attack.label() for each in self.candidates]}

    def roots(self) -> tuple[str, ...]:
        return tuple(code_of(each.attack) for each in self.candidates)

    def title(self) -> str:
        trial = self.candidates[0].trial
        method = trial.method.label(leave_out=("adjust",))
        return f"closest restoration of the attacker's pictures from {method} · seed {trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset, trial = Dataset(inputs["data"]), self.candidates[0].trial
        stored = {each.attack.label(): StoredRestoration(inputs[_input(each)]) for each in self.candidates}
        positions = dataset.scored("attacker_validation", trial.settings.scored)
        raw = to_float(dataset.bytes("attacker_validation")[positions])
        restored = {name: to_float(each.images("attacker_validation")) for name, each in stored.items()}
        name = closest(restored, raw)
        (chosen,) = (each for each in self.candidates if each.attack.label() == name)
        images = chosen.restore_training(inputs, stored[name], context)
        return StoredClosest.pack(images, name)


@dataclass(frozen=True)
class StoredClosest:
    """The artifact of the closest restoration."""

    artifact: Artifact

    @staticmethod
    def pack(images: Tensor, attack: str) -> Artifact:
        """Make the artifact of the restored pictures and the label of the attack that restored them."""
        return Artifact({"images": images}, {"attack": attack})

    @property
    def images(self) -> Tensor:
        """Uint8 (N, C, H, W): the attacker's training pictures, restored."""
        return self.artifact.tensors["images"]

    @property
    def attack(self) -> str:
        """The label of the attack that was chosen."""
        return str(self.artifact.record["attack"])


def _input(restoration: Restoration) -> str:
    return f"restoration/{restoration.attack.label()}"
