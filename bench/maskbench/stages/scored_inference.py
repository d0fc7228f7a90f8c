"""The scoring stage of inference: what one attack, or several taken together, learned of each image's label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import Split
from maskbench.metrics.classification import correct
from maskbench.metrics.identification import identification
from maskbench.metrics.leakage import information
from maskbench.stages.answers import StoredAnswers, scored_splits
from maskbench.stages.beliefs import Beliefs
from maskbench.stages.data import Dataset
from maskbench.stages.inference import Inference
from maskbench.stages.scored import Scored, Validation
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredInference(Stage):
    """Columns on each scored split: truth, guess, correct, prior_correct, and information in bits.

    The prior is what the attacker would guess without the picture. On owner-train the attacker knows the task label,
    so both the guess and the prior are conditioned on it; on owner-test neither is. The attacker chooses attacks by
    the advantage on the pictures that it compares them on, judged as the split is, and by the information among attacks
    that the advantage does not tell apart.

    Attributes:
        inferences: of one attack; or of several, whose answers are stacked. All of the same trial and label.
    """

    kind: ClassVar[str] = "scoring"

    inferences: tuple[Inference, ...]

    @property
    def cpu_only(self) -> bool:
        """Answers are few."""
        return True

    def inputs(self) -> Mapping[str, Stage]:
        # By place: the fit goes through the attacks in their order, so the order belongs into the key.
        by_place = {_input(place): inference for place, inference in enumerate(self.inferences)}
        return {"data": self.inferences[0].trial.data, **by_place}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "inference"}

    def title(self) -> str:
        first = self.inferences[0]
        if len(self.inferences) == 1:
            return f"scoring {first.title()}"
        method = first.trial.method.label(leave_out=("adjust",))
        return f"scoring stacked inference of {first.label} from {method} · seed {first.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        answers = [StoredAnswers(inputs[_input(place)]) for place in range(len(self.inferences))]
        label, count = self.inferences[0].label, self.inferences[0].trial.settings.scored
        own = answers[0].validation_labels
        columns: dict[Split, dict[str, Tensor]] = {}
        probabilities: dict[Split, Tensor] = {}
        validation: dict[Split, Validation] = {}
        calibration = {}
        for split in scored_splits(label):
            positions = dataset.scored(split, count)
            labels = dataset.labels(split, label)[positions]
            target = own_target = None
            if split == "owner_train":  # released with its task labels
                target = dataset.labels(split, "target")[positions]
                own_target = dataset.labels("attacker_validation", "target")
                own_target = own_target[dataset.scored("attacker_validation", count)]
            validated = [each.validation(split) for each in answers]
            beliefs = Beliefs.fitted(dataset, self.inferences, validated, own, own_target)
            scores = information(*beliefs.validation, own)
            right, right_without = (correct(stated, own).double() for stated in beliefs.validation)
            numbers = answers[0].validation_numbers
            validation[split] = Validation(numbers, scores, right - right_without)
            calibration[split] = {"slopes": self._slopes(beliefs), "prior_weight": beliefs.weight}
            guess, prior = beliefs.guesses([each.logits(split) for each in answers], target)
            probabilities[split] = guess.exp().to(torch.float32)
            columns[split] = {
                "number": dataset.index(split)[positions],
                "truth": labels,
                "guess": guess.argmax(1),
                "correct": correct(guess, labels),
                "prior_correct": correct(prior, labels),
                "information": information(guess, prior, labels),
                **self._ranks(answers, split, labels),
                **_late_fall(answers, len(labels)),
            }
        return Scored.pack(
            columns, probabilities=probabilities, validation=validation, record={"calibration": calibration}
        )

    def _slopes(self, beliefs: Beliefs) -> dict[str, float]:
        names = [inference.attack.label() for inference in self.inferences]
        return dict(zip(names, beliefs.calibration.slopes.tolist(), strict=True))

    def _ranks(self, answers: list[StoredAnswers], split: Split, labels: Tensor) -> dict[str, Tensor]:
        """Of an attack whose logits are similarities to known people."""
        if len(self.inferences) > 1 or not self.inferences[0].attack.identifies:
            return {}
        return identification(answers[0].logits(split), labels)


def _late_fall(answers: list[StoredAnswers], count: int) -> dict[str, Tensor]:
    """Of a single attack that trained a network; the same for every image."""
    found = answers[0].late_fall if len(answers) == 1 else None
    return {} if found is None else {"late_fall": torch.full((count,), found, dtype=torch.float64)}


def _input(place: int) -> str:
    return f"inference/{place}"
