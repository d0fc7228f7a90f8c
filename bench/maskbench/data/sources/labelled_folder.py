"""A folder of images whose labels stand in a file: ``metadata.csv`` or ``.jsonl`` in it, or any CSV that is named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from maskbench.data.class_folders import lay_out
from maskbench.data.file_names import matched, some
from maskbench.data.hashing import hash_files
from maskbench.data.image_files import FoundFiles, find_files
from maskbench.data.images_in_folder import images_of
from maskbench.data.label_files import METADATA, LabelFile, names_pictures, read_labels
from maskbench.data.own_output import pictures_of, refuse_results_in
from maskbench.data.paths import existing_folder, parquet_files, shown
from maskbench.data.source import (
    LabelTable,
    RawImages,
    Source,
    folder_split,
    is_split_name,
    native_test_split,
    refuse_closed,
)
from maskbench.errors import UsageError

_FOLDERS = "label"
"""What the column is called that class folders give."""


class LabelledFolder(Source):
    """Images in a folder, at any depth, with a row each in a file of labels; those without a row are left out."""

    name = "labelled-folder"
    description = "FOLDER: images with labels in metadata.csv or metadata.jsonl (file_name, then any columns)"
    by_name = False

    @classmethod
    def opened(cls, text: str) -> LabelledFolder | None:
        """Open a folder that has such a file in it, or one in each of its split folders."""
        root = existing_folder(text)
        if root is None or parquet_files(root):
            return None
        files = metadata_files(root)
        return cls(root, files) if files else None

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        self.folder = root
        self.root = pictures_of(root)
        self.title = shown(root.name)
        self.canonical = str(root)
        self._files = tuple(files)

    def labelled_by(self, file: Path) -> LabelledFolder:
        """The labels of the file that was named, instead of those in the folder."""
        return LabelledFolder(self.folder or self.root, [file])

    @cached_property
    def _found(self) -> FoundFiles:
        return find_files(self.root)

    @cached_property
    def _rows(self) -> list[tuple[PurePosixPath, LabelFile, int]]:
        """Image, relative to the folder; the file that labels it; its row in there. Sorted by image."""
        refuse_results_in(self.root, self._found.others)
        rows = []
        for file in self._files:
            labels = read_labels(file)
            inside = file.resolve().is_relative_to(self.root.resolve()) and file.name in METADATA
            within = (
                PurePosixPath(file.resolve().parent.relative_to(self.root.resolve())) if inside else PurePosixPath()
            )
            names = [within / name for name in labels.names]
            found = matched(names, self._found.images)
            if not found:
                raise UsageError(
                    f"{labels.place} names no picture of {shown(self.root)}: it names {some(labels.names)}; the folder "
                    f"has {some(self._found.images) or 'no images'}. Write names as they are below the folder."
                )
            rows += [(self._found.images[place], labels, row) for row, place in found.items()]
        return sorted(rows, key=lambda row: row[0])

    @property
    def paths(self) -> list[PurePosixPath]:
        """The images, relative to the folder, in the order of the labels."""
        return [path for path, _, _ in self._rows]

    @property
    def all_paths(self) -> list[PurePosixPath]:
        """The same, and those without a row."""
        return self._found.images

    def unlabelled(self) -> tuple[str, ...]:
        """The images without a row."""
        labelled = set(self.paths)
        return tuple(shown(path) for path in self._found.images if path not in labelled)

    def labels(self) -> LabelTable:
        """Take the columns of the file, and the class folders where there are any and no column is called so."""
        files = {labels.place: labels for _, labels, _ in self._rows}
        if len(files) == 1:
            labels = next(iter(files.values()))
            table = labels.table([row for _, _, row in self._rows])
        else:
            table = _joined(list(files.values()), self._rows)
        splits, classes = _layout(self.paths, shown(self.root))
        test = native_test_split(word for word in splits if word is not None)
        notes = [*table.notes, "A mirrored image is taken to keep its labels."]
        if left_out := len(self.unlabelled()):
            notes.append(f"{left_out} images were left out: they have no row in {' or '.join(map(_name, files))}.")
        unused = sum(len(labels.names) for labels in files.values()) - len(self._rows)
        if unused:
            notes.append(f"{unused} rows of {' and '.join(map(_name, files))} name no image, and were left out.")
        columns, names = dict(table.labels), dict(table.classes)
        if classes is not None and _FOLDERS not in {*columns, *table.rejected}:
            names[_FOLDERS] = sorted(set(classes))
            columns[_FOLDERS] = np.array([names[_FOLDERS].index(name) for name in classes], dtype=np.int64)
        native_test = None if test is None else np.array([word == test for word in splits])
        return replace(table, labels=columns, classes=names, native_test=native_test, notes=notes)

    def images(self) -> RawImages:
        """Give access to the files."""
        return images_of(self.root, self.paths)

    def fingerprint(self) -> str:
        """Hash the images' files and the files of labels.

        Raises:
            UsageError: a file or folder cannot be read, so that nobody could tell whether it changed.
        """
        refuse_closed(self.root, self._found.closed)
        total = hashlib.sha256(hash_files(self.root, [self.root / path for path in self.paths]).encode())
        for content in dict.fromkeys(labels.content for _, labels, _ in self._rows):
            total.update(content.encode())
        return total.hexdigest()


def metadata_files(root: Path) -> list[Path]:
    """The metadata files of a folder that name pictures: its own, or else those of the folders in it.

    Raises:
        UsageError: a folder has both a CSV file and lines of JSON.
    """
    own = _metadata_in(root)
    if own:
        return own
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []
    return [file for folder in folders for file in _metadata_in(folder)]


def _metadata_in(folder: Path) -> list[Path]:
    files = [folder / name for name in METADATA if (folder / name).is_file() and names_pictures(folder / name)]
    if len(files) > 1:
        raise UsageError(f"{shown(folder)} has both {' and '.join(METADATA)}: take one of them out.")
    return files


def _joined(files: list[LabelFile], rows: list[tuple[PurePosixPath, LabelFile, int]]) -> LabelTable:
    """The labels of several files with the same columns, one row after the other."""
    names = [sorted(labels.columns.column_names) for labels in files]
    if any(found != names[0] for found in names):
        raise UsageError(
            f"{files[0].place} and another of the metadata files beside it have different columns: give all the same."
        )
    try:
        columns = pa.concat_tables([labels.columns.select(names[0]) for labels in files], promote_options="permissive")
    except pa.ArrowException as error:
        raise UsageError(f"The metadata files beside {files[0].place} hold different values: {error}") from None
    starts, start = {}, 0
    for labels in files:
        starts[labels.place], start = start, start + len(labels.names)
    whole = replace(files[0], columns=columns)
    return whole.table([starts[labels.place] + row for _, labels, row in rows])


def _layout(paths: Sequence[PurePosixPath], where: str) -> tuple[list[str | None], list[str] | None]:
    """The split of each image, and its class folder where every image lies in one."""
    tops = {path.parts[0] for path in paths}
    words = {folder_split(top) for top in tops}
    if all(len(path.parts) == 2 and is_split_name(path.parts[0]) for path in paths) and len(words) > 1:
        return [folder_split(path.parts[0]) for path in paths], None
    if any(len(path.parts) < 2 for path in paths):
        return [None] * len(paths), None
    laid = {image.path: image for image in lay_out(paths, where).images}
    if len(laid) < len(paths):
        return [None] * len(paths), None
    return [laid[path].split for path in paths], [laid[path].class_name for path in paths]


def _name(place: str) -> str:
    return PurePosixPath(place.replace("\\", "/")).name
