"""How an architecture wants to be trained, where that differs from what the suite says of every recognizer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class NesterovSgd:
    """Nesterov's accelerated gradient, in numbers that can be chosen one by one.

    The step, the momentum and the decay are decoupled: another momentum, batch size or rate leaves the others' effect
    as it is (Page 2018, "How to train your ResNet 5: hyperparameters"; Jordan 2024, arXiv 2404.00498).

    Attributes:
        learning_rate: at the peak, for each 1,024 images.
        momentum: in [0, 1).
        weight_decay: share of a weight that each 1,024 images take off at the peak, before the same scaling.
        offsets: the rate of the offsets of batch normalisations is higher by this factor.
        first, last: rate at the beginning and at the end, as shares of the peak; linear between.
        peak: share of the training at which the rate is highest.
        label_smoothing: in [0, 1); the suite's where it is more.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    offsets: float = 1.0
    first: float = 0.0
    last: float = 0.0
    peak: float = 0.3
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Lookahead:
    """Steps go out from a slow average of the weights, and come back to it (Zhang et al. 2019, arXiv 1907.08610).

    Attributes:
        start: share of the training after which the average begins.
        every: steps from one return to the next.
        decay: of the average, for a step; it is raised to ``every``, and grows with the share that is done, to the
            power ``power``: fast at first, averaging much at the end.
        power: see ``decay``.
    """

    start: float = 0.3
    every: int = 5
    decay: float = 0.95
    power: float = 3.0


@dataclass(frozen=True)
class Recipe:
    """What an architecture says of its training. How long, how far images are shifted, and whether they may be
    mirrored, is the suite's to say: a shift hides what a release says by position.

    Attributes:
        optimizer: None: AdamW, as the suite says. Another brings its own rate, schedule and decay, and a suite that
            sets them is refused.
        lookahead: None: no averaging.
        alternating_flip: where images may be mirrored, mirror each in every other epoch instead of at random.
        batch_size: None: the suite's.
        frozen: name of a parameter, below the recognizer → the share of the training after which it stays as it is.
    """

    optimizer: NesterovSgd | None = None
    lookahead: Lookahead | None = None
    alternating_flip: bool = False
    batch_size: int | None = None
    frozen: dict[str, float] = field(default_factory=dict)
