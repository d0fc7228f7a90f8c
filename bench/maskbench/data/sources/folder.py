"""A folder with one folder of images a class, optionally inside train and test folders."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from maskbench.data.class_folders import Layout, lay_out
from maskbench.data.hashing import hash_files
from maskbench.data.image_files import IMAGE_SUFFIXES, FoundFiles, find_files
from maskbench.data.images_in_folder import images_of
from maskbench.data.own_output import pictures_of, refuse_results_in
from maskbench.data.paths import existing_folder, parquet_files, shown
from maskbench.data.source import LabelTable, RawImages, Source, native_test_split, refuse_closed
from maskbench.data.sources.labelled_folder import LabelledFolder, metadata_files
from maskbench.errors import UsageError

_COLUMN = "label"


class ClassFolder(Source):
    """``root/class/image.png`` or ``root/train/class/image.png`` and ``root/test/class/image.png``.

    Of a release of ``maskbench desensitize`` it reads the pictures.
    """

    name = "folder"
    description = "FOLDER: one folder of images a class, optionally inside train and test folders"
    by_name = False

    @classmethod
    def opened(cls, text: str) -> ClassFolder | None:
        """Open any folder without Parquet files, and without a file of labels for its images."""
        root = existing_folder(text)
        return cls(root) if root is not None and not parquet_files(root) and not metadata_files(root) else None

    def __init__(self, root: Path) -> None:
        self.folder = root
        self.root = pictures_of(root)
        self.title = shown(root.name)
        self.canonical = str(root)

    def labelled_by(self, file: Path) -> LabelledFolder:
        """The images of the folder, at any depth, with the labels of a file."""
        return LabelledFolder(self.folder or self.root, [file])

    @cached_property
    def _found(self) -> FoundFiles:
        return find_files(self.root)

    @cached_property
    def _layout(self) -> Layout:
        refuse_results_in(self.root, self._found.others)
        layout = lay_out(self._found.images, shown(self.root))
        if not layout.images:
            closed = "".join(f" {shown(path)}: {why}." for path, why in self._found.closed.items())
            name = shown(self.root.name)
            closed += _deeper(self._found, self.root)
            raise UsageError(
                f"No class folders with images in {shown(self.root)}: expected {name}/CLASS/image.png, "
                f"or {name}/train/CLASS/image.png and {name}/test/CLASS/image.png "
                f"({', '.join(IMAGE_SUFFIXES)}). Or name a file of "
                f"labels with --labels FILE.csv: the file name, then any columns.{closed}"
            )
        return layout

    @property
    def paths(self) -> list[PurePosixPath]:
        """The images, relative to the folder, in the order of the labels."""
        return [image.path for image in self._layout.images]

    @property
    def all_paths(self) -> list[PurePosixPath]:
        """The same, and those that are passed over."""
        return self._found.images

    def labels(self) -> LabelTable:
        """Take the folders' names as classes."""
        images = self._layout.images
        names = sorted({image.class_name for image in images})
        code = {class_name: place for place, class_name in enumerate(names)}
        codes = np.array([code[image.class_name] for image in images], dtype=np.int64)
        test = native_test_split(image.split for image in images if image.split is not None)
        native_test = None if test is None else np.array([image.split == test for image in images])
        hidden = [f"The folder '{shown(path)}' was passed over: it is hidden." for path in self._found.hidden]
        notes = [*self._layout.notes, *hidden, "A mirrored image is taken to keep its labels."]
        if len(names) < 2:
            reason = f"has only the class '{names[0]}'; a label column needs two or more"
            return LabelTable({}, {}, native_test, rejected={_COLUMN: reason}, notes=notes)
        return LabelTable({_COLUMN: codes}, {_COLUMN: names}, native_test, notes=notes)

    def images(self) -> RawImages:
        """Give access to the files."""
        return images_of(self.root, self.paths)

    def fingerprint(self) -> str:
        """Hash the images' files.

        Raises:
            UsageError: a file or folder cannot be read, so that nobody could tell whether it changed.
        """
        refuse_closed(self.root, self._found.closed)
        return hash_files(self.root, [self.root / path for path in self.paths])


def _deeper(found: FoundFiles, root: Path) -> str:
    """Where Parquet files lie that were not looked for so deep, such as in the folder of a configuration."""
    deeper = next((path.parent for path in found.others if path.suffix == ".parquet"), None)
    return "" if deeper is None else f" There are Parquet files in {shown(root / deeper)}: name that folder."
