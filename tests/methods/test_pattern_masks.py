"""Lattices and stripes, against plain loops."""

from __future__ import annotations

import pytest
import torch
from mask_cases import broken_promises, released
from maskbench.methods.pattern_masks import Grid, Stripe, bayer


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (Grid, {}),
        (Grid, {"geometry": "pixel"}),
        (Stripe, {}),
        (Stripe, {"geometry": "pixel", "direction": "vertical"}),
        (Stripe, {"direction": "horizontal", "patch": 5}),
    ],
)
def test_promises(kind: type, parameters: dict[str, object]) -> None:
    assert list(broken_promises(kind, **parameters)) == []


def _bit_interleaved(row: int, column: int, bits: int) -> int:
    """Bayer's matrix, the other definition: the bits of row xor column and of row, interleaved and reversed."""
    value = 0
    for bit in range(bits):
        value = value << 2 | ((row ^ column) >> bit & 1) << 1 | (row >> bit & 1)
    return value


def test_bayer_matrix_by_its_other_definition() -> None:
    for bits in range(6):
        side = 2**bits
        expected = [[_bit_interleaved(row, column, bits) for column in range(side)] for row in range(side)]
        ours = bayer(side)
        assert torch.equal(ours, torch.tensor(expected, dtype=torch.float32))
        assert torch.equal(ours.flatten().sort().values, torch.arange(side**2, dtype=torch.float32))


@pytest.mark.parametrize(("ratio", "period"), [(0.75, 2), (1 - 1 / 16, 4), (1 - 1 / 64, 8)])
def test_a_share_of_a_power_of_four_is_a_square_lattice(ratio: float, period: int) -> None:
    masks = released(Grid(ratio=ratio), (3, 32, 32)).masks
    wrong = []
    offsets = set()
    for number, mask in enumerate(masks):
        units = mask[0, ::4, ::4]
        first = units.nonzero()[0].tolist()
        offsets.add((first[0] % period, first[1] % period))
        for row in range(8):
            for column in range(8):
                on_lattice = row % period == first[0] % period and column % period == first[1] % period
                if float(units[row, column]) != float(on_lattice):
                    wrong.append((number, row, column))
    assert wrong == []
    assert len(offsets) > period**2 / 2  # 64 images see most of the offsets


def test_half_a_grid_is_a_chessboard() -> None:
    units = released(Grid(ratio=0.5), (3, 32, 32)).masks[:, 0, ::4, ::4]
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    matches = [(image == board).all() or (image == 1 - board).all() for image in units]
    assert all(matches)


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "random"])
@pytest.mark.parametrize("ratio", [0.75, 0.6])
def test_stripes_are_whole_but_one(direction: str, ratio: float) -> None:
    masks = released(Stripe(direction=direction, ratio=ratio), (3, 32, 32)).masks[:, 0, ::4, ::4]
    wrong, seen = [], set()
    for number, mask in enumerate(masks):
        partial = {
            "horizontal": [line.tolist() for line in mask if 0 < line.sum() < 8],
            "vertical": [line.tolist() for line in mask.T if 0 < line.sum() < 8],
        }
        whole = [name for name, cut in partial.items() if len(cut) <= 1]
        if len(whole) != 1:
            wrong.append((number, "neither rows nor columns are whole"))
            continue
        seen.add(whole[0])
        for line in partial[whole[0]]:
            if line != sorted(line) and line != sorted(line, reverse=True):
                wrong.append((number, f"the cut stripe is in pieces: {line}"))
    assert wrong == []
    assert seen == ({direction} if direction != "random" else {"horizontal", "vertical"})


def test_a_structure_says_nothing_of_the_image() -> None:
    numbers, seed = torch.arange(8), 3
    for method in (Grid(), Stripe()):
        black = method.release(torch.zeros(8, 3, 32, 32), seed=seed, numbers=numbers)
        white = method.release(torch.ones(8, 3, 32, 32), seed=seed, numbers=numbers)
        assert torch.equal(black.masks, white.masks)
