"""Masks from a generator that was trained for a recognizer and against an adversary."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from mask_cases import broken_promises, fitted, owner, released
from maskbench import Owner, UsageError
from maskbench.methods._mask_generator import PixelNetwork, straight_through
from maskbench.methods.learned_masks import Learned
from maskbench.training.loop import minimise
from torch import Tensor

SHAPE = (3, 32, 32)
SIDE, UNIT = 28, 4
PLAIN, MIXED = (0, 0), (SIDE - UNIT, SIDE - UNIT)  # corners, one unit of the mask each
COUNT = 384
CPU = torch.device("cpu")


def noise(seed: int, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return ((torch.rand(count, 1, SIDE, SIDE, generator=generator) / 2 + 0.25) * 255).round() / 255


def plant(images: Tensor, corner: tuple[int, int], levels: Tensor) -> None:
    """Paint a corner of every image in its level in [0, 1]."""
    top, left = corner
    images[:, :, top : top + UNIT, left : left + UNIT] = ((levels * 255).round() / 255).view(-1, 1, 1, 1)


def coins(seed: int, count: int, share: float = 0.5) -> Tensor:
    return (torch.rand(count, generator=torch.Generator().manual_seed(seed)) < share).long()


def one_corner(seed: int, count: int = COUNT) -> Owner:
    """The task label is in one corner and nowhere else."""
    shown, labels = noise(seed, count), coins(seed + 1, count)
    plant(shown, PLAIN, 0.1 + 0.8 * labels)
    return Owner(shown, labels, 2, None, 0, {}, seed, CPU)


def two_corners(seed: int, count: int = COUNT) -> Owner:
    """Both corners show the task label, each with errors of its own; one shows the sensitive label too."""
    shown, labels, sensitive = noise(seed, count), coins(seed + 1, count), coins(seed + 2, count)
    first, second = (labels ^ coins(seed + more, count, share=0.2) for more in (3, 4))
    plant(shown, PLAIN, 0.1 + 0.8 * first)
    plant(shown, MIXED, 0.1 + 0.5 * second + 0.3 * sensitive)
    return Owner(shown, labels, 2, sensitive, 2, {}, seed, CPU)


def share_kept(method: Learned, images: Tensor, corner: tuple[int, int]) -> float:
    """In how many of the images the corner is kept."""
    masks = method.release(images, seed=1, numbers=torch.arange(len(images))).masks
    return float(masks[:, 0, corner[0], corner[1]].mean())


@pytest.mark.parametrize("geometry", ["pixel", "patch"])
def test_promises(geometry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mask_cases.RATIOS", (0.0, 0.75, 1.0))
    assert list(broken_promises(Learned, geometry=geometry, epochs=1, width=4)) == []


@pytest.mark.parametrize("fill", ["mean", "noise", "blur"])
@pytest.mark.parametrize("sensitive", [False, True])
def test_every_fill_and_kind_of_adversary_can_be_trained(fill: str, sensitive: bool) -> None:
    method = Learned(fill=fill, epochs=1, width=4)
    party = owner(method, SHAPE)
    if sensitive:
        party = replace(party, sensitive=torch.arange(len(party.images)) % 3, sensitive_classes=3)
    state = method.fit(party)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
    released(method.with_state(state), SHAPE)


@pytest.mark.parametrize("parameters", [{"weight": -1}, {"temperature": 0}, {"width": 3}, {"epochs": 0}])
def test_parameters_out_of_range_are_named(parameters: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        Learned.create(parameters)


def test_it_keeps_the_corner_that_matters_because_training_reaches_the_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses: list[float] = []

    def spied(*arguments: object, **named: object) -> list[float]:
        losses.extend(minimise(*arguments, **named))
        return losses

    monkeypatch.setattr("maskbench.methods.learned_masks.minimise", spied)
    method, party = Learned(weight=0), one_corner(0)
    method = method.with_state(method.fit(party))
    assert share_kept(method, noise_with_labels(100), PLAIN) > 0.9  # a random mask keeps it in a quarter
    assert losses[-1] < losses[0] / 4


def noise_with_labels(seed: int) -> Tensor:
    """Images of the same kind that nothing was trained on."""
    return one_corner(seed, 128).images


@pytest.mark.slow
def test_the_adversary_hides_a_corner_that_weight_0_keeps() -> None:
    """With a weight of 1 the corner went on some seeds only; with 3 it was kept in 4 % at most, on four seeds."""
    party, unseen = two_corners(0), two_corners(100, 128).images
    without, against = (
        method.with_state(method.fit(party)) for method in (Learned(weight=0, epochs=8), Learned(weight=3, epochs=30))
    )
    assert share_kept(without, unseen, MIXED) > 0.8
    assert share_kept(against, unseen, MIXED) < 0.1
    assert share_kept(against, unseen, PLAIN) > 0.8


def test_fitting_repeats_bit_for_bit_and_leaves_the_global_generator_alone() -> None:
    method = Learned(epochs=1, width=4)
    before = torch.random.get_rng_state()
    first, again, other = (method.fit(owner(method, SHAPE, seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_state_is_the_whole_of_what_was_learned() -> None:
    method = fitted(Learned(epochs=1, width=4), SHAPE)
    copied = {name: tensor.clone() for name, tensor in method.state.items()}
    elsewhere = Learned(epochs=1, width=4).with_state(copied)
    assert torch.equal(released(elsewhere, SHAPE).masks, released(method, SHAPE).masks)
    assert all(torch.equal(method.state[name], copied[name]) for name in copied)
    PixelNetwork(SHAPE[0], 1, 4).load_state_dict(copied)


def test_the_gradient_through_a_top_k_choice() -> None:
    scores = torch.tensor([3.0, 1.0, 0.0, -2.0]).view(1, 1, 2, 2).requires_grad_()
    hard = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2)
    chosen = straight_through(hard, scores, temperature=0.5)
    assert torch.equal(chosen.detach(), hard)
    chosen.sum().backward()
    share = torch.sigmoid((scores.detach() - 0.5) / 0.5)
    assert torch.allclose(scores.grad, share * (1 - share) / 0.5)
    for level in (0.0, 1.0):
        scores.grad = None
        straight_through(torch.full_like(hard, level), scores, temperature=0.5).sum().backward()
        assert torch.equal(scores.grad, torch.zeros_like(scores))


@pytest.mark.cuda
def test_training_on_cuda_keeps_the_corner_that_matters() -> None:
    method, party = Learned(weight=0), replace(one_corner(0), device=torch.device("cuda"))
    method = method.with_state({name: tensor.cpu() for name, tensor in method.fit(party).items()})
    assert share_kept(method, noise_with_labels(100), PLAIN) > 0.9
