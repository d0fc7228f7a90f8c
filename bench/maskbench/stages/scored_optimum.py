"""The scoring stages of the best possible attack: as attacks are scored, on the same pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF
from maskbench.metrics.classification import correct
from maskbench.metrics.comparison import Comparison
from maskbench.metrics.families.restoration import measured
from maskbench.metrics.leakage import information
from maskbench.release import to_float
from maskbench.stages.beliefs import Counts
from maskbench.stages.data import Dataset
from maskbench.stages.optimum import Optimum, StoredOptimum
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.scored import Scored
from maskbench.stages.stage import Context, Stage, share_title


@dataclass(frozen=True)
class ScoredOptimum(Stage):
    """Columns on the owner's splits, as ``ScoredInference`` has them.

    Its information is counted from the prior that the attackers count from, on the same share of their pictures: else a
    prior that the attacker counted badly would pass for knowledge.

    Attributes:
        masks: the mask is all that is seen.
    """

    kind: ClassVar[str] = "scoring"

    optimum: Optimum
    aux_share: float = 1.0
    masks: bool = False

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.optimum.trial.data, "optimum": self.optimum}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "masks" if self.masks else "optimum", "aux_share": self.aux_share}

    def title(self) -> str:
        seen = " by the mask alone" if self.masks else ""
        return f"scoring {self.optimum.title()}{seen}{share_title(self.aux_share)}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        stored, count = StoredOptimum(inputs["optimum"]), self.optimum.trial.settings.scored
        counts = Counts(dataset, "sensitive", self.aux_share)
        own = dataset.scored("attacker_validation", count)
        columns, probabilities = {}, {}
        for split in SPLITS_OF["owner"]:
            positions = dataset.scored(split, count)
            labels = dataset.labels(split, "sensitive")[positions]
            target = own_target = None
            if split == "owner_train":  # released with its task labels
                target = dataset.labels(split, "target")[positions]
                own_target = dataset.labels("attacker_validation", "target")[own]
            weight = counts.weight(dataset.labels("attacker_validation", "sensitive")[own], own_target)
            prior = counts.prior(len(labels), target, weight)
            known = stored.known(split)
            guess = known.of_masks if self.masks else known.log_posterior
            probabilities[split] = guess.exp().to(torch.float32)
            columns[split] = {
                "number": dataset.index(split)[positions],
                "truth": labels,
                "guess": guess.argmax(1),
                "correct": correct(guess, labels),
                "prior_correct": correct(prior, labels),
                "information": information(guess, prior, labels),
            }
        return Scored.pack(columns, probabilities=probabilities)


@dataclass(frozen=True)
class ScoredOptimumRestoration(Stage):
    """Columns on the owner's splits: every metric of restorations that needs no network.

    The mean of the picture given its release has the smallest mean squared error there is. Of the other metrics it need
    not be the optimum.
    """

    kind: ClassVar[str] = "scoring"

    optimum: Optimum

    def inputs(self) -> Mapping[str, Stage]:
        trial = self.optimum.trial
        return {"data": trial.data, "optimum": self.optimum, release_input("owner"): trial.release("owner")}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "optimum restoration"}

    def title(self) -> str:
        return f"scoring the restoration by the {self.optimum.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        columns = {}
        for split in SPLITS_OF["owner"]:
            positions = dataset.scored(split, self.optimum.trial.settings.scored)
            release = stored_release(inputs, split).release(split, positions)
            pictures = Comparison(
                restored=to_float(StoredOptimum(inputs["optimum"]).known(split).restored),
                released=release.images,
                raw=to_float(dataset.bytes(split)[positions]),
                masks=release.masks,
                perceptual=None,
            )
            columns[split] = {"number": dataset.index(split)[positions], **measured(pictures)}
        return Scored.pack(columns)
