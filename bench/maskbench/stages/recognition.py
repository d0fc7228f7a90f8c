"""The recognition stage: a recognizer trained on the owner's released training images, asked about the test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build, identity, source_module
from maskbench.randomness import derive, seeded
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import StoredRelease, release_input
from maskbench.stages.soft_labels import StoredSoftLabels
from maskbench.stages.stage import Context, Stage, code_of
from maskbench.stages.teacher import StoredTeacher, Teacher
from maskbench.stages.trial import Trial
from maskbench.training.classifier import predict, train_classifier

_TEACHER, _ANSWERS, _PUBLIC = "teacher", "soft-labels", "public"


@dataclass(frozen=True)
class Recognition(Stage):
    """What the third party does with the release, and what the owner checks it by: logits on owner-test."""

    kind: ClassVar[str] = "recognition"

    trial: Trial

    @property
    def time_limit(self) -> float:
        """The method's own."""
        return self.trial.method.time_limit

    def inputs(self) -> Mapping[str, Stage]:
        inputs: dict[str, Stage] = {"data": self.trial.data, release_input("owner"): self.trial.release("owner")}
        if self.trial.method.needs_teacher():
            inputs[_TEACHER] = self.trial.teacher("target")
        if self.trial.method.needs_answers():
            inputs[_ANSWERS] = self.trial.soft_labels("owner")
        if self.trial.method.needs_public():
            inputs[_PUBLIC] = self._pretrained()
        return inputs

    def _pretrained(self) -> Teacher:
        """The recognizer that learned from public pictures: the attacker's stand in for these."""
        return self.trial.teacher("target", party="attacker")

    def parameters(self) -> Mapping[str, Any]:
        method, settings = self.trial.method, self.trial.settings
        return {
            "method": method.name,
            "adaptation": method.adaptation_parameters(),
            "recognizer": identity(settings.recognizer),
            "training": settings.recognition.model_dump(),
            "mirror": method.mirror_symmetric,
            "seed": self.trial.seed,
        }

    def roots(self) -> tuple[str, ...]:
        method = self.trial.method
        return (code_of(method), *method.adaptation_modules(), source_module(self.trial.settings.recognizer))

    def title(self) -> str:
        return f"recognition {self.trial.method.label()} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        method, settings, seed = self.trial.method, self.trial.settings, self.trial.seed
        channels, height, width = dataset.shape
        release = StoredRelease(inputs[release_input("owner")])
        shown = release.masked and not method.withholds_masks()
        masks = {split: release.masks(split) if shown else None for split in SPLITS_OF["owner"]}
        # Every method's recognizer starts from the same weights and sees the same batches: a paired comparison. Only
        # one that has learned from public pictures starts from what these taught, for all methods the same again.
        with seeded(derive(seed, "recognition", "weights")):
            recognizer = build(
                settings.recognizer,
                channels=channels,
                classes=dataset.classes("target"),
                size=(height, width),
            )
            if _PUBLIC in inputs:
                public = StoredTeacher(inputs[_PUBLIC]).network(self._pretrained(), dataset, torch.device("cpu"))
                recognizer.load_state_dict(public.state_dict())
            network = method.adapt(recognizer, self._restored_teacher(inputs, dataset))
        losses = train_classifier(
            network,
            release.images("owner_train"),
            masks["owner_train"],
            dataset.labels("owner_train", "target"),
            training=settings.recognition,
            flip=dataset.mirror and method.mirror_symmetric,
            seed=derive(seed, "recognition", "training"),
            device=context.device,
            progress=context.progress,
            taught=StoredSoftLabels(inputs[_ANSWERS]).of("owner_train") if _ANSWERS in inputs else None,
            loss=method.recognition_loss,
        )
        logits = predict(network, release.images("owner_test"), masks["owner_test"], device=context.device)
        weights = sum(parameter.numel() for parameter in network.parameters())
        return StoredRecognition.pack(logits, losses, weights)

    def _restored_teacher(self, inputs: Mapping[str, Artifact], dataset: Dataset) -> Recognizer | None:
        if _TEACHER not in inputs:
            return None
        teacher = self.trial.teacher("target")
        return StoredTeacher(inputs[_TEACHER]).network(teacher, dataset, torch.device("cpu"))


@dataclass(frozen=True)
class StoredRecognition:
    """The artifact of recognition: what the recognizer answers, and how its training went."""

    artifact: Artifact

    @staticmethod
    def pack(logits: Tensor, losses: list[float], weights: int) -> Artifact:
        """Make the artifact of the logits, the mean loss of each epoch and the number of weights."""
        return Artifact({"owner_test": logits}, {"losses": losses, "weights": weights})

    @property
    def logits(self) -> Tensor:
        """Float32 (N, classes), of the images of owner-test."""
        return self.artifact.tensors["owner_test"]
