"""The stage of a raw model: what an attack learns of the attacker's raw pictures, before it knows the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from maskbench.artifacts.store import Artifact
from maskbench.plugins.attack import RestorationAttack
from maskbench.plugins.knowledge import RawAux
from maskbench.randomness import derive, seeded
from maskbench.stages.data import Data, Dataset
from maskbench.stages.stage import Context, Stage, code_of, share_title
from maskbench.training.losses import late_fall, losses_seen
from maskbench.training.settings import Training


@dataclass(frozen=True)
class RawModel(Stage):
    """One model serves the attack against every method and under every seed of the run: neither is part of it.

    Attributes:
        training: with all of the attacker's training pictures.
        aux_share: of its training pictures the attacker uses this share.
    """

    kind: ClassVar[str] = "raw model"
    timed: ClassVar[bool] = True

    data: Data
    attack: RestorationAttack
    training: Training
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
        return {"data": self.data}

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "training": self.training.model_dump(),
            "aux_share": self.aux_share,
        }

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.attack),)

    def title(self) -> str:
        return f"raw model of {self.attack.label()}{share_title(self.aux_share)}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        raw, seed = dataset.bytes("attacker_train"), derive(0, "raw model", self.attack.name)
        aux = RawAux(
            raw=raw if self.aux_share == 1 else raw[dataset.share("attacker_train", self.aux_share)],
            training=self.training.over(self.aux_share),
            mirror=dataset.mirror,
            seed=seed,
            device=context.device,
            progress=context.progress,
        )
        with seeded(seed), losses_seen() as losses:
            learned = self.attack.fit_raw(aux)
        tensors = {name: tensor.detach().cpu().clone() for name, tensor in learned.items()}
        return Artifact(tensors, {"late_fall": late_fall(losses)})


def raw_input(attack: RestorationAttack) -> str:
    """The name under which stages read the raw model of an attack."""
    return f"raw/{attack.label()}"
