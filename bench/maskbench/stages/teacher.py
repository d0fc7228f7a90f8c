"""The teacher stage: a recognizer of raw images that one party trained on its own training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Label, Party
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.models.recognizers import build, identity, source_module
from maskbench.randomness import derive, seeded
from maskbench.stages.data import Data, Dataset
from maskbench.stages.stage import Context, Stage
from maskbench.training.classifier import predict, train_classifier
from maskbench.training.settings import Training


@dataclass(frozen=True)
class Teacher(Stage):
    """What attributions explain; the attacker's teacher of a label is also the classifier of the reverse attack.

    ``copy`` names further teachers of the attacker's, for further fits of a method: other weights, other batches.
    """

    kind: ClassVar[str] = "teacher"

    data: Data
    party: Party
    label: Label
    recognizer: str
    training: Training
    seed: int
    copy: str = ""

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.data}

    def parameters(self) -> Mapping[str, Any]:
        return {
            "party": self.party,
            "label": self.label,
            "recognizer": identity(self.recognizer),
            "training": self.training.model_dump(),
            "seed": self.seed,
            "copy": self.copy,
        }

    def roots(self) -> tuple[str, ...]:
        return (source_module(self.recognizer),)

    def title(self) -> str:
        return f"teacher · {self.subject()}"

    def subject(self) -> str:
        """Whose teacher of what."""
        copy = f"-{self.copy}" if self.copy else ""
        return f"{self.party}{copy} · {self.label} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        train, held_out = SPLITS_OF[self.party]
        network = ImageOnly(self.untrained(dataset))
        losses = train_classifier(
            network,
            dataset.bytes(train),
            None,
            dataset.labels(train, self.label),
            training=self.training,
            flip=dataset.mirror,
            seed=derive(self.seed, "teacher", self.party, self.copy, self.label, "training"),
            device=context.device,
            progress=context.progress,
        )
        logits = predict(network, dataset.bytes(held_out), None, device=context.device)
        accuracy = (logits.argmax(1) == dataset.labels(held_out, self.label)).float().mean()
        return StoredTeacher.pack(network.recognizer, losses, float(accuracy))

    def untrained(self, dataset: Dataset) -> Recognizer:
        """The network before its training."""
        channels, height, width = dataset.shape
        with seeded(derive(self.seed, "teacher", self.party, self.copy, self.label, "weights")):
            return build(self.recognizer, channels=channels, classes=dataset.classes(self.label), size=(height, width))


@dataclass(frozen=True)
class StoredTeacher:
    """The artifact of a teacher: the weights of its network, and how its training went."""

    artifact: Artifact

    @staticmethod
    def pack(network: Recognizer, losses: list[float], accuracy: float) -> Artifact:
        """Make the artifact of a trained network, its mean loss of each epoch and its accuracy on the second split."""
        weights = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
        return Artifact(weights, {"losses": losses, "accuracy": accuracy})

    def network(self, teacher: Teacher, dataset: Dataset, device: torch.device) -> Recognizer:
        """Restore the trained network, in evaluation mode and without gradients for its weights."""
        network = teacher.untrained(dataset)
        network.load_state_dict(dict(self.artifact.tensors))
        return network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
