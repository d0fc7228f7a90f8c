"""The inference stage: an attack that learns a label from what it knows, and infers it from the owner's release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Label, Party, Split
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.models.recognizers import build, identity, source_module
from maskbench.plugins.attack import InferenceAttack, RestorationAttack
from maskbench.plugins.knowledge import Classify, InferenceAux, Known, Releasing
from maskbench.randomness import derive, seeded
from maskbench.release import Release, as_bytes
from maskbench.stages.answers import StoredAnswers, scored_splits
from maskbench.stages.averaged import mean_evidence, other_inputs, other_releases
from maskbench.stages.closest_restoration import ClosestRestoration, StoredClosest
from maskbench.stages.data import Dataset
from maskbench.stages.found_masks import as_seen, seen_inputs
from maskbench.stages.inferred_labels import InferredLabels
from maskbench.stages.party_release import PartyRelease, StoredRelease, release_input
from maskbench.stages.released_again import releasing
from maskbench.stages.restoration import Restoration, StoredRestoration
from maskbench.stages.soft_labels import StoredSoftLabels
from maskbench.stages.stage import Context, Stage, code_of, share_title
from maskbench.stages.teacher import StoredTeacher
from maskbench.stages.trial import Trial
from maskbench.training.classifier import predict
from maskbench.training.losses import late_fall, losses_seen

# Of the owner's released training images, this share tells the probe of the target label how well it does.
_PROBE_VALIDATION = 0.15
_TEACHER, _CLOSEST = "teacher", "closest"
_PARTIES: tuple[Party, ...] = ("owner", "attacker")


@dataclass(frozen=True)
class Inference(Stage):
    """Logits of a label on the scored part of each split.

    For the sensitive label the attack learns on the attacker's own pictures. For the target label it learns on the
    owner's released training images, whose task labels were handed out with them, and is scored on owner-test alone.
    Attacks that work on restored images or look people up learn on the attacker's own pictures for it too.

    Attributes:
        restorations: what the attack is shown of restored images; of the same trial.
        closest: the attacker's training pictures, restored, where the attack learns on them; of the same trial.
        aux_share: of its training pictures the attacker uses this share.
        permuted: the sensitive labels of the attacker's pictures are shuffled among those of one task label, so there
            is nothing to learn but what the task label tells.
        averaged: of the sensitive label: what the attack says of each of so many releases of a picture is averaged. The
            trial is ``of_one``.
    """

    kind: ClassVar[str] = "inference"
    timed: ClassVar[bool] = True

    trial: Trial
    attack: InferenceAttack
    label: Label
    restorations: tuple[Restoration, ...] = ()
    aux_share: float = 1.0
    closest: ClosestRestoration | None = None
    permuted: bool = False
    averaged: int = 1

    @property
    def time_limit(self) -> float:
        """The attack's own."""
        return self.attack.time_limit

    @property
    def cpu_only(self) -> bool:
        """The attack's own."""
        return self.attack.cpu_only

    def inputs(self) -> Mapping[str, Stage]:
        own = (self.trial.seen("attacker"),) if self._learns_from_own() else ()
        releases = (self.trial.seen("owner"), *own, *self._more_draws())
        inputs: dict[str, Stage] = {
            "data": self.trial.data,
            **seen_inputs(releases, self.trial.found_masks(self.aux_share)),
            **{_restoration_input(restoration.attack): restoration for restoration in self.restorations},
        }
        inputs |= other_inputs(self.trial, self.averaged)
        if self.closest is not None:
            inputs[_CLOSEST] = self.closest
        if self.attack.needs_raw_classifier:
            inputs[_TEACHER] = self.trial.teacher(self.label, party="attacker")
        if self.attack.needs_soft_labels:
            inputs |= {_soft_labels_input(party): self.trial.soft_labels(party) for party in _PARTIES}
        return inputs

    def _learns_from_own(self) -> bool:
        """Whether the attack learns from the attacker's own pictures, not from the owner's released ones."""
        return self.label == "sensitive" or self.attack.needs_restorations or self.attack.identifies

    def _more_draws(self) -> tuple[PartyRelease, ...]:
        """For attacks that learn from releases or masks of the attacker's: one draw of masks is learned by heart."""
        learns = self._learns_from_own() and self.attack.learns_from in ("releases", "masks")
        return self.trial.more_draws() if learns and not self.attack.identifies else ()

    def parameters(self) -> Mapping[str, Any]:
        settings = self.trial.settings
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "label": self.label,
            "recognizer": identity(settings.recognizer),
            "training": settings.attack.model_dump(),
            "scored": settings.scored,
            "mirror": self.trial.method.mirror_symmetric,
            "seed": self.trial.seed,
            "aux_share": self.aux_share,
            **({"permuted": True} if self.permuted else {}),
            "averaged": self.averaged,
        }

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.attack), source_module(self.trial.settings.recognizer))

    def title(self) -> str:
        method = self.trial.method.label(leave_out=("adjust",))
        share = share_title(self.aux_share)
        of = f"shuffled {self.label}" if self.permuted else self.label
        of += f" averaged over {self.averaged} releases" if self.averaged > 1 else ""
        return f"inference {self.attack.label()} of {of} from {method}{share} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        classes = self._labels(dataset).classes
        logits: dict[Split, Tensor] = {}
        with seeded(self._attack_seed()):
            aux = self._aux(dataset, inputs, context)
            with losses_seen() as losses:
                attack = self.attack.with_state(self.attack.fit(aux))
            for split in scored_splits(self.label):
                shown = [self._scored(dataset, inputs, split), *self._again(dataset, inputs, split)]
                logits[split] = mean_evidence([attack.inferred(each, classes, context.device) for each in shown])
            release, split, positions = self._validation(dataset, inputs, aux)
            shown = [release, *self._again(dataset, inputs, split)]
            validation = {
                scored: mean_evidence(
                    [attack.inferred(self._as_told(each, scored), classes, context.device) for each in shown]
                )
                for scored in self._compared_apart()
            }
        return StoredAnswers.pack(
            logits,
            validation=validation,
            validation_labels=self._labels(dataset).known(split)[positions],
            validation_numbers=dataset.index(split)[positions],
            late_fall=late_fall(losses),
        )

    def _labels(self, dataset: Dataset) -> InferredLabels:
        return InferredLabels(dataset, self.label, self.attack.with_task, self.permuted, self.trial.seed)

    def _attack_seed(self) -> int:
        return derive(self.trial.seed, "inference", self.attack.name, self.label)

    def _scored(self, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split) -> Release:
        """The scored part of a split, with its restorations."""
        positions = dataset.scored(split, self.trial.settings.scored)
        release = as_seen(inputs, split, positions)
        restored = Release.of_bytes(release.image_bytes, release.mask_bytes, self._restored(inputs, split))
        labels = dataset.labels(split, "target")[positions] if self._is_told(split) else None
        soft = self._soft_labels(inputs, split)
        return restored.with_task_labels(labels).with_soft_labels(None if soft is None else soft[positions])

    def _again(self, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split) -> list[Release]:
        """The scored part of a split in the other releases that are looked at, told as much of as in the first one."""
        positions = dataset.scored(split, self.trial.settings.scored)
        labels = dataset.labels(split, "target")[positions] if self._is_told(split) else None
        others = other_releases(inputs, split, positions, self.averaged)
        return [release.with_task_labels(labels) for release in others]

    def _is_told(self, split: Split) -> bool:
        """Whether the attack is given the task labels of what it infers from."""
        return self.attack.needs_task_labels and self._of_training(split)

    def _of_training(self, split: Split) -> bool:
        """Whether what is inferred from is handed out with more than pictures and masks."""
        return self.label == "sensitive" and split != "owner_test"

    def _soft_labels(self, inputs: Mapping[str, Artifact], split: Split) -> Tensor | None:
        """Soft labels of a split, where the attack reads them and the method hands them out."""
        if not (self.attack.needs_soft_labels and self._of_training(split)):
            return None
        party = next(party for party in _PARTIES if split in SPLITS_OF[party])
        return StoredSoftLabels(inputs[_soft_labels_input(party)]).of(split)

    def _compared_apart(self) -> tuple[Split, ...]:
        """The scored splits for which attacks are compared by other answers: with what they are told, and without."""
        splits = scored_splits(self.label)
        told = self.attack.needs_task_labels or self.attack.needs_soft_labels
        return splits if told and self._of_training(splits[0]) else splits[:1]

    def _as_told(self, release: Release, split: Split) -> Release:
        """What attacks are compared on, as much told of it as of a scored split."""
        told = release.with_task_labels(release.task_labels if self._is_told(split) else None)
        return told if self._of_training(split) else told.with_soft_labels(None)

    def _validation(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], aux: InferenceAux
    ) -> tuple[Release, Split, Tensor]:
        """What attacks are compared on, with its split and positions: the same pictures for all that infer a label.

        For the target label those are released training images of the owner's, whose labels are known and which no
        attack learned from, on whosever pictures it learned.
        """
        if self.label == "sensitive":
            positions = dataset.scored("attacker_validation", self.trial.settings.scored)
            return aux.validation.release, "attacker_validation", positions
        scored = dataset.scored("owner_train", self.trial.settings.scored)
        held_out = _held_out(dataset)
        held_out = held_out[torch.isin(held_out, scored)]
        release = self._scored(dataset, inputs, "owner_train").select(torch.searchsorted(scored, held_out))
        return release, "owner_train", held_out

    def _aux(self, dataset: Dataset, inputs: Mapping[str, Artifact], context: Context) -> InferenceAux:
        settings = self.trial.settings
        draws = 1 + len(self._more_draws())
        train, validation = self._known(dataset, inputs)
        return InferenceAux(
            train=train,
            validation=validation,
            classes=self._labels(dataset).classes,
            training=settings.attack.over(draws * self.aux_share),
            new_classifier=_classifiers(settings.recognizer, dataset.shape[1:]),
            mirror=dataset.mirror and self.trial.method.mirror_symmetric,
            seed=self._attack_seed(),
            device=context.device,
            raw_classifier=self._raw_classifier(dataset, inputs, context.device),
            progress=context.progress,
            owner_release=self._outsourced(dataset, inputs),
            release=self._releasing(inputs, context.device),
        )

    def _outsourced(self, dataset: Dataset, inputs: Mapping[str, Artifact]) -> Release:
        """All of the owner's training images, as released; their task labels are not for who infers just these."""
        labels = dataset.labels("owner_train", "target") if self.label == "sensitive" else None
        soft = self._soft_labels(inputs, "owner_train")
        return as_seen(inputs, "owner_train").with_task_labels(labels).with_soft_labels(soft)

    def _releasing(self, inputs: Mapping[str, Artifact], device: torch.device) -> Releasing | None:
        if release_input("attacker") not in inputs:
            return None
        method = StoredRelease(inputs[release_input("attacker")]).fitted(self.trial.method, device)
        return releasing(method, self._attack_seed(), device, self.trial.releases)

    def _known(self, dataset: Dataset, inputs: Mapping[str, Artifact]) -> tuple[Known, Known]:
        """What the attack learns on, and how it tells how well: pictures of its own, or the owner's released ones."""
        if self._learns_from_own():
            return self._own(dataset, inputs)
        held_out = _held_out(dataset)
        rest = torch.ones(dataset.size("owner_train"), dtype=torch.bool)
        rest[held_out] = False
        labels = dataset.labels("owner_train", self.label)
        learned, compared = (
            Known(None, as_seen(inputs, "owner_train", part), labels[part])
            for part in (rest.nonzero().flatten(), held_out)
        )
        return learned, compared

    def _own(self, dataset: Dataset, inputs: Mapping[str, Artifact]) -> tuple[Known, Known]:
        positions = dataset.scored("attacker_validation", self.trial.settings.scored)
        used = None if self.aux_share == 1 else dataset.share("attacker_train", self.aux_share)
        draws = [as_seen(inputs, "attacker_train", used)]
        draws += [as_seen(inputs, "attacker_train", used, draw=each.draw) for each in self._more_draws()]
        release = _joined(draws, self._restored_training(inputs))
        raw, labels = dataset.bytes("attacker_train"), self._labels(dataset).learned("attacker_train")
        tasks, soft = dataset.labels("attacker_train", "target"), self._soft_labels(inputs, "attacker_train")
        if used is not None:
            raw, labels, tasks = raw[used], labels[used], tasks[used]
            soft = None if soft is None else soft[used]
        release = release.with_soft_labels(None if soft is None else soft.repeat(len(draws), 1))
        own_tasks = dataset.labels("attacker_validation", "target")[positions]
        told = self.label == "sensitive"
        validation = self._scored(dataset, inputs, "attacker_validation")
        return (
            Known(
                raw,
                release.with_task_labels(tasks.repeat(len(draws)) if told else None),
                labels.repeat(len(draws)),
                copies=len(draws),
            ),
            Known(
                dataset.bytes("attacker_validation")[positions],
                validation.with_task_labels(own_tasks if told else None),
                self._labels(dataset).learned("attacker_validation")[positions],
            ),
        )

    def _restored(self, inputs: Mapping[str, Artifact], split: Split) -> dict[str, Tensor]:
        """Name of a restoration attack → its images of the scored part of a split, uint8."""
        attacks = [each.attack for each in self.restorations]
        return {each.label(): StoredRestoration(inputs[_restoration_input(each)]).images(split) for each in attacks}

    def _restored_training(self, inputs: Mapping[str, Artifact]) -> dict[str, Tensor]:
        """Name of the closest restoration attack → the attacker's training pictures by it, uint8; empty without."""
        if _CLOSEST not in inputs:
            return {}
        stored = StoredClosest(inputs[_CLOSEST])
        return {stored.attack: stored.images}

    def _raw_classifier(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], device: torch.device
    ) -> Classify | None:
        if _TEACHER not in inputs:
            return None
        teacher = self.trial.teacher(self.label, party="attacker")
        network = ImageOnly(StoredTeacher(inputs[_TEACHER]).network(teacher, dataset, device))
        return lambda images: predict(network, as_bytes(images), None, device=device)


def _soft_labels_input(party: Party) -> str:
    return f"soft-labels/{party}"


def _restoration_input(attack: RestorationAttack) -> str:
    return f"restoration/{attack.label()}"


def _held_out(dataset: Dataset) -> Tensor:
    """Int64, sorted: positions of the owner's training images that no probe of the target label learns from."""
    return dataset.scored("owner_train", max(1, round(_PROBE_VALIDATION * dataset.size("owner_train"))))


def _joined(draws: list[Release], restorations: Mapping[str, Tensor]) -> Release:
    """Several releases of the same pictures, one after the other; restorations come with a single one alone."""
    if len(draws) == 1:
        return Release.of_bytes(draws[0].image_bytes, draws[0].mask_bytes, restorations)
    masks = [draw.mask_bytes for draw in draws if draw.mask_bytes is not None]
    return Release.of_bytes(torch.cat([draw.image_bytes for draw in draws]), torch.cat(masks) if masks else None)


def _classifiers(recognizer: str, size: tuple[int, int]) -> Callable[[int, int], Recognizer]:
    """What makes untrained classifiers; it knows nothing of the stage, whose seed is the owner's too."""
    return lambda channels, classes: build(recognizer, channels=channels, classes=classes, size=size)
