"""How the columns of a split lie in a scoring artifact."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def named(split: str, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Column → one value an image, under ``split/column``."""
    # A column may stand for two names (the hole is the whole); in a file each needs memory of its own.
    return {f"{split}/{name}": column.cpu().clone() for name, column in columns.items()}
