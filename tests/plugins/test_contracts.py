"""The sealed bases: what a plug-in may do, and how it is told what it may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
import torch
from maskbench import ContractViolation, Given, MaskMethod, Method, Randomness, Release, RestorationAttack, UsageError
from maskbench.plugins.mask_method import keep_highest
from pydantic import Field
from torch import Tensor

IMAGES = torch.linspace(0, 255, 4 * 3 * 16 * 16).round().view(4, 3, 16, 16) / 255
NUMBERS = torch.arange(4)


class _Half(MaskMethod):
    """Keep by brightness."""

    name: ClassVar[str] = "half"

    strength: int = Field(3, ge=1, le=9)

    def scores(self, images: Tensor, given: Given) -> Tensor:
        return images.mean(dim=1, keepdim=True)


def _method(desensitize: Any, masked: bool = True, promised: float | None = None) -> Method:
    namespace = {
        "__module__": __name__,
        "__annotations__": {"name": ClassVar[str], "masked": ClassVar[bool]},
        "name": "bad",
        "masked": masked,
        "desensitize": lambda self, images, given: desensitize(images, given),
        "promised_ratio": lambda self: promised,
    }
    return type("Bad", (Method,), namespace)()


def _masks(images: Tensor, value: float = 1.0) -> Tensor:
    return torch.full_like(images[:, :1], value)


VIOLATIONS = {
    "not a release": (lambda images, given: images, "not a maskbench.Release"),
    "wrong shape": (lambda images, given: Release(images[:, :, :8], _masks(images)), r"shape \(4, 3, 8, 16\)"),
    "NaN": (lambda images, given: Release(images * float("nan"), _masks(images)), "NaN"),
    "out of range": (lambda images, given: Release(images + 0.5, _masks(images)), r"outside \[0, 1\]"),
    "integers": (lambda images, given: Release(images.long(), _masks(images)), "float32"),
    "mask not binary": (lambda images, given: Release(images, _masks(images, 0.5)), "not binary"),
    "mask of three channels": (lambda images, given: Release(images, torch.ones_like(images)), r"expected \(4, 1"),
    "no mask": (lambda images, given: Release(images), "must come with masks"),
    "kept pixels changed": (lambda images, given: Release(1 - images, _masks(images)), "kept pixels stay"),
    "input changed": (lambda images, given: Release(images.mul_(0.5), _masks(images)), "in place"),
    "on another device": (lambda images, given: Release(images.to("meta"), _masks(images)), "images on meta, expected"),
    "masks on another device": (lambda images, given: Release(images, _masks(images).to("meta")), "masks on meta"),
    "a list": (lambda images, given: Release([1], _masks(images)), "not as a torch tensor"),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_broken_promise_is_named(name: str) -> None:
    desensitize, message = VIOLATIONS[name]
    with pytest.raises(ContractViolation, match=message) as caught:
        _method(desensitize).release(IMAGES.clone(), seed=0, numbers=NUMBERS)
    assert "method 'bad'" in str(caught.value)


def _first_rows_hidden(images: Tensor, given: Given, rows: Sequence[int]) -> Release:
    masks = _masks(images)
    for image, count in enumerate(rows):
        masks[image, :, :count] = 0
    return Release(images * masks, masks)


@pytest.mark.parametrize(
    ("promised", "rows", "message"),
    [
        (0.75, [12, 0, 12, 0], r"to hide 0\.75 of each image but hides nothing of 2 of 4 images.*smaller patch"),
        (0.001, [0, 0, 0, 0], "but hides nothing of 4 of 4 images"),
        (None, [3, 3, 3, 0], "promised to hide a part of each image but hides nothing of 1 of 4 images"),
        (0.75, [12, 12, 11, 12], r"hides too little of 1 of 4 images, down to 0\.6875"),
        (0.75, [12, 12, 13, 12], r"hides too much of 1 of 4 images, up to 0\.8125"),
    ],
)
def test_a_ratio_that_is_not_kept_is_named(promised: float | None, rows: list[int], message: str) -> None:
    method = _method(lambda images, given: _first_rows_hidden(images, given, rows), promised=promised)
    with pytest.raises(ContractViolation, match=message):
        method.release(IMAGES, seed=0, numbers=NUMBERS)


@pytest.mark.parametrize(
    ("ratio", "wrong"), [(0.63, "too little"), (0.62, None), (0.5, None), (0.26, None), (0.24, "too much")]
)
def test_half_a_unit_may_be_missing_and_one_may_be_over(ratio: float, wrong: str | None) -> None:
    class Upper(MaskMethod):
        """Hide the upper half, whatever is promised."""

        name: ClassVar[str] = "upper"

        def mask(self, images: Tensor, given: Given) -> Tensor:
            return _first_rows_hidden(images, given, [8] * 4).kept

    method = Upper(ratio=ratio, patch=8)  # a unit is a quarter of the image
    if wrong is None:
        method.release(IMAGES, seed=0, numbers=NUMBERS)
    else:
        with pytest.raises(ContractViolation, match=f"{wrong} of 4 of 4 images"):
            method.release(IMAGES, seed=0, numbers=NUMBERS)


ONE_COLOUR = torch.tensor([0.2, 0.4, 0.6]).mul(255).round().div(255).view(1, 3, 1, 1).expand(1, 3, 16, 16)


def test_an_image_that_comes_out_as_it_went_in_is_refused_unless_it_is_of_one_colour() -> None:
    method = _method(lambda images, given: Release(torch.cat([1 - images[:1], images[1:]])), masked=False)
    with pytest.raises(ContractViolation, match=r"released 3 of 4 images as raw as it came in.*16×16 px"):
        method.release(IMAGES, seed=0, numbers=NUMBERS)
    released = method.release(torch.cat([IMAGES[:1], ONE_COLOUR]), seed=0, numbers=NUMBERS[:2])
    assert torch.equal(released.images[1:], ONE_COLOUR)


def test_a_difference_below_eight_bits_is_none() -> None:
    method = _method(lambda images, given: Release((images - 0.001).clamp(0, 1)), masked=False)
    with pytest.raises(ContractViolation, match=r"4 of 4 images as raw"):
        method.release(IMAGES, seed=0, numbers=NUMBERS)


def test_what_a_mask_hides_is_not_shown() -> None:
    def half(images: Tensor, given: Given) -> Release:
        masks = _masks(images)
        masks[:, :, :8] = 0
        return Release(images, masks)

    with pytest.raises(ContractViolation, match=r"4 of 4 images as raw.*the fill shows what the mask hides"):
        _method(half).release(IMAGES, seed=0, numbers=NUMBERS)
    white_above = IMAGES.clone()
    white_above[:, :, :8] = 1
    _method(half).release(white_above, seed=0, numbers=NUMBERS)


def test_the_raw_control_is_exempt() -> None:
    class AsItIs(Method):
        name: ClassVar[str] = "as-it-is"
        role: ClassVar[str] = "raw"

        def desensitize(self, images: Tensor, given: Given) -> Release:
            return Release(images)

    assert torch.equal(AsItIs().release(IMAGES, seed=0, numbers=NUMBERS).images, IMAGES)


def test_one_unit_that_covers_the_image_hides_nothing_or_all_and_nothing_is_refused() -> None:
    with pytest.raises(ContractViolation, match=r"hides nothing of 4 of 4 images, where one unit of its mask is 1 of"):
        _Half(patch=16, ratio=0.4).release(IMAGES, seed=0, numbers=NUMBERS)
    assert not _Half(patch=16, ratio=0.6).release(IMAGES, seed=0, numbers=NUMBERS).masks.any()


def test_a_patch_may_be_larger_than_the_image_by_any_factor() -> None:
    released = [_Half(patch=patch, ratio=0.6).release(IMAGES, seed=0, numbers=NUMBERS) for patch in (16, 99_999)]
    assert torch.equal(released[0].images, released[1].images)


def test_what_judges_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="sealed"):

        class Cheat(Method):
            name: ClassVar[str] = "cheat"

            def release(self, *arguments: Any, **named: Any) -> Release:
                return Release(IMAGES)

    with pytest.raises(TypeError, match=r"RestorationAttack\.restored"):

        class CheatAttack(RestorationAttack):
            name: ClassVar[str] = "cheat"

            def restored(self, release: Release, device: torch.device) -> Tensor:
                return IMAGES


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"strenght": 2}, "did you mean 'strength'"),
        ({"ratio": float("nan")}, "ratio=nan is not valid"),
        ({"ratio": 1.3}, r"ratio=1\.3 is not valid: .*less than or equal to 1"),
        ({"strength": "many"}, "strength='many'"),
        ({"fill": "zeroo"}, "did you mean 'zero'"),
        ({"adjust": "masknt"}, "did you mean 'masknet'"),
        ({"adjust": "masknet(gate=both)"}, "did you mean 'gates'"),
        ({"geometry": "hexagon"}, "'pixel' or 'patch'"),
    ],
)
def test_wrong_parameters_name_the_nearest(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _Half.create(parameters)


def test_a_fitted_copy_leaves_the_original_alone() -> None:
    method = _Half()
    fitted = method.with_state({"x": torch.ones(1)})
    assert method.state is None
    assert torch.equal(fitted.state["x"], torch.ones(1))
    assert fitted == method or fitted.model_dump() == method.model_dump()


def test_labels_show_what_differs_from_the_defaults() -> None:
    assert _Half().label() == "half"
    assert _Half(patch=8, ratio=0.5).label() == "half:ratio=0.5,patch=8"
    assert _Half(patch=8, ratio=0.5).label(leave_out=("ratio",)) == "half:patch=8"


@pytest.mark.parametrize("fill", ["zero", "mean", "noise", "blur"])
@pytest.mark.parametrize("geometry", ["pixel", "patch"])
def test_mask_methods_keep_their_ratio_and_their_pixels(fill: str, geometry: str) -> None:
    for size in [(16, 16), (28, 28), (48, 32), (30, 21)]:
        images = (torch.rand(5, 3, *size, generator=torch.Generator().manual_seed(0)) * 255).round() / 255
        for ratio in (0.0, 0.1, 0.5, 0.75, 1.0):
            method = _Half(fill=fill, geometry=geometry, ratio=ratio)
            release = method.release(images, seed=0, numbers=torch.arange(5))
            hidden = 1 - release.masks.mean(dim=(1, 2, 3))
            assert float((hidden - ratio).abs().max()) <= method.ratio_tolerance(*size)
            assert torch.equal(release.images * release.masks, images * release.masks)


def test_the_highest_scores_stay() -> None:
    scores = torch.tensor([[0.1, 0.9], [0.5, 0.3]]).view(1, 1, 2, 2)
    mask = keep_highest(scores, (4, 4), 2, 0.5, Randomness(0, torch.tensor([0])))
    expected = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(mask[0, 0], expected)


def test_equal_scores_are_broken_at_random_and_not_by_place() -> None:
    count = 2000
    masks = keep_highest(torch.zeros(count, 1, 8, 8), (8, 8), 1, 0.75, Randomness(0, torch.arange(count)))
    often = masks.mean(dim=0)
    # Standard deviation of a mean of 2000 draws at 1/4: 0.0097.
    assert float((often - 0.25).abs().max()) < 0.05


def test_batch_size_does_not_change_a_release() -> None:
    images = (torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 255).round() / 255
    numbers = torch.arange(100, 164)
    whole = _Half(fill="noise").release(images, seed=5, numbers=numbers)
    for size in (1, 7):
        parts = [
            _Half(fill="noise").release(batch, seed=5, numbers=number)
            for batch, number in zip(images.split(size), numbers.split(size), strict=True)
        ]
        assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
        assert torch.equal(torch.cat([part.masks for part in parts]), whole.masks)


class _Attack(RestorationAttack):
    """Return what it is told to."""

    name: ClassVar[str] = "told"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return self.state


CPU = torch.device("cpu")


def test_kept_pixels_are_bit_identical_through_any_restoration() -> None:
    masks = (torch.rand(4, 1, 16, 16) > 0.5).float()
    release = Release(IMAGES * masks, masks)
    restored = _Attack().with_state(torch.rand(4, 3, 16, 16)).restored(release, CPU)
    assert torch.equal(restored * masks, IMAGES * masks)
    assert not torch.equal(restored, IMAGES)


@pytest.mark.parametrize(
    ("answer", "message"),
    [(IMAGES[:2], "shape"), (IMAGES * 2, r"outside \[0, 1\]"), (IMAGES / 0, "NaN or infinite"), ("no", "torch tensor")],
)
def test_a_bad_restoration_is_named(answer: Any, message: str) -> None:
    with pytest.raises(ContractViolation, match=message) as caught:
        _Attack().with_state(answer).restored(Release(IMAGES), CPU)
    assert "attack 'told'" in str(caught.value)


def test_a_plugin_of_another_contract_is_told_so() -> None:
    with pytest.raises(TypeError, match=r"version 1 of maskbench's contracts.*CHANGELOG"):

        class Old(RestorationAttack):
            """Of another time."""

            name: ClassVar[str] = "old"
            contract: ClassVar[int] = 1

            def restore(self, release: Release, device: torch.device) -> Tensor:
                return release.images


def test_what_contract_1_had_is_not_passed_over() -> None:
    with pytest.raises(TypeError, match="trains_on: it is called learns_from now"):

        class Old(RestorationAttack):
            """Of another time."""

            name: ClassVar[str] = "old"
            trains_on: ClassVar[str] = "pairs"

            def restore(self, release: Release, device: torch.device) -> Tensor:
                return release.images
