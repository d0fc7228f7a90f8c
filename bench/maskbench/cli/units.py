"""How sizes and times are written."""

from __future__ import annotations

BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def shown_bytes(size: int) -> str:
    """``1.5 GB``."""
    unit = next((name for name in ("TB", "GB", "MB", "KB") if size >= BYTES[name]), "B")
    return f"{size / BYTES[unit]:.{0 if unit == 'B' else 1}f} {unit}"


def shown_seconds(seconds: float) -> str:
    """``42 s``, ``7 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
