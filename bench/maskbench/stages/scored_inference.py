"""The scoring stage of inference: what one attack, or several taken together, learned of each image's label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.metrics.classification import correct
from maskbench.metrics.identification import identification
from maskbench.metrics.leakage import information
from maskbench.stages.beliefs import Beliefs
from maskbench.stages.columns import named
from maskbench.stages.data import Data, Dataset
from maskbench.stages.inference import Inference
from maskbench.stages.restoration import SCORED
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredInference(Stage):
    """Columns on each scored split: truth, guess, correct, prior_correct, and information in bits.

    The prior is what the attacker would guess without the picture. On owner-train the attacker knows the task label,
    so both the guess and the prior are conditioned on it; on owner-test neither is. The record has, for each split, the
    information on the attacker's own validation pictures, judged as that split is: by it the attacker chooses attacks.

    Attributes:
        inferences: of one attack; or of several, whose answers are stacked. All of the same method, label and seed.
    """

    kind: ClassVar[str] = "scoring"

    data: Data
    inferences: tuple[Inference, ...]

    def inputs(self) -> Mapping[str, Stage]:
        # By place: the fit goes through the attacks in their order, so the order belongs into the key.
        return {"data": self.data, **{_input(place): inference for place, inference in enumerate(self.inferences)}}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "inference"}

    def title(self) -> str:
        if len(self.inferences) == 1:
            return f"scoring {self.inferences[0].title()}"
        first = self.inferences[0]
        method = first.method.label(leave_out=("adjust",))
        return f"scoring stacked inference of {first.label} from {method} · seed {first.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        answers = [inputs[_input(place)].tensors for place in range(len(self.inferences))]
        label, count = self.inferences[0].label, self.inferences[0].settings.scored
        validated, own = [each["validation"] for each in answers], answers[0]["validation_labels"]
        tensors: dict[str, Tensor] = {}
        validation, calibration = {}, {}
        for split in [name for name in SCORED if name in answers[0]]:
            positions = dataset.scored(split, count)
            labels = dataset.labels(split, label)[positions]
            target = own_target = None
            if split == "owner_train":  # released with its task labels
                target = dataset.labels(split, "target")[positions]
                own_target = dataset.labels("attacker_validation", "target")
                own_target = own_target[dataset.scored("attacker_validation", count)]
            beliefs = Beliefs.fitted(dataset, self.inferences, validated, own, own_target)
            # Of a few dozen pictures, information tells better than hits which attack knows more.
            validation[split] = float(information(*beliefs.validation, own).mean())
            calibration[split] = {"slopes": self._slopes(beliefs), "prior_weight": beliefs.weight}
            guess, prior = beliefs.guesses([each[split] for each in answers], target)
            columns = {
                "number": dataset.index(split)[positions],
                "truth": labels,
                "guess": guess.argmax(1),
                "correct": correct(guess, labels),
                "prior_correct": correct(prior, labels),
                "information": information(guess, prior, labels),
            }
            tensors |= named(split, columns | self._ranks(answers, split, labels))
        return Artifact(tensors, {"validation": validation, "calibration": calibration})

    def _slopes(self, beliefs: Beliefs) -> dict[str, float]:
        names = [inference.attack.label() for inference in self.inferences]
        return dict(zip(names, beliefs.calibration.slopes.tolist(), strict=True))

    def _ranks(self, answers: list[Mapping[str, Tensor]], split: str, labels: Tensor) -> dict[str, Tensor]:
        """Of an attack whose logits are similarities to known people."""
        if len(self.inferences) > 1 or not self.inferences[0].attack.identifies:
            return {}
        return identification(answers[0][split], labels)


def _input(place: int) -> str:
    return f"inference/{place}"
