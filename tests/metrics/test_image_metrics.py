"""PSNR and SSIM against scikit-image, one image at a time."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from maskbench.fills import mean_fill
from maskbench.metrics.image import (
    MS_SSIM_SIDE,
    PSNR_CAP,
    closeness,
    gain,
    ms_ssim,
    psnr,
    psnr_hole,
    ssim,
    ssim_hole,
    ssim_map,
)
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

SHAPES = [(6, 3, 32, 32), (4, 1, 28, 28), (3, 3, 64, 48), (2, 3, 11, 11), (2, 4, 11, 37), (2, 1, 100, 17)]
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}


def pair(shape: tuple[int, ...], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return a restoration, the raw images and masks; image 0 is flat, where SSIM's arithmetic is hardest."""
    generator = torch.Generator().manual_seed(seed)
    raw = torch.rand(shape, generator=generator)
    restored = (raw + 0.2 * torch.randn(shape, generator=generator)).clamp(0, 1)
    raw[0], restored[0] = 1.0, 0.98
    masks = (torch.rand(shape[0], 1, *shape[2:], generator=generator) > 0.6).float()
    return restored, raw, masks


def reference_ssim(restored: Tensor, raw: Tensor) -> tuple[np.ndarray, np.ndarray]:
    results = [
        structural_similarity(x.double().numpy(), y.double().numpy(), channel_axis=0, full=True, **WANG)
        for x, y in zip(restored, raw, strict=True)
    ]
    return np.array([value for value, _ in results]), np.stack([full.mean(0) for _, full in results])


def test_all_metrics_equal_scikit_image_per_image() -> None:
    wrong = []
    for shape in SHAPES:
        restored, raw, masks = pair(shape)
        values, maps = reference_ssim(restored, raw)
        hidden = masks[:, 0].numpy() == 0
        psnrs = [
            peak_signal_noise_ratio(y, x, data_range=1.0)
            for x, y in zip(restored.double().numpy(), raw.double().numpy(), strict=True)
        ]
        hole = [
            peak_signal_noise_ratio(y[:, h], x[:, h], data_range=1.0)
            for x, y, h in zip(restored.double().numpy(), raw.double().numpy(), hidden, strict=True)
        ]
        oracles = {
            "ssim_map": (ssim_map(restored, raw), maps, 1e-5),
            "ssim": (ssim(restored, raw), values, 1e-5),
            "ssim_hole": (
                ssim_hole(restored, raw, masks),
                [m[h].mean() for m, h in zip(maps, hidden, strict=True)],
                1e-5,
            ),
            "psnr": (psnr(restored, raw), psnrs, 1e-4),
            "psnr_hole": (psnr_hole(restored, raw, masks), hole, 1e-4),
        }
        for name, (ours, theirs, tolerance) in oracles.items():
            error = np.abs(ours.numpy() - np.asarray(theirs)).max()
            if not error <= tolerance:
                wrong.append(f"{name} {shape}: off by {error:.2g}, allowed {tolerance}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("restored_levels", "raw_levels"),
    [((1.0, 1.0), (1.0, 1.0)), ((0.98, 0.98), (1.0, 1.0)), ((0.01, 0.98), (0.0, 1.0)), ((1.0, 0.0), (0.0, 0.0))],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_flat_areas_equal_scikit_image(
    restored_levels: tuple[float, float], raw_levels: tuple[float, float], channels: int
) -> None:
    # What float32 gets wrong by 5e-4 when the variance is a difference of squares of values near 1.
    restored, raw = (torch.empty(2, channels, 40, 24) for _ in range(2))
    for images, (left, right) in ((restored, restored_levels), (raw, raw_levels)):
        images[..., :12], images[..., 12:] = left, right
    values, maps = reference_ssim(restored, raw)
    np.testing.assert_allclose(ssim(restored, raw).numpy(), values, atol=1e-5)
    np.testing.assert_allclose(ssim_map(restored, raw).numpy(), maps, atol=1e-5)


def test_closeness_is_the_four_metrics_in_one_pass() -> None:
    restored, raw, masks = pair((70, 3, 32, 32))
    masks[3] = 1
    close = closeness(restored, raw, masks)
    for ours, alone in zip(
        close,
        (psnr(restored, raw), ssim(restored, raw), psnr_hole(restored, raw, masks), ssim_hole(restored, raw, masks)),
        strict=True,
    ):
        torch.testing.assert_close(ours, alone, equal_nan=True)
    assert close.ssim_hole[3].isnan()


def test_autocast_and_lowered_precision_change_nothing() -> None:
    restored, raw, _ = pair((4, 3, 40, 40))
    expected = ssim(restored, raw)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(ssim(restored, raw), expected, atol=1e-6, rtol=0)
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        torch.testing.assert_close(ssim(restored, raw), expected, atol=1e-5, rtol=0)
    finally:
        torch.set_float32_matmul_precision(precision)


def test_float64_images_give_float64() -> None:
    restored, raw, masks = (batch.double() for batch in pair((4, 3, 20, 20)))
    assert {part.dtype for part in closeness(restored, raw, masks)} == {torch.float64}
    torch.testing.assert_close(ssim(restored, raw).float(), ssim(restored.float(), raw.float()), atol=1e-5, rtol=0)


def reference_ms_ssim(restored: np.ndarray, raw: np.ndarray) -> float:
    """One image C H W, written from the paper's equations with SciPy's filter; odd sides are mirrored."""
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    value = 1.0
    for scale, weight in enumerate(weights):
        blurred = partial(gaussian_filter, sigma=1.5, truncate=3.5, axes=(1, 2))
        x, y = blurred(restored), blurred(raw)
        xx, yy, xy = (blurred(a * b) - blurred(a) * blurred(b) for a, b in combinations_of(restored, raw))
        terms = (2 * xy + 0.03**2) / (xx + yy + 0.03**2)
        if scale == len(weights) - 1:
            terms = terms * (2 * x * y + 0.01**2) / (x**2 + y**2 + 0.01**2)
        value *= max(terms[:, 5:-5, 5:-5].mean(), 0) ** weight
        restored, raw = halved(restored), halved(raw)
    return value


def combinations_of(a: np.ndarray, b: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    return (a, a), (b, b), (a, b)


def halved(image: np.ndarray) -> np.ndarray:
    _, height, width = image.shape
    even = np.pad(image, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    return even.reshape(len(image), even.shape[1] // 2, 2, even.shape[2] // 2, 2).mean((2, 4))


@pytest.mark.parametrize("shape", [(2, 3, MS_SSIM_SIDE, 170), (2, 1, 176, 192)])
def test_ms_ssim_equals_the_papers_equations(shape: tuple[int, ...]) -> None:
    restored, raw, _ = pair(shape)
    expected = [reference_ms_ssim(x, y) for x, y in zip(restored.double().numpy(), raw.double().numpy(), strict=True)]
    np.testing.assert_allclose(ms_ssim(restored, raw).numpy(), expected, atol=1e-5)


def test_ms_ssim_is_near_torchmetrics() -> None:
    # Which takes the border in at the coarsest scale, so it is only near.
    functional = pytest.importorskip("torchmetrics.functional.image")
    restored, raw, _ = pair((2, 3, 176, 192))
    expected = functional.multiscale_structural_similarity_index_measure(
        restored.double(), raw.double(), data_range=1.0, reduction="none"
    )
    torch.testing.assert_close(ms_ssim(restored, raw), expected.float(), atol=5e-3, rtol=0)


def test_ms_ssim_of_the_same_and_of_inverted_images() -> None:
    _, raw, _ = pair((2, 1, MS_SSIM_SIDE, MS_SSIM_SIDE))
    torch.testing.assert_close(ms_ssim(raw, raw), torch.ones(2))
    assert ms_ssim(1 - raw, raw)[1] == 0  # a negative mean has no power


def test_ms_ssim_refuses_what_is_too_small() -> None:
    small = torch.zeros(1, 1, MS_SSIM_SIDE - 1, 200)
    with pytest.raises(ValueError, match="raw: MS-SSIM needs images of at least 161×161 pixels, got 160×200"):
        ms_ssim(small, small)


def test_a_batch_gives_what_its_images_give_alone() -> None:
    restored, raw, masks = pair((70, 3, 32, 32))  # more than one block of the SSIM computation
    for i in (0, 1, 35, 69):
        alone = slice(i, i + 1)
        torch.testing.assert_close(ssim_map(restored, raw)[alone], ssim_map(restored[alone], raw[alone]))
        torch.testing.assert_close(
            ssim_hole(restored, raw, masks)[alone], ssim_hole(restored[alone], raw[alone], masks[alone])
        )


def test_identical_images_reach_the_cap_and_one() -> None:
    _, raw, masks = pair((4, 3, 16, 16))
    assert psnr(raw, raw).tolist() == [PSNR_CAP] * 4
    assert psnr_hole(raw, raw, masks).tolist() == [PSNR_CAP] * 4
    torch.testing.assert_close(ssim(raw, raw), torch.ones(4))
    torch.testing.assert_close(ssim_hole(raw, raw, masks), torch.ones(4))


def test_psnr_of_a_known_error() -> None:
    raw = torch.zeros(2, 3, 12, 12)
    restored = raw.clone()
    restored[0] += 0.1
    restored[1, :, :, :6] = 0.1
    torch.testing.assert_close(psnr(restored, raw), torch.tensor([20.0, 20.0 + 10 * np.log10(2)]).float())
    masks = torch.ones(2, 1, 12, 12)
    masks[..., :6] = 0
    torch.testing.assert_close(psnr_hole(restored, raw, masks), torch.tensor([20.0, 20.0]))


def test_nothing_hidden_is_nan_not_a_score() -> None:
    restored, raw, masks = pair((3, 3, 16, 16))
    masks[1] = 1
    for values in (
        psnr_hole(restored, raw, masks),
        ssim_hole(restored, raw, masks),
        gain(restored, raw * masks, raw, masks),
    ):
        assert values.isnan().tolist() == [False, True, False]


def test_hole_metrics_ignore_kept_pixels() -> None:
    restored, raw, masks = pair((4, 3, 20, 20))
    changed = torch.where(masks == 1, 1 - restored, restored)
    torch.testing.assert_close(psnr_hole(restored, raw, masks), psnr_hole(changed, raw, masks))


def test_gain_of_mean_fill_is_zero() -> None:
    _, raw, masks = pair((4, 3, 16, 16))
    released = raw * masks
    assert gain(mean_fill(released, masks), released, raw, masks).tolist() == [0.0] * 4


def test_images_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(ValueError, match=r"raw: .*11×11.*10×20"):
        ssim(torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 20))


def test_empty_batches_give_empty_results() -> None:
    empty, masks = torch.zeros(0, 3, 16, 16), torch.ones(0, 1, 16, 16)
    assert psnr(empty, empty).shape == (0,)
    assert ssim_hole(empty, empty, masks).shape == (0,)


GOOD = torch.full((2, 3, 12, 12), 0.5)
MASKS = torch.ones(2, 1, 12, 12)
NAN = GOOD.clone()
NAN[1, 2, 3, 4] = float("nan")


@pytest.mark.parametrize("metric", [psnr, ssim, ssim_map])
@pytest.mark.parametrize(
    ("restored", "raw", "name"),
    [
        (NAN, GOOD, "restored"),
        (GOOD, NAN, "raw"),
        (GOOD + 0.6, GOOD, "restored"),
        (GOOD, GOOD - 0.6, "raw"),
        (GOOD, GOOD[:1], "raw"),
        (GOOD[0], GOOD[0], "restored"),
        (GOOD.half(), GOOD, "restored"),
        ((GOOD * 255).byte(), GOOD, "restored"),
    ],
)
def test_bad_images_are_refused_by_name(metric, restored: Tensor, raw: Tensor, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        metric(restored, raw)


@pytest.mark.parametrize("metric", [psnr_hole, ssim_hole])
@pytest.mark.parametrize("masks", [MASKS * 0.5, MASKS[:1], MASKS.expand(2, 3, 12, 12), MASKS * float("nan")])
def test_bad_masks_are_refused_by_name(metric, masks: Tensor) -> None:
    with pytest.raises(ValueError, match=r"^masks:"):
        metric(GOOD, GOOD, masks)


def test_boolean_masks_mean_the_same() -> None:
    restored, raw, masks = pair((3, 3, 16, 16))
    assert torch.equal(psnr_hole(restored, raw, masks), psnr_hole(restored, raw, masks.bool()))
