"""The contract of a source: labels first, then images, so that a subset is chosen before it is decoded."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from PIL import Image

from maskbench.data.paths import shown
from maskbench.errors import UsageError
from maskbench.worlds.world import World

MISSING = -1  # the code of a row without a label in a column

# The first of these that a source has is its native test split; every other split counts as training data.
_TEST_SPLITS = ("test", "validation")
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
}
_FILLERS = {"set", "data", "dataset", "split", "part", "images", "imgs", "pictures", "photos"}
_SPLIT = re.compile(f"({'|'.join(_SPLIT_WORDS)})({'|'.join(_FILLERS)})?")


@dataclass(frozen=True)
class LabelTable:
    """All label columns of a source, read without decoding an image.

    Attributes:
        labels: label column → int64 (N,), 0 to K-1 or ``MISSING``.
        classes: label column → its K class names.
        native_test: bool (N,), or None where the source has no test split of its own.
        rejected: column → why it is no label column.
        notes: what was left out.
        numbers: column of numbers → float64 (N,), NaN where one is missing: what classes can be made of.
        persons: int64 (N,), who is on each picture, where that is known: no party shares a person with another.
    """

    labels: dict[str, np.ndarray]
    classes: dict[str, list[str]]
    native_test: np.ndarray | None
    rejected: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    persons: np.ndarray | None = None


@dataclass(frozen=True)
class RawImages:
    """The stored images of a source, in the order of its `LabelTable`.

    Attributes:
        raw: row → the stored bytes, which order the rows independently of names and places.
        open: row → the image as `maskbench.data.pixels.open_image` opens it, or one made from an array; raises
            UnreadableImage where there is none.
        where: row → words that let a person find the image.
        enlarge_to: side in pixels when the user names no size; None = the stored size.
    """

    raw: Callable[[int], bytes | memoryview]
    open: Callable[[int], Image.Image]
    where: Callable[[int], str]
    enlarge_to: int | None = None


class Source(ABC):
    """One place that images come from; found by lying in ``maskbench.data.sources``, or as other plug-ins are.

    Attributes:
        name: what it is called among the sources.
        description: one line for lists: what it is, or what a user writes to open it.
        by_name: whether a user opens it by its name alone.
        folder: the folder that the user named, where they lie in one: nothing is written into it.
        title: what these data are called in tables, such as the folder's name.
        canonical: what `DataOptions.source` becomes: the same text for the same place.
        flippable: whether a mirrored image keeps its labels.
        default_target: label column to learn; None = the first one.
        default_sensitive: label column to infer when `default_target` is learnt; None = none.
        drawn: whether every image is a draw of its own, so that two equal ones are no copies of each other.
        shows_persons: whether its `LabelTable` says who is on each picture, and persons have several.
        world: what the images are drawn from, where that is known; its labels are the two defaults, at the stored size.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    by_name: ClassVar[bool] = True

    folder: Path | None = None
    title: str
    canonical: str
    flippable: bool = True
    default_target: str | None = None
    default_sensitive: str | None = None
    drawn: bool = False
    shows_persons: bool = False
    world: World | None = None

    @classmethod
    @abstractmethod
    def opened(cls, text: str) -> Source | None:
        """Open what ``text`` names, or return None where this source does not serve it."""

    @abstractmethod
    def labels(self) -> LabelTable:
        """Read every label column; raise UsageError where the source holds no usable images."""

    def labelled_by(self, file: Path) -> Source:
        """The same pictures with the labels of a file.

        Raises:
            UsageError: they lie in no folder as files with names of their own.
        """
        raise UsageError(
            f"--labels {file}: {self.title} brings its own labels. A file of labels goes with a folder of image files."
        )

    def unlabelled(self) -> tuple[str, ...]:
        """The pictures that are there but have no row in the file of labels; they are left out."""
        return ()

    @abstractmethod
    def images(self) -> RawImages:
        """Give access to the stored images."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return the sha256 (hex) of the source's raw bytes, independent of its place and time."""


def unreadable(where: str, reason: str) -> UsageError:
    """The error for a file or image that cannot be read, for those who need every one."""
    return UsageError(f"Cannot read {where}: {reason}. Repair it or take it out of the data.")


def refuse_closed(root: Path, closed: Mapping[PurePosixPath, str]) -> None:
    """Raise the error for a folder that cannot be looked into: nobody could tell whether its content changed."""
    for path, why in closed.items():
        raise unreadable(f"the folder {shown(root / path)}", why)


def split_word(name: str) -> str | None:
    """Return train, test or validation for the name of a split (``train-00000-of-00002``), else None."""
    return _split_of(_words(name)[0])


def folder_split(name: str) -> str | None:
    """Return the same for a folder that may be a split (``training_set``, ``seg_train``), else None."""
    words = _words(name)
    return _split_of(words[0]) or _split_of(words[-1])


def is_split_name(name: str) -> bool:
    """Whether a folder is called as a split and as nothing else: ``Training set``, not ``train station``."""
    return all(_split_of(word) or word in _FILLERS or word.isdigit() for word in _words(name))


def _words(name: str) -> list[str]:
    return re.split("[-_. ]", name.lower())


def _split_of(word: str) -> str | None:
    found = _SPLIT.fullmatch(word)
    return _SPLIT_WORDS[found[1]] if found else None


def native_test_split(words: Iterable[str | None]) -> str | None:
    """Return which of the split words is the native test split; None where nothing else would be left."""
    present = set(words)
    return next((word for word in _TEST_SPLITS if word in present and len(present) > 1), None)
