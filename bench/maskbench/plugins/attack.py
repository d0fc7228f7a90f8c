"""The contract of an attack, and of two of its kinds: what is restored, and what is inferred."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor

from maskbench.errors import Unavailable
from maskbench.models.recognizer import Recognizer
from maskbench.plugins import judging
from maskbench.plugins.base import Plugin
from maskbench.release import Release, as_bytes, as_floats, to_bytes, to_float
from maskbench.training.settings import Training

Classify = Callable[[Tensor], Tensor]
"""Images (N, C, H, W), float32 in [0, 1] or uint8 → logits."""

Releasing = Callable[[Tensor, int], Release]
"""Pictures (N, C, H, W), float32 in [0, 1] or uint8, and the number of a draw → their release."""

AttackKind = Literal["restoration", "inference", "matching"]
"""What an attack gives back: images, a label, or how like each candidate a release is."""

LearnsFrom = Literal["", "raw", "pairs", "releases", "restorations", "masks"]
"""What an attack learns from: nothing, raw pictures alone (then it does not adapt to the method), pairs of raw and
released ones, releases, what restoration attacks made of releases, or the masks of releases alone."""


class Known:
    """Pictures that the attacker knows both raw and released, because the attacker ran the method on them.

    Attributes:
        release: the method, re-fitted by the attacker, applied to ``raw``.
        labels: int64 (N,), the label to infer; None for restoration attacks.

    Args:
        raw: (M, C, H, W), float32 in [0, 1] or uint8; None where the pictures are the owner's, which nobody else has
            raw.
        copies: how many releases of the same M pictures ``release`` holds, one after the other: N = M · copies.
    """

    def __init__(self, raw: Tensor | None, release: Release, labels: Tensor | None = None, copies: int = 1) -> None:
        self.release, self.labels = release, labels
        self._raw, self._copies = raw, copies

    @cached_property
    def raw(self) -> Tensor | None:
        """Float32 (N, C, H, W) in [0, 1]; None where the pictures are the owner's, which nobody else has raw."""
        return None if self._raw is None else self._repeated(as_floats(self._raw))

    @cached_property
    def raw_bytes(self) -> Tensor:
        """The raw pictures in eight bits: uint8 (N, C, H, W).

        Raises:
            ValueError: the pictures are the owner's.
        """
        return self._repeated(as_bytes(self._known_raw))

    @property
    def raw_images(self) -> Tensor:
        """``raw``, for an attack that cannot do without: float32 (N, C, H, W) in [0, 1].

        Raises:
            ValueError: the pictures are the owner's.
        """
        return self._known_raw if self.raw is None else self.raw

    @property
    def _known_raw(self) -> Tensor:
        if self._raw is None:
            raise ValueError("These pictures are the owner's: nobody else has them raw.")
        return self._raw

    def _repeated(self, pictures: Tensor) -> Tensor:
        return pictures if self._copies == 1 else pictures.repeat(self._copies, 1, 1, 1)

    @property
    def known_labels(self) -> Tensor:
        """``labels``, for an attack that cannot do without: int64 (N,).

        Raises:
            ValueError: there are none; restoration attacks get none.
        """
        if self.labels is None:
            raise ValueError("These pictures come without labels: they are given to inference attacks alone.")
        return self.labels


@dataclass(frozen=True, kw_only=True)
class RawAux:
    """What an attack is given that learns from raw pictures before it knows the method.

    Attributes:
        raw: uint8 (N, C, H, W), pictures of the attacker's own.
        training: settings for the network that it trains.
        mirror: whether the data allow mirroring.
        seed, device, progress: as in ``Aux``.
    """

    raw: Tensor
    training: Training
    mirror: bool
    seed: int
    device: torch.device
    progress: Callable[[float], None] = field(default=lambda share: None)


@dataclass(frozen=True, kw_only=True)
class Aux:
    """What the threat model gives an attacker to learn from: never anything raw of the owner's.

    Attributes:
        train, validation: two disjoint parts of what the attacker knows.
        training: settings for the network that an attack trains.
        mirror: whether a mirrored picture, and its release, are still what they were: neither the data nor the method
            tell left from right.
        seed, device, progress: as in training; ``progress`` takes the finished share.
        invert: a release → the images it was made of, float32; what someone who has the owner's key does. None
            unless the method has a key and says that the attacker knows it.
        from_raw: what the attack's ``fit_raw`` returned.
        again: number of an epoch, from 1 → the training part, released again. The attacker can run the method as often
            as it likes, and what is seen with one mask alone is learned by heart. Given to restoration attacks; a
            method that follows attributions has as many releases as the settings say, which are gone through in turn.
        release: (pictures, draw) → what the method, as the attacker fitted it, makes of any pictures: float32 in [0, 1]
            or uint8 (N, C, H, W). Draws differ in their random numbers; of a method without any, all are equal.
            None against methods that follow attributions, and for attacks that know the owner's release alone.
    """

    train: Known
    validation: Known
    training: Training
    mirror: bool
    seed: int
    device: torch.device
    progress: Callable[[float], None] = field(default=lambda share: None)
    invert: Callable[[Release], Tensor] | None = None
    from_raw: Mapping[str, Tensor] = field(default_factory=dict)
    again: Callable[[int], Release] | None = None
    release: Releasing | None = None


@dataclass(frozen=True, kw_only=True)
class InferenceAux(Aux):
    """What an inference attack gets in addition.

    Attributes:
        classes: number of classes of the label to infer.
        new_classifier: (channels, classes) → an untrained recognizer of the suite's kind.
        raw_classifier: a classifier of the label, trained on raw pictures of the attacker's: images → logits.
            Given to attacks that set ``needs_raw_classifier``.
        owner_release: all that was outsourced: the released training images of the owner's, with their task labels
            where these are not what is inferred. None for an attack that is handed none, as in a test of its own.
    """

    classes: int
    new_classifier: Callable[[int, int], Recognizer]
    raw_classifier: Classify | None = None
    owner_release: Release | None = None

    def closest_restoration(self, of: Known | None = None) -> str:
        """The restoration that comes closest to the raw pictures of the validation part, by mean squared error.

        Among those that the training part (or another one, ``of``) comes with. Chosen without labels: attacks are
        compared on those of the validation part. Raises Unavailable where the part comes with none.
        """
        candidates = (of or self.train).release.restorations
        if not candidates:
            raise Unavailable("it learns on restored pictures, and no restoration attack of the suite can do so many")
        restored = self.validation.release.restorations
        return closest({name: restored[name] for name in candidates}, self.validation.raw_images)


def closest(restored: Mapping[str, Tensor], raw: Tensor) -> str:
    """The name of the restoration with the least mean squared error; of equals the first by name.

    Args:
        restored: name → float32 (N, C, H, W).
        raw: float32 (N, C, H, W).
    """
    return min(sorted(restored), key=lambda name: float((restored[name] - raw).square().mean()))


class Attack(Plugin):
    """What all attacks have in common. Extend ``RestorationAttack``, ``InferenceAttack`` or ``MatchingAttack``.

    Attributes:
        kind: what the attack gives back.
        learns_from: see ``LearnsFrom``. Results are compared by it: attacks that learn should not stay below others,
            and what is read from masks alone is what their shape gives away. Attacks that learn from pictures of the
            attacker's own get curves over how many it has.
        needs_masks: runs only against methods that release masks.
        needs_key: runs only where the attacker knows the owner's key; ``aux.invert`` is then given.
        needs_restorations: ``release.restorations`` holds the result of every restoration attack of the suite. Of the
            attacker's training pictures, attacks that learn from restorations get the one that comes closest to the
            raw pictures on the validation part.
        needs_raw_classifier: ``aux.raw_classifier`` is given.
        cpu_only: it computes on the CPU, whatever device the run is on, and is handed the CPU. What it makes of a
            release then serves runs on any device.
        pretrained: it brings weights that were learned elsewhere, whatever its parameters are.
        time_limit: seconds, after which the attack is stopped and its cells say so; fitting included.
    """

    kind: ClassVar[AttackKind]
    learns_from: ClassVar[LearnsFrom] = ""
    needs_masks: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
    needs_restorations: ClassVar[bool] = False
    needs_raw_classifier: ClassVar[bool] = False
    cpu_only: ClassVar[bool] = False
    pretrained: ClassVar[bool] = False
    time_limit: ClassVar[float] = 3600.0


class RestorationAttack(Attack):
    """An attack that tries to restore what was hidden. Implement ``restore``; ``fit`` and ``fit_raw`` are optional.

    Attributes:
        restores_training: fast enough to be applied to all of the attacker's training pictures as well, for the
            inference attacks that learn from restorations.
    """

    kind: ClassVar[AttackKind] = "restoration"
    restores_training: ClassVar[bool] = True

    def fit_raw(self, aux: RawAux) -> dict[str, Tensor]:
        """Learn from raw pictures alone what serves against any method: once for all methods and seeds.

        What is returned comes back as ``aux.from_raw`` in ``fit``.
        """
        return {}

    def fit(self, aux: Aux) -> Any:
        """Learn to restore; whatever is returned comes back as ``self.state``.

        A state of tensors by name is stored, and not learned again where the attack is used again.
        """
        return None

    @final
    @classmethod
    def learns_from_raw(cls) -> bool:
        """Whether it learns anything before it knows the method."""
        return cls.fit_raw is not RestorationAttack.fit_raw

    @final
    def with_raw(self, aux: Aux) -> Aux:
        """The same with what the attack learns from its raw training pictures alone, for who has no stages."""
        about = RawAux(
            raw=aux.train.raw_bytes,
            training=aux.training,
            mirror=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
        )
        return replace(aux, from_raw=self.fit_raw(about)) if self.learns_from_raw() else aux

    @abstractmethod
    def restore(self, release: Release, device: torch.device) -> Tensor:
        """Restore a release: float32 (N, C, H, W) in [0, 1], on the CPU. Each image on its own."""

    @final
    def restored(self, release: Release, device: torch.device) -> Tensor:
        """Restore and judge: float32 (N, C, H, W) in [0, 1], on the grid of eight bits."""
        return to_float(self.restored_bytes(release, device))

    @final
    def restored_bytes(self, release: Release, device: torch.device) -> Tensor:
        """Restore and judge: uint8 (N, C, H, W).

        Kept pixels are known to every attacker, so they are set to what the release shows.
        """
        proposed = self.restore(release, device)
        judged = to_bytes(judging.images(proposed, release.image_bytes, f"attack '{self.name}'"))
        if release.mask_bytes is None:
            return judged
        return torch.where(release.mask_bytes == 1, release.image_bytes, judged)


class InferenceAttack(Attack):
    """An attack that infers a label from releases. Implement ``fit`` and ``infer``.

    Attributes:
        with_task: it learns the sensitive label together with the task label, which the attacker is told of every
            training image: labels are those of pairs, label · tasks + task, and ``classes`` counts the pairs.
        identifies: its logits are similarities to known pictures of each person: ranks and acceptances are reported.
        needs_task_labels: ``release.task_labels`` holds the task labels of what is to be inferred, where the attacker
            knows them (of the owner's test images nobody does), and its logits take them into account.
        trains_network: it trains a network, which may be trained too little: attacks that train none should not stay
            above it. An attack that trains none and learns from releases takes about a second, so it is also asked
            about labels that were shuffled.
    """

    kind: ClassVar[AttackKind] = "inference"
    learns_from: ClassVar[LearnsFrom] = "releases"
    with_task: ClassVar[bool] = False
    identifies: ClassVar[bool] = False
    needs_task_labels: ClassVar[bool] = False
    trains_network: ClassVar[bool] = True

    def cannot_infer(self, classes: int) -> str | None:
        """Say why the attack cannot infer a label of so many classes; None: it can."""
        return None

    @abstractmethod
    def fit(self, aux: InferenceAux) -> Any:
        """Learn to infer; whatever is returned comes back as ``self.state``."""

    @abstractmethod
    def infer(self, release: Release, device: torch.device) -> Tensor:
        """Logits for a release: float32 (N, classes), on the CPU."""

    @final
    def inferred(self, release: Release, classes: int, device: torch.device) -> Tensor:
        """Infer and judge."""
        proposed = self.infer(release, device)
        return judging.logits(proposed, len(release), classes, f"attack '{self.name}'")
