"""Recognizers as a user writes them: ``small``, or ``torchvision:network=mobilenet_v3_small,weights=FILE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue, create
from maskbench.plugins.names import parse

if TYPE_CHECKING:
    from maskbench.models.architecture import Architecture
    from maskbench.models.recognizer import Recognizer


def source_module(text: str) -> str:
    """The dotted module that defines a recognizer; UsageError where there is none of the name."""
    return catalogue().module("recognizer", parse(text)[0])


def identity(text: str) -> dict[str, Any]:
    """What a recognizer is made of, as it goes into keys: the content of a weights file instead of its path.

    Raises:
        UsageError: an unknown name or parameter, or a file that is missing.
    """
    architecture = _architecture(text)
    return {"name": architecture.name, **architecture.identity()}


def recognizer_label(text: str) -> str:
    """What tables and messages call a recognizer: its parameters that are not the default, and no path."""
    return _created(text).label()


def without_files(text: str) -> str:
    """The same network as a user would write it without its files, for weights that are stored elsewhere."""
    architecture = _created(text)
    return architecture.label(leave_out=architecture.paths)


def build(text: str, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
    """Build a recognizer with random weights, or those of its file.

    Weights are drawn from torch's global generator: seed it.

    Args:
        text: ``NAME`` or ``NAME:parameter=value,…``.
        channels: of the images (N, C, H, W).
        classes: at least 2.
        size: (H, W) of the images in pixels.

    Raises:
        UsageError: an unknown name or parameter, a file that is missing or does not fit, fewer than two classes, no
            channels, or a size that the network cannot take.
    """
    return _architecture(text).built(channels=channels, classes=classes, size=size)


def _architecture(text: str) -> Architecture:
    architecture = _created(text)
    reason = architecture.unavailable()
    if reason is not None:
        raise UsageError(f"The recognizer {architecture.label()} cannot be used: {reason}.")
    return architecture


def _created(text: str) -> Architecture:
    architecture: Architecture = create("recognizer", *parse(text))
    return architecture
