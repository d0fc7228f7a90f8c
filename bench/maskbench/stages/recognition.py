"""The recognition stage: a recognizer trained on the owner's released training images, asked about the test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.models.recognizers import build, identity, source_module
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.stages.data import SPLITS, Data, Dataset, Split
from maskbench.stages.released import Released
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import Teacher
from maskbench.training.classifier import predict, train_classifier
from maskbench.training.seeding import seeded


@dataclass(frozen=True)
class Recognition(Stage):
    """What the third party does with the release, and what the owner checks it by: logits on owner-test."""

    kind: ClassVar[str] = "recognition"

    data: Data
    method: Method
    settings: Settings
    seed: int

    def inputs(self) -> Mapping[str, Stage]:
        released = Released(self.data, self.method, "owner", self.settings, self.seed)
        inputs: dict[str, Stage] = {"data": self.data, "release": released}
        if self.method.needs_teacher():
            inputs["teacher"] = self._teacher()
        return inputs

    def _teacher(self) -> Teacher:
        return Teacher(self.data, "owner", "target", self.settings.recognizer, self.settings.recognition, self.seed)

    def parameters(self) -> Mapping[str, Any]:
        return {
            "method": self.method.name,
            "adaptation": self.method.adaptation_parameters(),
            "recognizer": identity(self.settings.recognizer),
            "training": self.settings.recognition.model_dump(),
            "mirror": self.method.mirror_symmetric,
            "seed": self.seed,
        }

    def roots(self) -> tuple[str, ...]:
        return (
            type(self.method).__module__,
            *self.method.adaptation_modules(),
            source_module(self.settings.recognizer),
        )

    def title(self) -> str:
        return f"recognition {self.method.label()} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        channels, height, width = dataset.shape
        release = inputs["release"].tensors
        masks = {split: self._masks(release, split) for split in SPLITS["owner"]}
        # Every method's recognizer starts from the same weights and sees the same batches: a paired comparison.
        with seeded(derive(self.seed, "recognition", "weights")):
            recognizer = build(
                self.settings.recognizer,
                channels=channels,
                classes=dataset.classes("target"),
                size=(height, width),
            )
            teacher = self._restored_teacher(inputs, dataset)
            network = self.method.adapt(recognizer, teacher)
        losses = train_classifier(
            network,
            release["owner_train/images"],
            masks["owner_train"],
            dataset.labels("owner_train", "target"),
            training=self.settings.recognition,
            flip=dataset.mirror and self.method.mirror_symmetric,
            seed=derive(self.seed, "recognition", "training"),
            device=context.device,
            progress=context.progress,
            taught=None
            if teacher is None
            else predict(ImageOnly(teacher), dataset.bytes("owner_train"), None, device=context.device),
            loss=self.method.recognition_loss,
        )
        logits = predict(network, release["owner_test/images"], masks["owner_test"], device=context.device)
        weights = sum(parameter.numel() for parameter in network.parameters())
        return Artifact({"owner_test": logits}, {"losses": losses, "weights": weights})

    def _masks(self, release: Mapping[str, Tensor], split: Split) -> Tensor | None:
        return None if self.method.withholds_masks() else release.get(f"{split}/masks")

    def _restored_teacher(self, inputs: Mapping[str, Artifact], dataset: Dataset) -> Recognizer | None:
        if "teacher" not in inputs:
            return None
        return self._teacher().restore(inputs["teacher"], dataset, torch.device("cpu"))
