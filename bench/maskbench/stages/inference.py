"""The inference stage: an attack that learns a label from what it knows, and infers it from the owner's release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.models.recognizers import build, identity, source_module
from maskbench.plugins.attack import Classify, InferenceAttack, InferenceAux, Known
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.release import Release, to_bytes, to_float
from maskbench.stages.data import Data, Dataset, Split
from maskbench.stages.found_masks import as_seen, finding
from maskbench.stages.released import Released, more_draws
from maskbench.stages.restoration import SCORED, Restoration
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Context, Stage, share_title
from maskbench.stages.teacher import Label, Teacher
from maskbench.training.classifier import predict
from maskbench.training.seeding import seeded

# Of the owner's released training images, this share tells the probe of the target label how well it does.
_PROBE_VALIDATION = 0.15
_RESTORATION = "restoration/"


@dataclass(frozen=True)
class Inference(Stage):
    """Logits of a label on the scored part of each split.

    For the sensitive label the attack learns on the attacker's own pictures. For the target label it learns on the
    owner's released training images, whose task labels were handed out with them, and is scored on owner-test alone.
    Attacks that work on restored images or look people up learn on the attacker's own pictures for it too.
    """

    kind: ClassVar[str] = "inference"

    data: Data
    method: Method
    attack: InferenceAttack
    label: Label
    settings: Settings
    seed: int
    restorations: tuple[Restoration, ...] = ()
    aux_share: float = 1.0

    @property
    def time_limit(self) -> float:
        """The attack's own."""
        return self.attack.time_limit

    def inputs(self) -> Mapping[str, Stage]:
        inputs: dict[str, Stage] = {
            "data": self.data,
            "release": Released(self.data, self.method, "owner", self.settings, self.seed),
            **finding(self.data, self.method, self.settings, self.seed, self.aux_share),
        }
        if self._learns_from_own():
            inputs["attacker_release"] = Released(self.data, self.method, "attacker", self.settings, self.seed)
        inputs |= self._more_draws()
        if self.attack.needs_raw_classifier:
            inputs["teacher"] = self._teacher()
        for restoration in self.restorations:
            inputs[f"{_RESTORATION}{restoration.attack.label()}"] = restoration
        return inputs

    def _learns_from_own(self) -> bool:
        """Whether the attack learns from the attacker's own pictures, not from the owner's released ones."""
        return self.label == "sensitive" or self.attack.needs_restorations or self.attack.identifies

    def _more_draws(self) -> dict[str, Released]:
        """For attacks that learn from releases or masks of the attacker's: one draw of masks is learned by heart."""
        learns = self._learns_from_own() and self.attack.learns_from in ("releases", "masks")
        if not learns or self.attack.identifies:
            return {}
        return more_draws(self.data, self.method, self.settings, self.seed)

    def _teacher(self) -> Teacher:
        return Teacher(
            self.data, "attacker", self.label, self.settings.recognizer, self.settings.recognition, self.seed
        )

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "label": self.label,
            "recognizer": identity(self.settings.recognizer),
            "training": self.settings.attack.model_dump(),
            "scored": self.settings.scored,
            "mirror": self.method.mirror_symmetric,
            "seed": self.seed,
            "aux_share": self.aux_share,
        }

    def roots(self) -> tuple[str, ...]:
        return (type(self.attack).__module__, source_module(self.settings.recognizer))

    def title(self) -> str:
        method = self.method.label(leave_out=("adjust",))
        share = share_title(self.aux_share)
        return f"inference {self.attack.label()} of {self.label} from {method}{share} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        classes = self._classes(dataset)
        tensors = {}
        with seeded(derive(self.seed, "inference", self.attack.name, self.label)):
            aux = self._aux(dataset, inputs, context)
            attack = self.attack.with_state(self.attack.fit(aux))
            for split in scored_splits(self.label):
                release = self._scored(dataset, inputs, split)
                tensors[split] = attack.inferred(release, classes, context.device)
            release, labels = self._validation(dataset, inputs, aux)
            validation = attack.inferred(release, classes, context.device)
        return Artifact({**tensors, "validation": validation, "validation_labels": labels})

    def _scored(self, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split) -> Release:
        """The scored part of a split, with its restorations."""
        release = as_seen(inputs, SCORED[split], split, dataset.scored(split, self.settings.scored))
        return Release(release.images, release.masks, _restored(inputs, split))

    def _validation(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], aux: InferenceAux
    ) -> tuple[Release, Tensor]:
        """What attacks are compared on: the same pictures for all that infer a label.

        For the target label those are released training images of the owner's, whose labels are known and which no
        attack learned from, on whosever pictures it learned.
        """
        if self.label == "sensitive":
            positions = dataset.scored("attacker_validation", self.settings.scored)
            return aux.validation.release, dataset.labels("attacker_validation", self.label)[positions]
        scored = dataset.scored("owner_train", self.settings.scored)
        held_out = _held_out(dataset)
        held_out = held_out[torch.isin(held_out, scored)]
        release = self._scored(dataset, inputs, "owner_train").select(torch.searchsorted(scored, held_out))
        return release, dataset.labels("owner_train", self.label)[held_out]

    def _aux(self, dataset: Dataset, inputs: Mapping[str, Artifact], context: Context) -> InferenceAux:
        draws = 1 + len(self._more_draws())
        train, validation = self._known(dataset, inputs)
        return InferenceAux(
            train=train,
            validation=validation,
            classes=self._classes(dataset),
            training=self.settings.attack.over(draws * self.aux_share),
            new_classifier=_classifiers(self.settings.recognizer, dataset.shape[1:]),
            mirror=dataset.mirror and self.method.mirror_symmetric,
            seed=derive(self.seed, "inference", self.attack.name, self.label),
            device=context.device,
            raw_classifier=self._raw_classifier(dataset, inputs, context.device),
            progress=context.progress,
        )

    def _known(self, dataset: Dataset, inputs: Mapping[str, Artifact]) -> tuple[Known, Known]:
        if self._learns_from_own():
            positions = dataset.scored("attacker_validation", self.settings.scored)
            used = dataset.share("attacker_train", self.aux_share)
            release = as_seen(inputs, "attacker_release", "attacker_train", used)
            restored = {name: images[used] for name, images in _restored(inputs, "attacker_train").items()}
            draws = [Release(release.images, release.masks, restored)]
            draws += [as_seen(inputs, name, "attacker_train", used) for name in self._more_draws()]
            raw, labels = dataset.images("attacker_train")[used], self._labels(dataset, "attacker_train")[used]
            return (
                Known(raw.repeat(len(draws), 1, 1, 1), _joined(draws), labels.repeat(len(draws))),
                Known(
                    dataset.images("attacker_validation")[positions],
                    self._scored(dataset, inputs, "attacker_validation"),
                    self._labels(dataset, "attacker_validation")[positions],
                ),
            )
        held_out = _held_out(dataset)
        rest = torch.ones(len(dataset.index("owner_train")), dtype=torch.bool)
        rest[held_out] = False
        labels = dataset.labels("owner_train", self.label)
        return tuple(
            Known(None, as_seen(inputs, "release", "owner_train", part), labels[part])
            for part in (rest.nonzero().flatten(), held_out)
        )

    def _classes(self, dataset: Dataset) -> int:
        return dataset.classes(self.label) * (dataset.classes("target") if self.attack.with_task else 1)

    def _labels(self, dataset: Dataset, split: Split) -> Tensor:
        """What the attack learns on its own pictures: the label, or its pairs with the target label."""
        labels = dataset.labels(split, self.label)
        return labels * dataset.classes("target") + dataset.labels(split, "target") if self.attack.with_task else labels

    def _raw_classifier(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], device: torch.device
    ) -> Classify | None:
        if "teacher" not in inputs:
            return None
        network = ImageOnly(self._teacher().restore(inputs["teacher"], dataset, device))
        return lambda images: predict(network, to_bytes(images), None, device=device)


def _restored(inputs: Mapping[str, Artifact], split: Split) -> dict[str, Tensor]:
    """Name of a restoration attack → its images of a split, float32; of those attacks that restored it."""
    return {
        name.removeprefix(_RESTORATION): to_float(artifact.tensors[split])
        for name, artifact in inputs.items()
        if name.startswith(_RESTORATION) and split in artifact.tensors
    }


def _held_out(dataset: Dataset) -> Tensor:
    """Int64, sorted: positions of the owner's training images that no probe of the target label learns from."""
    return dataset.scored("owner_train", max(1, round(_PROBE_VALIDATION * len(dataset.index("owner_train")))))


def _joined(draws: list[Release]) -> Release:
    """Several releases of the same pictures, one after the other; restorations come with a single one alone."""
    if len(draws) == 1:
        return draws[0]
    masks = [draw.masks for draw in draws if draw.masks is not None]
    return Release(torch.cat([draw.images for draw in draws]), torch.cat(masks) if masks else None)


def _classifiers(recognizer: str, size: tuple[int, int]) -> Callable[[int, int], Recognizer]:
    """What makes untrained classifiers; it knows nothing of the stage, whose seed is the owner's too."""
    return lambda channels, classes: build(recognizer, channels=channels, classes=classes, size=size)


def scored_splits(label: Label) -> tuple[Split, ...]:
    """Where an attack on a label is scored: the target labels of the training images were given away."""
    return ("owner_train", "owner_test") if label == "sensitive" else ("owner_test",)
