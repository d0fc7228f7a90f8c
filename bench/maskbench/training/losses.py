"""The losses of trainings, for who looks on: attacks train networks of their own, and return none of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_LATE = 0.25  # of the epochs
_LEAST = 0.05  # of the highest loss; where there is nothing to learn, no fall is more than chance
_seen: ContextVar[list[tuple[float, ...]] | None] = ContextVar("losses", default=None)


@contextmanager
def losses_seen() -> Iterator[list[tuple[float, ...]]]:
    """Yield a list to which every training of the block adds its mean loss of each epoch."""
    seen: list[tuple[float, ...]] = []
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


def show_losses(losses: Sequence[float]) -> None:
    """Say what a training came to: its mean loss of each epoch."""
    seen = _seen.get()
    if seen is not None:
        seen.append(tuple(losses))


def late_fall(losses: Sequence[Sequence[float]]) -> float | None:
    """Which share of the whole fall of the loss came in the last quarter of the epochs, of the longest training.

    A quarter or more says that training had not slowed down when it ended, though its learning rate had. Of a single
    epoch, all of the fall is late.

    Args:
        losses: of each training, the mean loss of each epoch; an attack may try several before it trains for long.

    Returns:
        The share; 0 where the loss rose in that quarter, or fell by next to nothing; None without any training.
    """
    if not losses:
        return None
    longest = max(reversed(losses), key=len)
    epochs = len(longest)
    if epochs == 1:
        return 1.0
    late = max(1, round(_LATE * epochs))
    fall = (longest[-1 - late] - longest[-1]) * _LATE * epochs / late
    top = max(longest)
    return fall / (top - longest[-1]) if fall > _LEAST * abs(top) else 0.0
