"""Random masks with a structure: lattices and stripes. They know nothing of the image."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from maskbench import Given, MaskMethod
from pydantic import Field
from torch import Tensor


class Grid(MaskMethod):
    """Keep units on a regular lattice with a random offset for each image.

    A quarter kept is every second unit of every second row, a half the chessboard, a sixteenth every fourth unit of
    every fourth row. A share between two lattices keeps the sparser one whole and adds units of the denser one in the
    order of Bayer's ordered dither; so the ratio is met within one unit at any share and any size.
    """

    name: ClassVar[str] = "grid"
    source: ClassVar[str] = "2111.06377, figure 6 (grid-wise sampling); order of units: Bayer 1973"

    def scores(self, images: Tensor, given: Given) -> Tensor:
        rows, columns = (-(-side // self.unit) for side in images.shape[2:])
        tile = bayer(max(rows, columns)).to(images)
        side = tile.shape[0]
        offset = given.rng.integers(side, 2)
        at_row = (torch.arange(rows, device=images.device) + offset[:, :1]) % side
        at_column = (torch.arange(columns, device=images.device) + offset[:, 1:]) % side
        return -tile[at_row[:, :, None], at_column[:, None, :]][:, None]


def bayer(side: int) -> Tensor:
    """Bayer's threshold matrix: the order in which ordered dithering fills a tile, lattice after lattice.

    Args:
        side: the tile is the smallest power of two that is not below it; up to 4096, where float32 ends to count.

    Returns:
        float32, square, a permutation of 0 … tile² − 1.
    """
    tile = torch.zeros(1, 1)
    while tile.shape[0] < side:
        tile = torch.cat([torch.cat([4 * tile, 4 * tile + 2], 1), torch.cat([4 * tile + 3, 4 * tile + 1], 1)])
    return tile


class Stripe(MaskMethod):
    """Keep random whole rows or columns of units.

    Where the budget ends within a stripe, that stripe is cut, from either end at random: the ratio is met within one
    unit, not one stripe.
    """

    name: ClassVar[str] = "stripe"
    mirror_symmetric: ClassVar[bool] = True

    direction: Literal["horizontal", "vertical", "random"] = Field(
        "random", description="horizontal, vertical, or random: drawn per image"
    )

    def scores(self, images: Tensor, given: Given) -> Tensor:
        rows, columns = (-(-side // self.unit) for side in images.shape[2:])
        backwards = given.rng.integers(2, 1)
        horizontal = _stripes(given.rng.permutation(rows), columns, backwards)
        vertical = _stripes(given.rng.permutation(columns), rows, backwards).transpose(1, 2)
        chosen = {
            "horizontal": torch.ones_like(backwards),
            "vertical": torch.zeros_like(backwards),
            "random": given.rng.integers(2, 1),
        }[self.direction]
        return torch.where(chosen[:, :, None] == 1, horizontal, vertical)[:, None]


def _stripes(order: Tensor, length: int, backwards: Tensor) -> Tensor:
    """Scores N × stripes × length: by the order of the stripes (N × stripes), and along each of them."""
    along = torch.arange(length, device=order.device).expand(len(order), length)
    along = torch.where(backwards == 1, length - 1 - along, along)
    return (order[:, :, None] * length + along[:, None, :]).to(torch.float32)
