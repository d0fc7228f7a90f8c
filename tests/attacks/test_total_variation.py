"""Total variation inpainting: close to the minimum, and the minimum where it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from maskbench import Release
from maskbench.attacks.inpainting import Telea
from maskbench.attacks.total_variation import TotalVariation, divergence, gradient, minimise_total_variation
from maskbench.data.load import load
from maskbench.data.options import DataOptions
from maskbench.fills import mean_fill
from maskbench.methods.random_masks import Random
from maskbench.release import to_bytes, to_float
from restoration_cases import CPU, NOTHING_KEPT, SHAPES, released
from torch import Tensor

ITERATIONS = TotalVariation().iterations
CLOSE = 0.02  # of the total variation: what the solver may be away from the minimum


def total_variation(images: Tensor) -> Tensor:
    """Σ‖∇u‖ of each image, by NumPy."""
    down, right = (np.diff(images.double().numpy(), axis=axis) for axis in (2, 3))
    down, right = np.pad(down, ((0, 0), (0, 0), (0, 1), (0, 0))), np.pad(right, ((0, 0), (0, 0), (0, 0), (0, 1)))
    return torch.from_numpy(np.sqrt((down**2 + right**2).sum(axis=1)).sum(axis=(1, 2)))


def gap(restored: Tensor, dual: Tensor, masks: Tensor) -> Tensor:
    """An upper bound on Σ‖∇u‖ − min Σ‖∇u‖ of each image, by weak duality; needs nothing of the solver to be right."""
    assert bool((dual.square().sum(dim=(1, 2)) <= 1 + 1e-5).all())
    pull = -divergence(dual.double())
    bound = torch.where(masks == 1, restored.double() * pull, pull.clamp(max=0)).sum(dim=(1, 2, 3))
    return total_variation(restored) - bound


def blocks(size: int = 32) -> Tensor:
    """Piecewise constant images: a rectangle on a ground, 2 × 3 × size × size."""
    images = torch.full((2, 3, size, size), 0.2)
    images[0, :, size // 4 : 3 * size // 4, size // 3 :] = 0.8
    images[1, 0, :, : size // 2] = 0.6
    return to_float(to_bytes(images))


def scattered(images: Tensor, seed: int = 0) -> Release:
    masks = (torch.rand(images[:, :1].shape, generator=torch.Generator().manual_seed(seed)) < 0.25).float()
    return Release(images * masks, masks)


def test_divergence_is_minus_the_transpose_of_the_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    images, others = (torch.rand(2, 3, 7, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    field = gradient(others)
    assert torch.allclose((gradient(images) * field).sum(), -(images * divergence(field)).sum())


def test_the_minimum_of_one_row_is_known() -> None:
    images = torch.rand(4, 1, 1, 24, generator=torch.Generator().manual_seed(2))
    masks = torch.zeros(4, 1, 1, 24)
    masks[..., ::3] = 1
    restored = minimise_total_variation(images, masks, ITERATIONS)[0]
    # Whatever rises and falls between two kept pixels only adds to their difference.
    shortest = images[..., ::3].diff(dim=3).abs().sum(dim=(1, 2, 3)).double()
    share = total_variation(restored) / shortest
    assert bool(((share > 1 - 1e-5) & (share < 1.01)).all())


@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_it_converges_on_pictures_with_large_holes(shape: tuple[int, int, int]) -> None:
    release = released(shape)
    images, masks = release.images, release.masks
    restored, dual = minimise_total_variation(images, masks, ITERATIONS)
    assert torch.equal(torch.where(masks == 1, restored, 0.0), images * masks)
    assert total_variation(restored)[NOTHING_KEPT] == 0
    closer, its_dual = minimise_total_variation(images, masks, 8 * ITERATIONS)
    # Wide smooth slopes converge last: photographs, below, are ten times closer after as many iterations.
    assert bool((total_variation(restored) <= 1.05 * total_variation(closer)).all())
    assert float(gap(closer, its_dual, masks).sum()) < 0.2 * float(gap(restored, dual, masks).sum())


@pytest.mark.parametrize("geometry", ["patch", "pixel"])
@pytest.mark.parametrize(("source", "size"), [("cifar10-jpeg", 32), ("flowers128", 64)])
def test_the_minimum_is_near_on_photographs(source: str, size: int, geometry: str, shared_data: Path) -> None:
    folder = shared_data / source
    if not folder.is_dir():
        pytest.skip(f"no {source} beside the other real data")
    images = to_float(load(DataOptions(source=str(folder), size=size, limit=50)).images[:8])
    release = Random(geometry=geometry).release(images, seed=0, numbers=torch.arange(len(images)))
    restored, dual = minimise_total_variation(release.images, release.masks, ITERATIONS)
    share = gap(restored, dual, release.masks) / total_variation(restored)
    print(
        f"{source}, {geometry}: gap {float(share.mean()):.2%} of the total variation, at most {float(share.max()):.2%}"
    )
    assert bool((share <= CLOSE).all())


def test_shorter_contours_than_mean_fill_and_telea() -> None:
    release = scattered(blocks())
    variation = total_variation(TotalVariation().restored(release, CPU))
    for other in (mean_fill(release.images, release.masks), Telea().restored(release, CPU)):
        assert bool((variation < 0.9 * total_variation(other)).all())


def test_a_straight_edge_is_continued() -> None:
    images = blocks()[1:]  # split in two halves: the shortest contour is the straight one
    masks = torch.ones(1, 1, 32, 32)
    masks[:, :, 8:24] = 0
    restored = TotalVariation(iterations=4000).restored(Release(images * masks, masks), CPU)
    assert float((restored - images).abs().max()) <= 2 / 255


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    release = released((3, 32, 32))
    attack = TotalVariation(iterations=20)
    whole = attack.restored(release, CPU)
    monkeypatch.setattr("maskbench.attacks.total_variation._BLOCK_CPU", 2 * 3 * 32 * 32)
    assert torch.equal(attack.restored(release, CPU), whole)
