"""What the threat model gives an attacker to learn from: pictures of its own, the method, and the whole release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from maskbench.errors import Unavailable
from maskbench.models.recognizer import Recognizer
from maskbench.release import Release, as_bytes, as_floats
from maskbench.training.settings import Training

Classify = Callable[[Tensor], Tensor]
"""Images (N, C, H, W), float32 in [0, 1] or uint8 → logits."""

Releasing = Callable[[Tensor, int], Release]
"""Pictures (N, C, H, W), float32 in [0, 1] or uint8, and the number of a draw → their release."""


class Known:
    """Pictures that the attacker knows both raw and released, because the attacker ran the method on them.

    Attributes:
        release: the method, re-fitted by the attacker, applied to ``raw``.
        labels: int64 (N,), the label to infer; None for restoration attacks.
        copies: how many releases of the same pictures there are, one after the other, as many pictures each.

    Args:
        raw: (M, C, H, W), float32 in [0, 1] or uint8; None where the pictures are the owner's, which nobody else has
            raw.
        copies: how many releases of the same M pictures ``release`` holds, one after the other: N = M · copies.
    """

    def __init__(self, raw: Tensor | None, release: Release, labels: Tensor | None = None, copies: int = 1) -> None:
        self.release, self.labels = release, labels
        self.copies = copies
        self._raw = raw

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
        return pictures if self.copies == 1 else pictures.repeat(self.copies, 1, 1, 1)

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
