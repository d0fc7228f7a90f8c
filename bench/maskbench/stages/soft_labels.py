"""The stage of soft labels: what a party's teacher says of its raw pictures, for methods that hand it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.models.recognizer import ImageOnly
from maskbench.models.recognizers import source_module
from maskbench.stages.data import Dataset
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import StoredTeacher, Teacher
from maskbench.training.classifier import predict

_TEACHER = "teacher"


@dataclass(frozen=True)
class SoftLabels(Stage):
    """What a party's teacher of the task answers, for the raw pictures that are released with them.

    Those are the owner's training pictures, and of the attacker's both parts: it learns from one and chooses on the
    other. Whoever reads these has the answers, and neither the pictures nor the weights.
    """

    kind: ClassVar[str] = "soft-labels"

    teacher: Teacher

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.teacher.data, _TEACHER: self.teacher}

    def parameters(self) -> Mapping[str, Any]:
        return {"party": self.teacher.party}

    def roots(self) -> tuple[str, ...]:
        return (source_module(self.teacher.recognizer),)

    def title(self) -> str:
        return f"soft labels · {self.teacher.subject()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        network = ImageOnly(StoredTeacher(inputs[_TEACHER]).network(self.teacher, dataset, torch.device("cpu")))
        train, held_out = SPLITS_OF[self.teacher.party]
        splits = (train,) if self.teacher.party == "owner" else (train, held_out)
        # Logarithms of probabilities: what a release hands out, and nothing that its softmax would lose.
        return Artifact(
            {
                split: predict(network, dataset.bytes(split), None, device=context.device).log_softmax(1)
                for split in splits
            }
        )


@dataclass(frozen=True)
class StoredSoftLabels:
    """The artifact of soft labels."""

    artifact: Artifact

    def of(self, split: Split) -> Tensor:
        """Float32 (N, classes): logarithms of probabilities, for the pictures of a split."""
        return self.artifact.tensors[split]
