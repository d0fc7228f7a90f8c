"""The least size of images that networks see: smaller ones are refused before the work."""

from __future__ import annotations

from maskbench.errors import UsageError

SMALLEST = 16
"""Side in pixels: recognizers reduce images by eight, and the structural similarity looks through a window of 11."""


def check_size(size: int | None) -> None:
    """Raise UsageError where ``--size`` is too small."""
    if size is not None and size < SMALLEST:
        raise UsageError(f"--size is {size}; the smallest is {SMALLEST} px.")


def check_images(height: int, width: int, whose: str) -> None:
    """Raise UsageError where images are too small as they are."""
    if min(height, width) < SMALLEST:
        raise UsageError(f"The images of {whose} are {width}×{height} px; pass --size {SMALLEST} or more.")
