"""The contract of a source: labels first, then images, so that a subset is chosen before it is decoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image

MISSING = -1  # the code of a row without a label in a column

# The first of these that a source has is its native test split; every other split counts as training data.
_TEST_SPLITS = ("test", "validation")
_SPLIT_WORDS = {
    "train": "train",
    "test": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}


@dataclass(frozen=True)
class LabelTable:
    """All label columns of a source, read without decoding an image.

    Attributes:
        labels: label column -> int64 N, 0..K-1 or `MISSING`.
        classes: label column -> its K class names.
        native_test: bool N, or None where the source has no test split of its own.
        rejected: column -> why it is no label column.
        notes: what was left out.
    """

    labels: dict[str, np.ndarray]
    classes: dict[str, list[str]]
    native_test: np.ndarray | None
    rejected: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RawImages:
    """The stored images of a source, in the order of its `LabelTable`.

    Attributes:
        raw: row -> the stored bytes, which order the rows independently of names and places.
        open: row -> the image as Pillow opens it (decoded lazily).
        where: row -> words that let a person find the image.
        enlarge_to: side in pixels when the user names no size; None = the stored size.
    """

    raw: Callable[[int], bytes | memoryview]
    open: Callable[[int], Image.Image]
    where: Callable[[int], str]
    enlarge_to: int | None = None


class Source(ABC):
    """One place that images come from.

    Attributes:
        name: short name for tables.
        canonical: what `DataOptions.source` becomes: the same text for the same place.
        flippable: whether a mirrored image keeps its labels.
        default_target: label column to learn; None = the first one.
        default_sensitive: label column to infer when `default_target` is learnt; None = none.
    """

    name: str
    canonical: str
    flippable: bool = True
    default_target: str | None = None
    default_sensitive: str | None = None

    @abstractmethod
    def labels(self) -> LabelTable:
        """Read every label column; raise UsageError where the source holds no usable images."""

    @abstractmethod
    def images(self) -> RawImages:
        """Give access to the stored images."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return the sha256 (hex) of the source's raw bytes, independent of its place and time."""


class SourceModule(Protocol):
    """What each module in `maskbench.data.sources` offers."""

    BUILT_IN: dict[str, str]  # built-in name -> one-line description
    __name__: str

    def open_source(self, text: str) -> Source | None:
        """Open what `text` names, or return None if this module does not serve it."""


def split_word(name: str) -> str | None:
    """Return train, test or validation for the name of a split (``train-00000-of-00002``), else None."""
    word = name.lower()
    for separator in ("-", "_", "."):
        word = word.partition(separator)[0]
    return _SPLIT_WORDS.get(word)


def native_test_split(words: Iterable[str]) -> str | None:
    """Return which of the split words is the native test split; None where nothing else would be left."""
    present = set(words)
    return next((word for word in _TEST_SPLITS if word in present and len(present) > 1), None)
