"""The scoring stage of recognition: which test images the recognizer gets right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from maskbench.artifacts.store import Artifact
from maskbench.metrics.classification import correct
from maskbench.metrics.leakage import label_prior
from maskbench.plugins import judging
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import StoredRelease, release_input
from maskbench.stages.recognition import Recognition, StoredRecognition
from maskbench.stages.scored import Scored
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredRecognition(Stage):
    """Columns on owner-test: truth, guess, correct, and whether the training set's most frequent class is right.

    Where the release has masks, also the share of each image that they hide.
    """

    kind: ClassVar[str] = "scoring"

    recognition: Recognition

    @property
    def cpu_only(self) -> bool:
        """Answers are few."""
        return True

    def inputs(self) -> Mapping[str, Stage]:
        trial = self.recognition.trial
        return {"data": trial.data, "recognition": self.recognition, release_input("owner"): trial.release("owner")}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "recognition"}

    def title(self) -> str:
        return f"scoring {self.recognition.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        logits = StoredRecognition(inputs["recognition"]).logits
        labels = dataset.labels("owner_test", "target")
        prior = label_prior(dataset.labels("owner_train", "target"), None, dataset.classes("target"), 1)
        columns = {
            "number": dataset.index("owner_test"),
            "truth": labels,
            "guess": logits.argmax(1),
            "correct": correct(logits, labels),
            "prior_correct": correct(prior.expand(len(labels), -1), labels),
        }
        release = StoredRelease(inputs[release_input("owner")])
        if release.masked:
            columns["hidden"] = judging.hidden_share(release.masks("owner_test"))
        return Scored.pack({"owner_test": columns})
