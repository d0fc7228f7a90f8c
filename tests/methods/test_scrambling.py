"""Block scrambling: the key undoes it exactly, another key does not, and each operation does what it says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench import ContractViolation, UsageError
from maskbench.methods.scrambling import Key, Scramble, make_key, scramble, unscramble
from maskbench.release import to_bytes
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, fitted, owner, pictures
from torch import Tensor

NOTHING = {"permute": False, "rotate": False, "negate": False, "recolour": False}
EVERYTHING = dict.fromkeys(NOTHING, True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parameters", [{}, {"block": 1}, {"block": 5}, {"rotate": False, "recolour": False}])
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], parameters: dict[str, Any]) -> None:
    check_release(Scramble(**parameters), shape)


def test_one_key_serves_the_whole_release() -> None:
    assert not depends_on_the_seed(Scramble())


@given(
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 33),
    width=st.integers(1, 33),
    block=st.integers(1, 40),
    on=st.tuples(*[st.booleans()] * 4),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_the_key_undoes_it_exactly(
    channels: int, height: int, width: int, block: int, on: tuple[bool, ...], seed: int
) -> None:
    shape = (channels, height, width)
    images = torch.randint(256, (2, *shape), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    key = make_key(seed, shape, block=block, **dict(zip(NOTHING, on, strict=True)))
    assert torch.equal(unscramble(scramble(images, key), key), images)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_owner_gets_the_raw_images_back_from_the_release(shape: tuple[int, int, int]) -> None:
    images = pictures(8, shape)
    method = fitted(Scramble(block=8), images, seed=4)
    released = method.release(images, seed=0, numbers=torch.arange(8)).images
    assert torch.equal(unscramble(to_bytes(released), Key(**method.state)), to_bytes(images))


def test_another_party_has_another_key() -> None:
    images = pictures(8, (3, 32, 32))
    mine, theirs = (Key(**Scramble().fit(owner(images, seed=seed))) for seed in (1, 2))
    undone = unscramble(scramble(to_bytes(images), mine), theirs)
    error = (undone.float() - to_bytes(images).float()).abs().mean()
    assert float(error) > 20
    assert torch.equal(Key(**Scramble().fit(owner(images, seed=1))).origin, mine.origin)


def _scrambled(operation: str, block: int = 4) -> tuple[Tensor, Tensor]:
    images = to_bytes(pictures(3, (3, 32, 32)))
    key = make_key(0, (3, 32, 32), block=block, **{**NOTHING, operation: True})
    scrambled = scramble(images, key)
    assert not torch.equal(scrambled, images)
    return images, scrambled


def _blocks(images: Tensor) -> Tensor:
    """N C 32 32 → N, 64 blocks, C 4 4."""
    return images.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).flatten(1, 2)


def test_permuting_moves_whole_blocks() -> None:
    images, scrambled = (_blocks(batch).flatten(2) for batch in _scrambled("permute"))
    for before, after in zip(images, scrambled, strict=True):
        assert sorted(before.tolist()) == sorted(after.tolist())


def test_rotating_stays_inside_a_block() -> None:
    images, scrambled = (_blocks(batch).flatten(3) for batch in _scrambled("rotate"))
    assert torch.equal(images.sort(dim=3).values, scrambled.sort(dim=3).values)


def test_all_eight_orientations_occur() -> None:
    pattern = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4).repeat(1, 1, 16, 16)
    key = make_key(0, (1, 64, 64), block=4, **{**NOTHING, "rotate": True})
    turned = scramble(pattern, key).unfold(2, 4, 4).unfold(3, 4, 4).reshape(-1, 16)
    assert len(turned.unique(dim=0)) == 8


def test_negating_takes_whole_blocks_and_about_half_of_them() -> None:
    images, scrambled = (_blocks(batch).flatten(2).int() for batch in _scrambled("negate"))
    kept, negated = (scrambled == images).all(dim=2), (scrambled == 255 - images).all(dim=2)
    assert bool((kept ^ negated).all())
    # 64 fair draws: 32 ± 4 standard deviations of 4.
    assert 16 <= int(negated[0].sum()) <= 48


def test_recolouring_permutes_the_channels_of_a_pixel() -> None:
    images, scrambled = _scrambled("recolour")
    assert torch.equal(images.sort(dim=1).values, scrambled.sort(dim=1).values)
    grey = to_bytes(pictures(2, (1, 32, 32)))
    assert torch.equal(scramble(grey, make_key(0, (1, 32, 32), block=4, **{**NOTHING, "recolour": True})), grey)


def test_the_edge_that_no_whole_block_covers_is_scrambled_too() -> None:
    images = to_bytes(pictures(1, (3, 30, 30)))
    scrambled = scramble(images, make_key(0, (3, 30, 30), block=8, **EVERYTHING))
    for edge in (scrambled == images)[:, :, 24:, :24], (scrambled == images)[:, :, :24, 24:]:
        assert float(edge.float().mean()) < 0.2


def test_an_image_of_another_shape_is_refused() -> None:
    method = fitted(Scramble(), pictures(2, (3, 32, 48)))
    with pytest.raises(ContractViolation, match=r"\(3, 32, 48\), not \(3, 48, 32\)"):
        method.release(pictures(2, (3, 48, 32)), seed=0, numbers=torch.arange(2))


@pytest.mark.parametrize(("parameters", "message"), [(NOTHING, "pass through raw"), ({"block": 0}, "block=0")])
def test_wrong_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Scramble.create(parameters)


def test_nothing_trained_on_it_mirrors() -> None:
    assert not Scramble.mirror_symmetric
