"""The restoration stage: an attack that learns on the attacker's own pictures and restores the owner's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.plugins.attack import Aux, Known, RestorationAttack
from bench.plugins.method import Method
from bench.release import to_bytes
from bench.seeds import derive
from bench.stages.data import Data, Dataset, Split
from bench.stages.released import Released, read_release
from bench.stages.settings import Settings
from bench.stages.stage import Context, Stage
from bench.store import Artifact
from bench.training.seeding import seeded

SCORED: dict[Split, str] = {
    "owner_train": "release",
    "owner_test": "release",
    "attacker_validation": "attacker_release",
}


@dataclass(frozen=True)
class Restoration(Stage):
    """Restored images (uint8) of the scored part of each split in ``SCORED``."""

    kind: ClassVar[str] = "restoration"

    data: Data
    method: Method
    attack: RestorationAttack
    settings: Settings
    seed: int

    def inputs(self) -> Mapping[str, Stage]:
        return {
            "data": self.data,
            "release": Released(self.data, self.method, "owner", self.settings, self.seed),
            "attacker_release": Released(self.data, self.method, "attacker", self.settings, self.seed),
        }

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.model_dump(),
            "training": self.settings.restoration.model_dump(),
            "scored": self.settings.scored,
            "mirror": self.method.mirror_symmetric,
            "seed": self.seed,
        }

    def roots(self) -> tuple[str, ...]:
        return (type(self.attack).__module__,)

    def title(self) -> str:
        method = self.method.label(leave_out=("adjust",))
        return f"restoration {self.attack.label()} of {method} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        with seeded(derive(self.seed, "restoration", self.attack.name)):
            state = self.attack.fit(self._aux(dataset, inputs["attacker_release"], context))
            attack = self.attack.with_state(state)
            tensors = {}
            for split, source in SCORED.items():
                positions = dataset.scored(split, self.settings.scored)
                release = read_release(inputs[source], split, positions)
                tensors[split] = to_bytes(attack.restored(release, context.device))
        return Artifact(tensors)

    def _aux(self, dataset: Dataset, release: Artifact, context: Context) -> Aux:
        return Aux(
            train=Known(dataset.images("attacker_train"), read_release(release, "attacker_train")),
            validation=Known(dataset.images("attacker_validation"), read_release(release, "attacker_validation")),
            training=self.settings.restoration,
            mirror=dataset.mirror and self.method.mirror_symmetric,
            seed=derive(self.seed, "restoration", self.attack.name),
            device=context.device,
            progress=context.progress,
        )
