"""Scrambling of blocks with a key that the owner keeps."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from maskbench import ContractViolation, Given, Method, Owner, Release, Unavailable, to_bytes, to_float
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor

_WHITE = 255
_DRAWS = 64  # of a key that does nothing: the chance of one that could do something is below 2⁻⁶⁴


class Scramble(Method):
    """Permute, turn, negate and recolour blocks with a key: exactly invertible by who has it.

    Our reading of the encryption-then-compression family. One key serves a whole release, so a block goes to the
    same place in every image, and a network can be trained on them. It is drawn from the owner's seed and is the
    owner's secret; an attacker who fits the method anew draws another, unless ``key=known`` says that it leaked. It
    models a secret key for a benchmark and is no cryptographic one. A key that changes nothing is drawn again.

    Where ``block`` does not divide a side, the blocks cut off at the edge are scrambled among those of their own
    shape, so the edge is not left in the clear and the inverse stays exact; the single block in the corner keeps its
    place.
    """

    name: ClassVar[str] = "scramble"
    source: ClassVar[str] = "our reading of EtC block scrambling (Kurihara et al. 2015); attacked by 2211.02369"
    mirror_symmetric: ClassVar[bool] = False

    block: int = Field(4, ge=1, description="side of a block in pixels")
    permute: bool = Field(True, description="whether blocks change places")
    rotate: bool = Field(True, description="whether blocks are turned and mirrored")
    negate: bool = Field(True, description="whether half of the blocks are negated")
    recolour: bool = Field(True, description="whether the channels of each block change places")

    key: Literal["unknown", "known"] = Field(
        "unknown", description="known or unknown: whether the attacker is taken to have the key"
    )

    @field_validator("recolour")
    @classmethod
    def _does_something(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and not any(info.data.get(other, True) for other in ("permute", "rotate", "negate")):
            raise ValueError("with permute, rotate, negate and recolour all false the image would pass through raw")
        return value

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        channels, height, width = owner.images.shape[1:]
        for draw in range(_DRAWS):
            key = make_key(
                owner.seed + draw,
                (channels, height, width),
                block=self.block,
                permute=self.permute,
                rotate=self.rotate,
                negate=self.negate,
                recolour=self.recolour,
            )
            if not key.is_identity():
                return key._asdict()
        raise Unavailable(
            f"'{self.label()}' has nothing to scramble in images of {width}×{height} px with {channels} channel(s), "
            "which would leave raw: choose another block, or allow more of permute, rotate, negate and recolour."
        )

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(to_float(scramble(to_bytes(images), Key(**self.state))))

    def key_known(self) -> bool:
        return self.key == "known"

    def invert(self, release: Release) -> Tensor:
        return to_float(unscramble(to_bytes(release.images), Key(**self.state)))


class Key(NamedTuple):
    """A scrambling, written out for every value of an image.

    Attributes:
        origin: int64 C H W: where the value at this place comes from, as an index into the flattened image.
        negative: bool C H W: whether it is negated.
    """

    origin: Tensor
    negative: Tensor

    def is_identity(self) -> bool:
        """Whether it leaves every image as it is."""
        places = torch.arange(self.origin.numel()).view_as(self.origin)
        return not bool(self.negative.any()) and torch.equal(self.origin, places)


def make_key(
    seed: int, shape: tuple[int, ...], *, block: int, permute: bool, rotate: bool, negate: bool, recolour: bool
) -> Key:
    """Draw a key for images of a shape (C, H, W); the operations are those of :class:`Scramble`."""
    channels, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.arange(height * width).view(height, width)
    key = Key(torch.empty(shape, dtype=torch.int64), torch.empty(shape, dtype=torch.bool))
    for top, bottom, rows in _strips(height, block):
        for left, right, columns in _strips(width, block):
            blocks = _cut(pixels[None, top:bottom, left:right], rows, columns)[:, 0]
            count = len(blocks)
            if rotate:
                turned = _orientations(blocks)
                choice = torch.randint(len(turned), (count,), generator=generator)
                blocks = turned[choice, torch.arange(count)]
            if permute:
                blocks = blocks[torch.randperm(count, generator=generator)]
            colours = torch.arange(channels).expand(count, channels)
            if recolour:
                colours = torch.rand(count, channels, generator=generator).argsort(dim=1)
            negative = torch.zeros(count, dtype=torch.bool)
            if negate:
                negative = torch.rand(count, generator=generator) < 0.5
            origin = colours[:, :, None, None] * (height * width) + blocks[:, None]
            across = (right - left) // columns
            key.origin[:, top:bottom, left:right] = _paste(origin, across)
            key.negative[:, top:bottom, left:right] = _paste(negative.view(-1, 1, 1, 1).expand_as(origin), across)
    return key


def scramble(images: Tensor, key: Key) -> Tensor:
    """Scramble 8-bit images: uint8 N C H W → uint8 N C H W.

    Raises:
        ContractViolation: the key was made for images of another shape.
    """
    _fits(images, key)
    moved = images.flatten(1)[:, key.origin.flatten()].view_as(images)
    return torch.where(key.negative, _WHITE - moved, moved)


def unscramble(images: Tensor, key: Key) -> Tensor:
    """The exact inverse of :func:`scramble` with the same key; raises the same."""
    _fits(images, key)
    positive = torch.where(key.negative, _WHITE - images, images)
    return positive.flatten(1)[:, key.origin.flatten().argsort()].view_as(images)


def _fits(images: Tensor, key: Key) -> None:
    if images.shape[1:] != key.origin.shape:
        raise ContractViolation(
            f"the scrambling key is for images of shape {tuple(key.origin.shape)}, not {tuple(images.shape[1:])}: "
            "fit the method on images of the size it is applied to."
        )


def _strips(length: int, block: int) -> list[tuple[int, int, int]]:
    """(start, end, side of a block): the part that whole blocks fill, and what is left, where there is any."""
    whole = length - length % block
    return [strip for strip in ((0, whole, block), (whole, length, length - whole)) if strip[0] < strip[1]]


def _cut(region: Tensor, rows: int, columns: int) -> Tensor:
    """C H W → blocks C rows columns, row by row."""
    blocks = region.unfold(1, rows, rows).unfold(2, columns, columns)
    return blocks.permute(1, 2, 0, 3, 4).flatten(0, 1)


def _paste(blocks: Tensor, across: int) -> Tensor:
    """The inverse of :func:`_cut`, with ``across`` blocks side by side."""
    grid = blocks.unflatten(0, (-1, across))
    return grid.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)


def _orientations(blocks: Tensor) -> Tensor:
    """Every way to lay a block into its own place: 8 for squares, 4 for others; stacked in front."""
    upright = (blocks, blocks.flip(1), blocks.flip(2), blocks.flip(1, 2))
    if blocks.shape[1] != blocks.shape[2]:
        return torch.stack(upright)
    return torch.stack((*upright, *(turned.transpose(1, 2) for turned in upright)))
