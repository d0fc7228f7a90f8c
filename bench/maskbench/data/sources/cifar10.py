"""CIFAR-10 (Krizhevsky, 2009) through torchvision."""

from __future__ import annotations

from functools import cached_property

from maskbench.data.cifar import CifarFiles
from maskbench.data.source import LabelTable, RawImages, Source


class Cifar10(Source):
    """Target label, nothing sensitive."""

    name = title = canonical = "cifar10"
    description = "60,000 objects in 10 classes, 32×32 (CIFAR-10); label"

    @classmethod
    def opened(cls, text: str) -> Cifar10 | None:
        """Open the set by its name."""
        return cls() if text == cls.name else None

    @cached_property
    def _files(self) -> CifarFiles:
        from torchvision.datasets import CIFAR10

        return CifarFiles(CIFAR10)

    def labels(self) -> LabelTable:
        """Return the ten classes."""
        return LabelTable({"label": self._files.codes}, {"label": self._files.classes}, self._files.native_test)

    def images(self) -> RawImages:
        """Give access to the images."""
        return self._files.images()

    def fingerprint(self) -> str:
        """Hash the files."""
        return self._files.fingerprint()
