"""Small worlds whose leak is known, for attacks that infer: grey pictures of 16 px and four classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from maskbench import InferenceAttack, InferenceAux, Known, Release, Training, build_recognizer
from maskbench.randomness import seeded
from torch.nn import functional as F

SIDE, CLASSES = 16, 4
CPU = torch.device("cpu")
TRAINING = Training(epochs=10, learning_rate=5e-3, weight_decay=0.05)


@dataclass(frozen=True)
class World:
    """A kind of pictures: what of the label they show, and how.

    Attributes:
        leak: ``linear``, a pattern; ``sign``, a pattern or its negative; ``shift``, a small pattern at any place;
            ``texture``, stripes in a direction, with any phase; ``nothing``.
        strength: of the pattern.
        hidden: share of patches of 4 × 4 pixels that a release hides; 0 for a release without masks.
    """

    leak: str
    strength: float = 0.15
    hidden: float = 0.75

    def drawn(self, count: int, seed: int) -> Known:
        """Pictures, as an attacker knows its own."""
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, CLASSES, count)
        raw = 0.5 + 0.1 * _smooth(rng, count) + 0.05 * rng.standard_normal((count, SIDE, SIDE))
        raw = (np.clip(raw + self.strength * self._shown(rng, labels), 0, 1) * 255).round() / 255
        images = torch.from_numpy(raw).float()[:, None]
        if not self.hidden:
            return Known(images, Release(images), torch.from_numpy(labels))
        blocks = SIDE // 4
        order = rng.random((count, blocks * blocks)).argsort(1).argsort(1)
        kept = torch.from_numpy(order >= round(self.hidden * blocks * blocks)).float().view(-1, 1, blocks, blocks)
        masks = kept.repeat_interleave(4, 2).repeat_interleave(4, 3)
        return Known(images, Release(images * masks, masks), torch.from_numpy(labels))

    def _shown(self, rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
        fixed = np.random.default_rng(99)
        if self.leak == "nothing":
            return np.zeros((len(labels), SIDE, SIDE))
        if self.leak == "shift":
            small = np.sign(fixed.standard_normal((CLASSES, 4, 4)))
            whole = np.zeros((CLASSES, SIDE, SIDE))
            whole[:, :4, :4] = small
            moves = rng.integers(0, SIDE, (len(labels), 2))
            return np.stack([np.roll(whole[y], tuple(move), (0, 1)) for y, move in zip(labels, moves, strict=True)])
        if self.leak == "texture":
            angles = np.pi * labels / CLASSES
            rows, columns = np.indices((SIDE, SIDE))
            along = np.sin(angles)[:, None, None] * rows + np.cos(angles)[:, None, None] * columns
            return np.sin(2 * np.pi * (along / 6 + rng.random((len(labels), 1, 1))))
        shown = np.sign(fixed.standard_normal((CLASSES, SIDE, SIDE)))[labels]
        return shown * rng.choice([-1, 1], (len(labels), 1, 1)) if self.leak == "sign" else shown


def _smooth(rng: np.random.Generator, count: int) -> np.ndarray:
    coarse = torch.from_numpy(rng.standard_normal((count, 1, 4, 4)))
    return F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear")[:, 0].numpy()


def aux_of(world: World, count: int = 400, *, raw: bool = True, training: Training = TRAINING) -> InferenceAux:
    """What an attacker knows of a world; ``raw=False`` where the pictures are the owner's."""
    train, validation = world.drawn(count, 1), world.drawn(150, 2)
    if not raw:
        train, validation = (Known(None, known.release, known.labels) for known in (train, validation))
    return InferenceAux(
        train=train,
        validation=validation,
        training=training,
        mirror=False,
        seed=0,
        device=CPU,
        classes=CLASSES,
        new_classifier=lambda channels, classes: build_recognizer(
            "small", channels=channels, classes=classes, size=(SIDE, SIDE)
        ),
    )


def accuracy(attack: InferenceAttack, world: World, aux: InferenceAux | None = None) -> float:
    """The share of 400 further pictures whose label an attack tells; a quarter by chance."""
    with seeded(0):
        fitted = attack.with_state(attack.fit(aux or aux_of(world)))
        owner = world.drawn(400, 3)
        return float((fitted.inferred(owner.release, CLASSES, CPU).argmax(1) == owner.known_labels).float().mean())
