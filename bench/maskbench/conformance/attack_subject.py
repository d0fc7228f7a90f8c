"""An attack under examination."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from maskbench.conformance.check import NotChecked, provided
from maskbench.conformance.common import SEED, Subject
from maskbench.conformance.samples import CLASSES, CPU, STANDARD, Shape, batch, masks
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.models.recognizers import build
from maskbench.plugins.attack import InferenceAttack, RestorationAttack
from maskbench.plugins.knowledge import Aux, InferenceAux, Known
from maskbench.plugins.matching import MatchingAttack, MatchingAux
from maskbench.randomness import seeded
from maskbench.release import Release, as_bytes, as_floats, to_bytes
from maskbench.training.classifier import predict
from maskbench.training.settings import Training

AnyAttack = RestorationAttack | InferenceAttack | MatchingAttack

FEW = 4
FIRST = 100  # number of the first picture that is attacked: none that was learned from
TRAINED_ON, VALIDATED_ON = 16, 8
PEOPLE = 20
CANDIDATES = 7  # the pictures of FEW releases, and others

_TRAINING = Training(epochs=1, batch_size=8, learning_rate=1e-3, weight_decay=0.0)
_PICTURES_EACH = 2  # of one person
_BLOCK = 4  # side of the blocks that a release without masks is coarsened to
_RECOGNIZER = "small"


class AttackSubject(Subject):
    """An attack under examination: fitted on a little, and asked for answers that no judge has seen yet."""

    @property
    def classes(self) -> int:
        """Classes of the label to infer; enough to be people where the attack identifies."""
        return PEOPLE if isinstance(self.built, InferenceAttack) and self.built.identifies else CLASSES

    def fitted(
        self,
        shape: Shape = STANDARD,
        *,
        masked: bool = True,
        first: int = 0,
        raw: bool = True,
        attack: AnyAttack | None = None,
        device: torch.device = CPU,
    ) -> AnyAttack:
        """An attack (a fresh one by default), fitted on releases of pictures that its party has."""
        attack = attack or self.fresh()
        with seeded(SEED):
            aux = self.aux(shape, masked=masked, first=first, raw=raw, device=device)
            return attack.with_state(learned(attack, aux))

    def aux(
        self, shape: Shape, *, masked: bool = True, first: int = 0, raw: bool = True, device: torch.device = CPU
    ) -> Aux:
        """What the threat model gives an attacker; ``raw=False`` where the pictures are the owner's."""
        train = _known(TRAINED_ON, shape, first, masked, raw, self.classes)
        validation = _known(VALIDATED_ON, shape, first + TRAINED_ON, masked, raw, self.classes)
        if self.built.kind == "restoration":
            inverted = (lambda release: release.images) if self.built.needs_key else None
            return Aux(
                train=_unlabelled(train),
                validation=_unlabelled(validation),
                training=_TRAINING,
                mirror=True,
                seed=SEED,
                device=device,
                invert=inverted,
                release=_released,
            )

        if isinstance(self.built, MatchingAttack):
            return MatchingAux(
                train=_unlabelled(train),
                validation=_unlabelled(validation),
                training=_TRAINING,
                mirror=True,
                seed=SEED,
                device=device,
                question=self.built.questions[0],
                train_persons=torch.arange(len(train.release)) // _PICTURES_EACH,
                validation_persons=torch.arange(len(validation.release)) // _PICTURES_EACH,
                release=_released,
            )

        def new_classifier(channels: int, classes: int) -> Recognizer:
            return build(_RECOGNIZER, channels=channels, classes=classes, size=shape[1:])

        with seeded(SEED):
            raw_network = ImageOnly(new_classifier(shape[0], self.classes))
        return InferenceAux(
            train=train,
            validation=validation,
            training=_TRAINING,
            mirror=True,
            seed=SEED,
            device=device,
            classes=self.classes,
            new_classifier=new_classifier,
            raw_classifier=(lambda images: predict(raw_network, as_bytes(images), None, device=device))
            if self.built.needs_raw_classifier
            else None,
        )

    def propose(self, attack: AnyAttack, release: Release, device: torch.device = CPU) -> object:
        """What ``restore``, ``infer`` or ``match`` returns, whatever that is; it may write into the release."""
        if isinstance(attack, MatchingAttack):
            return self.scores(attack, release, torch.arange(CANDIDATES), device)
        with seeded(SEED):
            if isinstance(attack, RestorationAttack):
                return attack.restore(release, device)
            return attack.infer(release, device)

    def scores(self, attack: MatchingAttack, release: Release, order: Tensor, device: torch.device = CPU) -> object:
        """What ``match`` returns for candidates in an order, whatever that is."""
        with seeded(SEED):
            return attack.match(release, candidates_of(attack, release).select(order), device)

    def answer(self, attack: AnyAttack, release: Release) -> Tensor:
        """The same in a form that can be compared: levels of 0 to 255, logits, scores. Nothing else is judged here."""
        proposed = self.propose(attack, copied(release))
        if not isinstance(proposed, Tensor) or not len(proposed) == len(release):
            raise NotChecked("nothing to look at: mend 'answer' first")
        if isinstance(attack, RestorationAttack):
            return to_bytes(proposed.nan_to_num().clamp(0, 1)).float()
        return proposed.float().nan_to_num()

    def judged(self, attack: AnyAttack, release: Release, device: torch.device = CPU) -> Tensor:
        """The answer that the engine would get, judged."""
        with seeded(SEED):
            if isinstance(attack, RestorationAttack):
                return attack.restored(release, device)
            if isinstance(attack, MatchingAttack):
                return attack.matched(release, candidates_of(attack, release), device)
            return attack.inferred(release, self.classes, device)

    @cached_property
    def standard(self) -> tuple[AnyAttack, Release, Tensor]:
        """A fitted attack, a release and the answer; a check that compares with it needs it to be repeatable."""
        release = released(FEW)
        attack, other = (provided(self.fitted, "answer") for _ in range(2))
        first, again, elsewhere = (self.answer_of(it, release) for it in (attack, attack, other))
        if not torch.equal(first, again) or not torch.equal(first, elsewhere):
            raise NotChecked("its answer is not repeatable: mend 'determinism' first")
        return attack, release, first

    def answer_of(self, attack: AnyAttack, release: Release) -> Tensor:
        """An answer for a comparison; that there is none at all is the finding of 'answer'."""
        return provided(lambda: self.answer(attack, release), "answer")


def released(count: int, shape: Shape = STANDARD, first: int = FIRST, *, masked: bool = True) -> Release:
    """A release of synthetic pictures: pixels hidden at random, or blocks by their mean where it has no masks."""
    drawn = batch(count, shape, first=first)
    kept = masks(drawn.numbers, shape) if masked else None
    images = _coarse(drawn.images) if kept is None else drawn.images * kept
    images = (images * 255).round() / 255
    shown = Release(images, kept, {"blur": drawn.images.mean(dim=1, keepdim=True).expand_as(images), "release": images})
    return shown.with_soft_labels(drawn.images.mean((2, 3))[:, :1] * torch.tensor([1.0, -1.0]))


def _released(pictures: Tensor, draw: int) -> Release:
    """What the attacker gets who runs that method."""
    return Release(_coarse(as_floats(pictures)))


def _coarse(pictures: Tensor) -> Tensor:
    """What a method without masks makes of pictures: each block by its mean."""
    coarse = F.avg_pool2d(pictures, _BLOCK)
    return coarse.repeat_interleave(_BLOCK, dim=2).repeat_interleave(_BLOCK, dim=3)


def candidates_of(attack: MatchingAttack, release: Release) -> Release:
    """``CANDIDATES`` pictures of the shape of a release: raw ones, or other releases where those are asked for."""
    _, channels, height, width = release.images.shape
    drawn = batch(CANDIDATES, (channels, height, width), first=FIRST)
    if attack.questions[0] == "matching" or release.masks is None:
        return Release(drawn.images)
    kept = masks(drawn.numbers + CANDIDATES, (channels, height, width))
    return Release(drawn.images * kept, kept)


def copied(release: Release) -> Release:
    """The same, for someone who may write into it."""
    masks = None if release.masks is None else release.masks.clone()
    copy = Release(release.images.clone(), masks, release.restorations).with_task_labels(release.task_labels)
    return copy.with_soft_labels(None if release.soft_labels is None else release.soft_labels.clone())


def learned(attack: AnyAttack, aux: Aux) -> Any:
    """What an attack learns of what it is given; first of raw pictures alone, where it does."""
    if isinstance(attack, RestorationAttack):
        return attack.fit(attack.with_raw(aux))
    if isinstance(attack, MatchingAttack):
        assert isinstance(aux, MatchingAux), "made for attacks of its kind"
        return attack.fit(aux)
    assert isinstance(aux, InferenceAux), "made for attacks of its kind"
    return attack.fit(aux)


def _known(count: int, shape: Shape, first: int, masked: bool, raw: bool, classes: int) -> Known:
    drawn = batch(count, shape, first=first)
    shown = released(count, shape, first, masked=masked)
    return Known(drawn.images if raw else None, shown, drawn.numbers % classes)


def _unlabelled(known: Known) -> Known:
    return Known(known.raw, known.release)
