"""Which folders of a folder are splits and which are classes; what is passed over is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from maskbench.data.paths import as_text, shown
from maskbench.data.source import folder_split, is_split_name
from maskbench.errors import UsageError


@dataclass(frozen=True)
class ClassImage:
    """An image in a folder of its class.

    Attributes:
        path: relative to the data folder.
        split: train, test or validation; None where there are no split folders.
    """

    path: PurePosixPath
    class_name: str
    split: str | None


@dataclass(frozen=True)
class Layout:
    """The images in class folders, sorted by split folder, class folder and path; and what is passed over."""

    images: list[ClassImage]
    notes: list[str]


def lay_out(paths: Sequence[PurePosixPath], where: str) -> Layout:
    """Find the classes, and the splits if there are any.

    The folders of a data folder are splits where folders of classes lie in them, and their names are those of at
    least two splits (``train`` and ``test``, ``Training`` and ``Testing``, ``training_set`` and ``test_set``), or of
    one and there is no other folder: a class may be called "train" too.

    Args:
        paths: the images, relative to the data folder, sorted.
        where: the data folder, for messages.

    Raises:
        UsageError: one folder is a split by its name and content, and others beside it are none.
    """
    tops = _by_folder(paths)
    words = {top: folder_split(top) for top, below in tops.items() if any(len(path.parts) > 2 for path in below)}
    splits = {top: word for top, word in words.items() if word is not None}
    if len(set(splits.values())) < 2 and len(splits) < len(tops):
        strict = next((top for top in splits if is_split_name(top)), None)
        if strict is not None:
            other = next(top for top in tops if top not in splits)
            raise UsageError(
                f"{where} has the folder '{shown(strict)}', which looks like a split with folders of classes, beside "
                f"'{shown(other)}', which does not: take one of them out, or rename '{shown(strict)}' if it is a class."
            )
        splits = {}
    images = _in_splits(tops, splits) if splits else _in_classes(tops, 0, None)
    no_splits = {top: below for top, below in tops.items() if splits and top not in splits}
    return Layout(images, _notes(paths, images, no_splits))


def _by_folder(paths: Iterable[PurePosixPath], depth: int = 0) -> dict[str, list[PurePosixPath]]:
    """The images below each folder of one depth; those that lie beside these folders are in none."""
    found: dict[str, list[PurePosixPath]] = defaultdict(list)
    for path in paths:
        if len(path.parts) > depth + 1:
            found[path.parts[depth]].append(path)
    return dict(found)


def _in_splits(tops: Mapping[str, list[PurePosixPath]], splits: Mapping[str, str]) -> list[ClassImage]:
    images = []
    for top, word in splits.items():
        depth, classes = 1, _by_folder(tops[top], 1)
        while len(classes) == 1 and folder_split(next(iter(classes))) == word:  # ``seg_train/seg_train/CLASS``
            depth, classes = depth + 1, _by_folder(tops[top], depth + 1)
        images += _in_classes(classes, depth, word)
    return images


def _in_classes(classes: Mapping[str, list[PurePosixPath]], depth: int, split: str | None) -> list[ClassImage]:
    return [ClassImage(path, as_text(path.parts[depth]), split) for below in classes.values() for path in below]


def _notes(
    paths: Sequence[PurePosixPath], images: Sequence[ClassImage], no_splits: Mapping[str, list[PurePosixPath]]
) -> list[str]:
    notes = [
        f"The folder '{shown(top)}' was passed over: it is no split ({len(below)} images)."
        for top, below in no_splits.items()
    ]
    outside = len(paths) - len(images) - sum(len(below) for below in no_splits.values())
    if outside:
        notes.append(f"{outside} images were passed over: they lie in no class folder.")
    return notes
