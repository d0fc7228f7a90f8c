"""The sizes of images that networks see: smaller and larger ones are refused before the work."""

from __future__ import annotations

from maskbench.errors import UsageError

SMALLEST = 16
"""Side in pixels: recognizers reduce images by eight, and the structural similarity looks through a window of 11."""

LARGEST = 4096
"""Side in pixels: an image of it takes 50 MB, and a run holds all its images."""


def check_size(size: int | None) -> None:
    """Raise UsageError where ``--size`` is too small or too large."""
    if size is not None and size < SMALLEST:
        raise UsageError(f"--size is {size}; the smallest is {SMALLEST} px.")
    if size is not None and size > LARGEST:
        raise UsageError(f"--size is {size}; the largest is {LARGEST} px.")


def check_images(height: int, width: int, whose: str) -> None:
    """Raise UsageError where images are too small as they are."""
    if min(height, width) < SMALLEST:
        raise UsageError(f"The images of {whose} are {width}×{height} px; pass --size {SMALLEST} or more.")
