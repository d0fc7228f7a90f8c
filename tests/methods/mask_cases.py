"""Images and attributions that the tests of mask methods share, and what every mask method must keep."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from maskbench import Attribution, MaskMethod, Method, Owner, Release
from torch import Tensor

SHAPES = [(1, 28, 28), (3, 48, 32), (3, 30, 21)]
RATIOS = (0.0, 0.1, 0.5, 0.75, 0.9, 1.0)
COUNT = 64


def images(shape: tuple[int, int, int], count: int = COUNT) -> Tensor:
    """Smooth random images on the 8-bit grid; the first three are black, white and grey."""
    generator = torch.Generator().manual_seed(sum(shape))
    coarse = torch.rand((count, shape[0], 6, 6), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=shape[1:], mode="bicubic").clamp(0, 1)
    for number, level in enumerate((0.0, 1.0, 0.5)):
        smooth[number] = level
    return (smooth * 255).round() / 255


def attributions(method: Method, shape: tuple[int, int, int], count: int = COUNT) -> dict[Attribution, Tensor]:
    """Random answers to what a method requests; those of the first three images are flat."""
    answers = {}
    for request in method.requests():
        seed = sum(f"{request.algorithm}/{request.label}".encode())
        answer = torch.randn((count, 1, *shape[1:]), generator=torch.Generator().manual_seed(seed)).square()
        answer[:3] = 1.0
        answers[request] = answer
    return answers


def owner(method: Method, shape: tuple[int, int, int], seed: int = 0) -> Owner:
    """A party with 64 images."""
    labels = torch.arange(COUNT) % 5
    return Owner(images(shape), labels, 5, None, 0, attributions(method, shape), seed, torch.device("cpu"))


def fitted(method: Method, shape: tuple[int, int, int], seed: int = 0) -> Method:
    """The method, fitted on that party."""
    return method.with_state(method.fit(owner(method, shape, seed)))


def released(method: Method, shape: tuple[int, int, int], part: slice = slice(None), **named: object) -> Release:
    """What a fitted method releases of some of the images."""
    answers = {request: answer[part] for request, answer in attributions(method, shape).items()}
    numbers = torch.arange(100, 100 + COUNT)[part]
    return method.release(images(shape)[part], seed=5, numbers=numbers, attributions=answers, **named)


def broken_promises(kind: type[MaskMethod], **parameters: object) -> Iterator[str]:
    """Every promise of a mask method that does not hold, in words; nothing where all do.

    That the ratio is met and kept pixels are untouched is judged by ``release`` itself, and raises.
    """
    for shape in SHAPES:
        for ratio in RATIOS:
            method = fitted(kind(ratio=ratio, **parameters), shape)
            release = released(method, shape)
            where = f"{method.label()} on {shape}"
            if ratio in (0.0, 1.0) and not bool((release.masks == 1 - ratio).all()):
                yield f"{where}: ratio {ratio} must keep {'everything' if ratio == 0 else 'nothing'}"
            if not torch.equal(released(method, shape).masks, release.masks):
                yield f"{where}: two calls differ"
            if ratio != 0.75:
                continue
            labels = torch.arange(COUNT).flip(0)
            if not torch.equal(released(method, shape, labels=labels).masks, release.masks):
                yield f"{where}: the labels show in the masks"
            for size in (1, 7):
                parts = [released(method, shape, slice(at, at + size)).masks for at in range(0, 2 * size + 6, size)]
                if not torch.equal(torch.cat(parts), release.masks[: sum(map(len, parts))]):
                    yield f"{where}: batches of {size} differ from one of {COUNT}"
