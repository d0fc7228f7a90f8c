from __future__ import annotations

import pytest
import torch
from maskbench.metrics.image import ssim_hole
from maskbench.training.similarity import similarity_map

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", [(3, 1, 16, 16), (2, 3, 32, 20)], ids=str)
def test_it_is_the_metric(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator)
    y = (x + 0.1 * torch.randn(shape, generator=generator)).clamp(0, 1)
    kept = (torch.rand(shape[0], 1, *shape[2:], generator=generator) < 0.3).float()
    found = (similarity_map(x, y) * (1 - kept)).sum((1, 2, 3)) / (1 - kept).sum((1, 2, 3))
    torch.testing.assert_close(found, ssim_hole(x, y, kept), rtol=1e-3, atol=1e-4)


def test_following_its_gradient_makes_pictures_alike() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 1, 16, 16, generator=generator)
    guess = torch.full_like(truth, 0.5).requires_grad_()
    optimizer = torch.optim.Adam([guess], lr=0.05)
    values = []
    for _ in range(60):
        loss = 1 - similarity_map(guess, truth).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[0] > 0.9
    assert values[-1] < 0.1


def test_flat_pictures_have_a_gradient_that_is_finite() -> None:
    flat = torch.full((1, 3, 16, 16), 0.5, requires_grad=True)
    similarity_map(flat, torch.full((1, 3, 16, 16), 0.5)).mean().backward()
    assert flat.grad is not None and bool(torch.isfinite(flat.grad).all())
