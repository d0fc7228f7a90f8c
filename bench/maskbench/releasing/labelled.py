"""The labels of the images that a method learns from: chosen by the user, found by the data sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskbench.data.source import MISSING, LabelTable
from maskbench.errors import UsageError, unknown
from maskbench.plugins.given import Owner


@dataclass(frozen=True)
class Labels:
    """The chosen label columns, one code an image.

    Attributes:
        table: all label columns; None where the source has no labels.
        reason: why it has none.
        chosen: target, sensitive → the column; what is not there has none.
        images: how many images there are, with labels or without.
        flippable: whether a mirrored image keeps its labels.
    """

    table: LabelTable | None
    reason: str
    chosen: dict[str, str]
    images: int
    flippable: bool = True

    def has(self, label: str) -> bool:
        """Whether there is a target or a sensitive label."""
        return label in self.chosen

    def columns(self) -> dict[str, str]:
        """Target and sensitive label → their columns, for messages and the manifest."""
        return dict(self.chosen)

    def count(self, label: str) -> int:
        """Number of classes; 1 where there is no such label."""
        return len(self._table().classes[self.chosen[label]]) if self.has(label) else 1

    def names(self, label: str) -> list[str]:
        """The names of the classes of a label that there is."""
        return list(self._table().classes[self.chosen[label]])

    def codes(self, label: str, rows: Tensor) -> Tensor:
        """Int64, one for each of the rows; zeros where there is no such label."""
        if not self.has(label):
            return torch.zeros(len(rows), dtype=torch.int64)
        return torch.from_numpy(self._table().labels[self.chosen[label]])[rows]

    def usable(self, place: int) -> bool:
        """Whether an image has every label that is chosen."""
        return all(self._table().labels[column][place] != MISSING for column in self.chosen.values())

    def require(self, wanted: Iterable[str], who: str) -> None:
        """Raise UsageError where a label that attributions need is not there."""
        for label in sorted(wanted):
            if not self.has(label):
                reason = f" ({self.reason})" if self.reason else ""
                raise UsageError(
                    f"Method '{who}' needs a teacher of the {label} label, and there is none to learn from{reason}: "
                    f"SRC must have a folder for each class, or a label column, named with --{label}."
                )

    def guarded(self, owner: Owner, who: str) -> Owner:
        """The owner; where there are no labels, one that says so when it is asked for them."""
        if self.has("target"):
            return owner
        return _Unlabelled(**{field.name: getattr(owner, field.name) for field in fields(Owner)}, who=who)

    def _table(self) -> LabelTable:
        if self.table is None:
            raise ValueError("the source has no labels")
        return self.table


@dataclass(frozen=True)
class _Unlabelled(Owner):
    """An owner without labels. Methods that learn from images alone do not notice."""

    who: str = ""

    def __getattribute__(self, name: str) -> Any:
        if name in ("labels", "classes"):
            raise UsageError(
                f"Method '{object.__getattribute__(self, 'who')}' learns from labels, and SRC has none: it must have "
                "a folder for each class, or a label column, named with --target."
            )
        return object.__getattribute__(self, name)


def choose(
    table: LabelTable | None, reason: str, target: str | None, sensitive: str | None, where: np.ndarray
) -> Labels:
    """Choose the columns: those that the user named, and the first one as the target where none is named.

    Args:
        where: the rows of the table that are used, in their order.

    Raises:
        UsageError: a named column is not there, or is no label column.
    """
    columns = {"target": target, "sensitive": sensitive}
    if table is None:
        for option, column in columns.items():
            if column is not None:
                raise UsageError(f"--{option} {column}: SRC has no labels ({reason}).")
        return Labels(None, reason, {}, len(where))
    for column in columns.values():
        if column is not None and column in table.rejected:
            raise UsageError(
                f"The column '{column}' is no label column: it {table.rejected[column]}. "
                f"Label columns: {', '.join(table.labels) or 'none'}."
            )
        if column is not None and column not in table.labels:
            raise unknown("label column", column, table.labels)
    if target is None:
        columns["target"] = next((column for column in table.labels if column != sensitive), None)
    rows = {column: codes[where] for column, codes in table.labels.items()}
    reasons = "; ".join(f"'{column}' {why}" for column, why in table.rejected.items())
    chosen = {option: column for option, column in columns.items() if column is not None}
    return Labels(LabelTable(rows, table.classes, None), reasons, chosen, len(where))
