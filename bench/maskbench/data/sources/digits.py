"""scikit-learn's handwritten digits: embedded in the library, so nothing is downloaded."""

from __future__ import annotations

import hashlib

import numpy as np
from PIL import Image

from maskbench.data.source import LabelTable, RawImages, Source

_NATIVE_LEVELS = 16  # the largest stored value
_ENLARGED = 32  # px


class Digits(Source):
    """Target parity, sensitive digit."""

    name = title = canonical = "digits"
    description = "1,797 handwritten digits (scikit-learn), 8×8 enlarged to 32×32; parity, digit"
    flippable = False
    default_target = "parity"
    default_sensitive = "digit"

    @classmethod
    def opened(cls, text: str) -> Digits | None:
        """Open the set by its name."""
        return cls() if text == cls.name else None

    def __init__(self) -> None:
        from sklearn.datasets import load_digits  # takes a second to import

        stored = load_digits()
        self._digit = stored.target.astype(np.int64)
        self._pixels = np.round(stored.images * (255 / _NATIVE_LEVELS)).astype(np.uint8)

    def labels(self) -> LabelTable:
        """Return the digits, and whether they are even or odd."""
        return LabelTable(
            labels={"parity": self._digit % 2, "digit": self._digit},
            classes={"parity": ["even", "odd"], "digit": [str(digit) for digit in range(10)]},
            native_test=None,
            notes=[f"Values 0..{_NATIVE_LEVELS} were scaled to 0..255; a mirrored digit does not keep its label."],
        )

    def images(self) -> RawImages:
        """Give access to the 8×8 images."""
        pixels = self._pixels
        return RawImages(
            raw=lambda row: pixels[row].data,
            open=lambda row: Image.fromarray(pixels[row]),
            where=lambda row: f"digits, row {row}",
            enlarge_to=_ENLARGED,
        )

    def fingerprint(self) -> str:
        """Hash the pixels and the digits."""
        return hashlib.sha256(self._pixels.tobytes() + self._digit.tobytes()).hexdigest()
