"""The decoded images of one source, with their labels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Images in memory, as stored: nothing is split, duplicates included.

    Attributes:
        name: short name for tables, such as ``digits`` or the folder's name.
        images: uint8, N C H W, contiguous; C is 1 if every image is greyscale, else 3.
        labels: label column -> int64 N, values 0..K-1.
        classes: label column -> its K class names.
        native_test: bool N, True where the source's own test split has the image; None without one.
        flippable: whether a mirrored image keeps its labels.
        target: label column that the recognizer learns.
        sensitive: label column that the attacker infers; None if there is none.
        notes: what was converted or dropped and by which rule, one sentence each.
        rows: int64 N, the place of each image in its source.
        drawn: every image is a draw of its own, so that two equal ones are no copies of each other.
        persons: int64 N, who is on each image; None where that is not known.
    """

    name: str
    images: Tensor
    labels: dict[str, Tensor]
    classes: dict[str, list[str]]
    native_test: Tensor | None
    flippable: bool
    target: str
    sensitive: str | None
    notes: list[str]
    rows: Tensor
    drawn: bool = False
    persons: Tensor | None = None
