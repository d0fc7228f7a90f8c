"""What CIFAR-10 and CIFAR-100 share: torchvision's loaders, and where their files lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from maskbench.data.hashing import hash_files
from maskbench.data.source import RawImages
from maskbench.errors import UsageError

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

_FOLDER_VARIABLE = "MASKBENCH_TORCHVISION"
_DEFAULT_FOLDER = "~/.cache/maskbench/torchvision"


class CifarFiles:
    """Both parts of one of the two sets: the rows of the training part, then those of the test part."""

    def __init__(self, dataset: type[CIFAR10]) -> None:
        try:
            self._root = Path(os.environ.get(_FOLDER_VARIABLE) or _DEFAULT_FOLDER).expanduser()
        except RuntimeError:  # nobody's home folder
            raise UsageError(f"No home folder: name a folder for {dataset.__name__} in {_FOLDER_VARIABLE}.") from None
        self._dataset = dataset
        self._parts = [self._open(train=True), self._open(train=False)]

    def _open(self, train: bool) -> CIFAR10:
        # torchvision checks each file's MD5 before it unpickles it.
        try:
            return self._dataset(str(self._root), train=train, download=False)
        except RuntimeError:  # files are missing or damaged
            pass
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            return self._dataset(str(self._root), train=train, download=True)
        except (OSError, RuntimeError) as error:
            raise UsageError(
                f"{self._dataset.__name__} is not in {self._root} and cannot be downloaded ({error}). "
                f"Put {self._dataset.filename} (the Python version, MD5 {self._dataset.tgz_md5}) or its "
                f"unpacked folder {self._dataset.base_folder} there, or name another folder in the "
                f"environment variable {_FOLDER_VARIABLE}."
            ) from error

    @property
    def codes(self) -> np.ndarray:
        """The class of each image, int64."""
        return np.concatenate([np.asarray(part.targets, dtype=np.int64) for part in self._parts])

    @property
    def classes(self) -> list[str]:
        """The class names."""
        return list(self._parts[0].classes)

    @property
    def native_test(self) -> np.ndarray:
        """Which images are of the test part, bool."""
        return np.repeat([False, True], [len(part) for part in self._parts])

    def images(self) -> RawImages:
        """Give access to the 32×32 images."""
        pixels = np.concatenate([part.data for part in self._parts])
        return RawImages(
            raw=lambda row: pixels[row].data,
            open=lambda row: Image.fromarray(pixels[row]),
            where=lambda row: f"{self._dataset.__name__}, row {row}",
        )

    def fingerprint(self) -> str:
        """Hash the files that torchvision reads."""
        folder = self._root / self._dataset.base_folder
        names = [name for name, _ in self._dataset.train_list + self._dataset.test_list]
        return hash_files(folder, [folder / name for name in (*names, self._dataset.meta["filename"])])
