"""How names and numbers stand in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

_MOST = 3  # names that are said


def listed(names: Sequence[str], total: int | None = None) -> str:
    """``a``, ``a and b``, ``a, b and c``, or, of more than three, ``a, b, c and 4 more``."""
    total = len(names) if total is None else total
    shown = list(names[:_MOST])
    if total > len(shown):
        return f"{', '.join(shown)} and {total - len(shown)} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def share(value: float) -> str:
    """``83.5 %``."""
    return f"{100 * value:.1f} %"


def count(number: int, what: str) -> str:
    """``1 seed``, ``2 seeds``, ``1,000 images``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """``4.2 s``, ``50 min 17 s`` or ``3 h 12 min``."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
