"""The page's pictures: for each example and method, what was released and what each restoration made of it."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskbench.report.hidden import names_of_examples
from maskbench.results.examples import Example
from maskbench.runfolder.folder import RunFolder

BUDGET = 6_000_000
"""Bytes of all pictures of a page, as text: with plotly and the tables it stays well below 15 MB."""

_LARGEST = 128  # px; larger pictures are shown smaller


@dataclass(frozen=True)
class Shown:
    """A picture on the page.

    Attributes:
        title: what it shows.
        address: the picture itself, as a ``data:`` address.
        score: of a restoration, hole SSIM; empty for the others.
        strongest: whether no other restoration of this release has a higher score.
    """

    title: str
    address: str
    score: str = ""
    strongest: bool = False


@dataclass(frozen=True)
class Strip:
    """The pictures of one method, of one example: raw, released, mask, then restorations by their score.

    Attributes:
        method: what tables call it: ``random 75%``.
        pictures: the pictures, in that order.
    """

    method: str
    pictures: tuple[Shown, ...]


@dataclass(frozen=True)
class Grids:
    """All strips that the page has room for.

    Attributes:
        examples: the strips of each example.
        left_out: how many strips there was no room for.
        smaller: whether pictures are shown smaller than they are.
    """

    examples: tuple[tuple[Strip, ...], ...]
    left_out: int
    smaller: bool


def picture_grids(run: RunFolder, budget: int = BUDGET) -> Grids:
    """The strips of all examples and methods, as long as they fit; in the order of the suite."""
    found: dict[int, dict[str, list[Example]]] = {}
    for picture in run.pictures:
        found.setdefault(picture.example, {}).setdefault(picture.method, []).append(picture)
    named = names_of_examples(run)
    examples, used, left_out = [], 0, 0
    for _, by_method in sorted(found.items()):
        strips = []
        for method, pictures in by_method.items():
            strip = Strip(named(method), tuple(_shown(pictures)))
            size = sum(len(each.address) for each in strip.pictures)
            if used + size > budget:
                left_out += 1
                continue
            used += size
            strips.append(strip)
        if strips:
            examples.append(tuple(strips))
    smaller = any(max(picture.pixels.shape[1:]) > _LARGEST for picture in run.pictures)
    return Grids(tuple(examples), left_out, smaller)


def _shown(pictures: list[Example]) -> list[Shown]:
    first = {"raw": 0, "released": 1, "mask": 2}
    released = [it.pixels for it in pictures if it.shows == "released"]
    restored = [it for it in pictures if it.shows == "restored" and not _is_one_of(it.pixels, released)]
    best = max((it.score for it in restored if it.score is not None), default=None)
    ordered = sorted((it for it in pictures if it.shows in first), key=lambda it: first[it.shows])
    found = [Shown(it.shows, _address(it.pixels)) for it in ordered]
    for it in sorted(restored, key=lambda it: -np.inf if it.score is None else it.score, reverse=True):
        score = "" if it.score is None else f"{it.score:.3f}"
        found.append(Shown(it.attack, _address(it.pixels), score, it.score is not None and it.score == best))
    return found


def _is_one_of(pixels: NDArray[np.uint8], others: list[NDArray[np.uint8]]) -> bool:
    """Whether a restoration is the release itself, which is shown already."""
    return any(np.array_equal(pixels, other) for other in others)


def _address(pixels: NDArray[np.uint8]) -> str:
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    if max(image.size) > _LARGEST:
        image.thumbnail((_LARGEST, _LARGEST))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"
