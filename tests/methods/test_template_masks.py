"""Masks of the whole set, chosen for the task and against the sensitive label."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from mask_cases import COUNT, broken_promises, fitted, images, owner, released
from maskbench import Owner, UsageError
from maskbench.methods.template_masks import Template

SHAPE, SIDE, UNIT = (3, 32, 32), 32, 4
MANY = 400


@pytest.mark.parametrize("geometry", ["pixel", "patch"])
def test_promises(geometry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mask_cases.RATIOS", (0.75,) if geometry == "pixel" else (0.0, 0.75, 1.0))
    assert list(broken_promises(Template, geometry=geometry)) == []


@pytest.mark.parametrize("parameters", [{"weight": -1}, {"templates": 0}])
def test_parameters_out_of_range_are_named(parameters: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        Template.create(parameters)


def told(places: dict[tuple[int, int], str]) -> Owner:
    """Noise in which each of some units is painted by ``task`` or ``sensitive`` label, or by both of them."""
    generator = torch.Generator().manual_seed(0)
    labels, sensitive = torch.randint(2, (2, MANY), generator=generator)
    shown = torch.rand(MANY, 1, SIDE, SIDE, generator=generator) * 0.1 + 0.2
    levels = {"task": labels.float(), "sensitive": sensitive.float(), "both": (labels + sensitive) / 2}
    for (row, column), what in places.items():
        for at in (column, SIDE // UNIT - 1 - column):
            shown[:, 0, row * UNIT :, at * UNIT :][:, :UNIT, :UNIT] += 0.5 * levels[what].view(-1, 1, 1)
    return Owner(shown, labels, 2, sensitive, 2, {}, 0, torch.device("cpu"))


def kept(method: Template, party: Owner) -> set[tuple[int, int]]:
    """The units in the left half that every image keeps."""
    state = method.with_state(method.fit(party))
    masks = state.release(party.images, seed=1, numbers=torch.arange(MANY)).masks
    units = masks[:, 0, ::UNIT, ::UNIT].amin(dim=0)
    return {(row, column) for row, column in units.nonzero().tolist() if column < SIDE // UNIT // 2}


def test_the_task_is_kept_and_what_tells_the_sensitive_label_too_is_hidden_with_a_weight() -> None:
    party = told({(1, 1): "both", (5, 2): "sensitive", (6, 3): "task"})
    one_pair, two_pairs = 1 - 2 / 64, 1 - 4 / 64
    assert kept(Template(ratio=one_pair), party) == {(6, 3)}
    assert (1, 1) not in kept(Template(ratio=two_pairs, weight=2), party)
    # Given the first place the other one adds nothing on the task; without a weight it is no worse than the rest.
    assert (5, 2) not in kept(Template(ratio=two_pairs, weight=2), party)


def test_a_place_that_repeats_another_is_not_chosen_beside_it() -> None:
    party = told({(1, 1): "task", (6, 3): "task"})
    both = party.images.clone()
    other = torch.randint(2, (MANY,), generator=torch.Generator().manual_seed(9))
    labels = party.labels * 2 + other  # of four classes, two places tell one half and a third the other half
    for at in (0, 7):
        both[:, 0, 12:16, at * UNIT : (at + 1) * UNIT] += 0.4 * other.view(-1, 1, 1)
    party = replace(party, images=both, labels=labels, classes=4, sensitive=None, sensitive_classes=0)
    assert (3, 0) in kept(Template(ratio=1 - 4 / 64), party)


def test_the_masks_of_all_images_are_one_and_mirror_symmetric() -> None:
    masks = released(fitted(Template(), SHAPE), SHAPE).masks
    assert torch.equal(masks, masks[:1].expand_as(masks))
    assert torch.equal(masks, masks.flip(-1))
    assert float(masks.mean()) == 0.25


def test_of_several_masks_each_image_draws_one_whatever_it_shows() -> None:
    method = fitted(Template(templates=3), SHAPE)
    numbers = torch.arange(COUNT)
    masks = method.release(images(SHAPE), seed=5, numbers=numbers).masks
    assert len(masks.unique(dim=0)) == 3
    assert torch.equal(masks, method.release(1 - images(SHAPE), seed=5, numbers=numbers).masks)
    assert not torch.equal(masks, method.release(images(SHAPE), seed=6, numbers=numbers).masks)


def test_pictures_that_are_all_alike_can_be_fitted() -> None:
    party = owner(Template(), SHAPE)
    state = Template().fit(replace(party, images=torch.full_like(party.images, 0.5)))
    assert bool(torch.isfinite(state["scores"]).all())


def test_an_odd_side_and_small_units_are_chosen_in_blocks() -> None:
    shape = (1, 64, 50)
    masks = released(fitted(Template(geometry="pixel", ratio=0.5), shape), shape).masks
    assert abs(float(masks.mean()) - 0.5) < 1e-3


@pytest.mark.parametrize(("ratio", "rows", "columns"), [(0.75, 4, 4), (0.9, 3, 2)])
def test_a_square_lies_where_it_tells_most(ratio: float, rows: int, columns: int) -> None:
    at = {(4, 3): "task", (2, 3): "sensitive"}
    masks = masks_of(Template(ratio=ratio, shape="square", weight=2), told(at))
    units = masks[0, 0, ::UNIT, ::UNIT]
    high, wide = units.any(1).nonzero().flatten(), units.any(0).nonzero().flatten()
    assert (len(high), len(wide)) == (rows, columns)
    assert units[4, 3] == 1
    assert units[2, 3] == 0
    assert torch.equal(units.any(0), units.any(0).flip(0))


def test_a_window_is_twice_as_large_and_goes_round_what_tells_the_sensitive_label() -> None:
    """Six rows and columns of eight hold 16 places; what the corners tell is out of reach."""
    party = told({(0, 0): "task", (4, 1): "task", (5, 3): "sensitive"})
    units = masks_of(Template(shape="window", weight=2), party)[0, 0, ::UNIT, ::UNIT]
    high, wide = units.any(1).nonzero().flatten(), units.any(0).nonzero().flatten()
    assert int(units.sum()) == 16
    assert int(high.max() - high.min()) < 6
    assert int(wide.min()) >= 1
    assert units[4, 1] == 1
    assert units[5, 3] == 0


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_where_there_is_nothing_to_go_round_a_window_is_a_square(weight: float) -> None:
    party = told({(1, 1): "task", (4, 3): "task", (5, 3): "sensitive"})
    if weight:
        party = replace(party, sensitive=None, sensitive_classes=0)
    window, square = (masks_of(Template(shape=shape, weight=weight), party) for shape in ("window", "square"))
    assert torch.equal(window, square)


@pytest.mark.parametrize("shape", ["square", "window"])
def test_there_is_one_square_and_one_window(shape: str) -> None:
    with pytest.raises(UsageError, match=f"templates above 1 goes with shape=free: there is one {shape}"):
        Template.create({"shape": shape, "templates": 2})


@pytest.mark.parametrize("shape", ["square", "window"])
def test_the_other_shapes_keep_the_promises_too(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mask_cases.RATIOS", (0.0, 0.9, 1.0))
    assert list(broken_promises(Template, shape=shape)) == []


def masks_of(method: Template, party: Owner) -> torch.Tensor:
    """The masks of a method that is fitted on a party."""
    found = method.with_state(method.fit(party)).release(party.images, seed=1, numbers=torch.arange(MANY)).masks
    assert found is not None
    return found
