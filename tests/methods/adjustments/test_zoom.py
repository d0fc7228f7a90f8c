"""The recognizer sees what is kept, enlarged, and nothing else."""

from __future__ import annotations

import pytest
import torch
from maskbench import build_recognizer
from maskbench.plugins.catalogue import create_nested
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 32


class Spy(nn.Module):
    """Keeps what it is shown."""

    shown: Tensor

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        self.shown = images
        return images.mean((2, 3))


def zoomed(text: str = "zoom") -> tuple[nn.Module, Spy]:
    recognizer = build_recognizer("small:width=2", channels=3, classes=3, size=(SIDE, SIDE))
    module = create_nested("adjustment", text).wrap(recognizer, None)
    module.network = spy = Spy()
    return module, spy


def square(top: int, left: int, height: int, width: int, size: tuple[int, int] = (SIDE, SIDE)) -> Tensor:
    mask = torch.zeros(1, 1, *size)
    mask[:, :, top : top + height, left : left + width] = 1
    return mask


def test_a_square_is_enlarged_as_interpolation_does_it() -> None:
    module, spy = zoomed()
    images = torch.rand(1, 3, SIDE, SIDE)
    mask = square(4, 12, 16, 16)
    module.eval()(images * mask, mask)
    cut = images[:, :, 4:20, 12:28]
    expected = F.interpolate(cut, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    torch.testing.assert_close(spy.shown[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1])


@pytest.mark.parametrize("mask", [torch.ones(1, 1, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE), None])
def test_all_or_nothing_is_left_as_it_is(mask: Tensor | None) -> None:
    module, spy = zoomed()
    images = torch.rand(1, 3, SIDE, SIDE)
    module.eval()(images, mask)
    torch.testing.assert_close(spy.shown, images)


def test_proportions_stay() -> None:
    module, spy = zoomed()
    images = torch.zeros(1, 3, 32, 64)
    images[:, :, 8:16, 20:28] = 1  # a square in what is kept
    module.eval()(images, square(8, 16, 8, 16, (32, 64)))
    lit = spy.shown[0, 0] > 0.5
    height, width = lit.any(1).sum(), lit.any(0).sum()
    assert height > 8
    assert float(width / height) == pytest.approx(1, abs=0.1)


def test_each_picture_has_its_own_frame() -> None:
    module, spy = zoomed()
    images = torch.rand(1, 3, SIDE, SIDE).expand(2, -1, -1, -1)
    module.eval()(images, torch.cat([square(0, 0, 8, 8), square(16, 16, 16, 16)]))
    assert not torch.equal(spy.shown[0], spy.shown[1])


def test_the_frame_moves_in_training_alone() -> None:
    module, spy = zoomed("zoom(shift=0.5)")
    images, mask = torch.rand(1, 3, SIDE, SIDE), square(8, 8, 16, 16)
    seen = []
    for mode in (True, True, False, False):
        module.train(mode)(images, mask)
        seen.append(spy.shown)
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[2], seen[3])


@pytest.mark.cuda
def test_it_runs_on_a_gpu() -> None:
    module, spy = zoomed()
    images, mask = torch.rand(1, 3, SIDE, SIDE), square(4, 12, 16, 16)
    module.eval()(images, mask)
    here = spy.shown
    module.cuda()(images.cuda(), mask.cuda())
    torch.testing.assert_close(spy.shown.cpu(), here, atol=1e-3, rtol=1e-3)
