"""A folder with one folder of images a class, optionally inside train and test folders."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from maskbench.data.hashing import hash_files
from maskbench.data.paths import IMAGE_SUFFIXES, existing_folder, is_image_name, parquet_files
from maskbench.data.source import LabelTable, RawImages, Source, native_test_split, split_word
from maskbench.errors import UsageError

BUILT_IN: dict[str, str] = {}

_COLUMN = "label"


def open_source(text: str) -> Source | None:
    """Open any folder without Parquet files."""
    root = existing_folder(text)
    return ClassFolder(root) if root is not None and not parquet_files(root) else None


class ClassFolder(Source):
    """``root/class/image.png`` or ``root/train/class/image.png`` and ``root/test/class/image.png``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = root.name
        self.canonical = str(root)

    @cached_property
    def _files(self) -> list[tuple[Path, str, str | None]]:
        """The images in the order of their names: path, class, split."""
        top = _subfolders(self.root)
        # Only folders of folders are splits: a class may be called "train" too.
        by_split = bool(top) and all(split_word(folder.name) and _subfolders(folder) for folder in top)
        classes = (
            [(folder, split_word(split.name)) for split in top for folder in _subfolders(split)]
            if by_split
            else [(folder, None) for folder in top]
        )
        found = [(path, folder.name, split) for folder, split in classes for path in _images(folder)]
        if not found:
            raise UsageError(
                f"No class folders with images in {self.root}: expected {self.root.name}/CLASS/image.png, "
                f"or {self.root.name}/train/CLASS/image.png and {self.root.name}/test/CLASS/image.png "
                f"({', '.join(IMAGE_SUFFIXES)})."
            )
        return found

    def labels(self) -> LabelTable:
        """Take the folders' names as classes."""
        names = sorted({class_name for _, class_name, _ in self._files})
        code = {class_name: place for place, class_name in enumerate(names)}
        codes = np.array([code[class_name] for _, class_name, _ in self._files], dtype=np.int64)
        test = native_test_split(split for _, _, split in self._files if split is not None)
        native_test = None if test is None else np.array([split == test for _, _, split in self._files])
        if len(names) < 2:
            reason = f"has only the class '{names[0]}'; a label column needs two or more"
            return LabelTable({}, {}, native_test, rejected={_COLUMN: reason})
        notes = ["A mirrored image is taken to keep its labels."]
        return LabelTable({_COLUMN: codes}, {_COLUMN: names}, native_test, notes=notes)

    def images(self) -> RawImages:
        """Give access to the files."""
        paths = [path for path, _, _ in self._files]
        return RawImages(
            raw=lambda row: paths[row].read_bytes(),
            open=lambda row: Image.open(paths[row]),
            where=lambda row: str(paths[row]),
        )

    def fingerprint(self) -> str:
        """Hash the images' files."""
        return hash_files(self.root, [path for path, _, _ in self._files])


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if is_image_name(path) and path.is_file())
