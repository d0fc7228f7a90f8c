"""What a learned mask is made with: networks cheap enough to train several at once, and a gradient through top-k."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MEAN, STD = 0.5, 0.25
"""A normalisation for any image: batch normalisation takes care of the rest."""


class PixelNetwork(nn.Module):
    """A small convolutional network from an image to one or more values a pixel.

    Three scales, down to an eighth of the image, with skips, and a summary of the whole image at the coarsest. Two
    channels of coordinates tell it where it is (Liu et al. 2018, arXiv 1807.03247): what matters may lie in the same
    place in every image. Takes any size from 16 pixels on.
    """

    def __init__(self, channels: int, outputs: int, width: int) -> None:
        super().__init__()
        self.enter = _block(channels + 2, width, stride=2)
        self.down = _block(width, 2 * width, stride=2)
        self.deep = _block(2 * width, 2 * width, stride=2)
        self.join = _block(6 * width, 2 * width)
        self.rise = _block(3 * width, width)
        self.leave = nn.Conv2d(width, 4 * outputs, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images N C H W in [0, 1] to values N × outputs × H × W of any range."""
        count, _, height, width = images.shape
        rows = torch.linspace(-1, 1, height, device=images.device, dtype=images.dtype).view(1, 1, -1, 1)
        columns = torch.linspace(-1, 1, width, device=images.device, dtype=images.dtype).view(1, 1, 1, -1)
        places = [axis.expand(count, 1, height, width) for axis in (rows, columns)]
        fine = self.enter(torch.cat([(images - MEAN) / STD, *places], dim=1))
        middle = self.down(fine)
        coarse = self.deep(middle)
        whole = coarse.mean(dim=(2, 3), keepdim=True).expand(-1, -1, *middle.shape[2:])
        joined = self.join(torch.cat([middle, F.interpolate(coarse, size=middle.shape[2:]), whole], dim=1))
        risen = self.rise(torch.cat([fine, F.interpolate(joined, size=fine.shape[2:])], dim=1))
        return F.pixel_shuffle(self.leave(risen), 2)[..., :height, :width]


class SmallClassifier(nn.Module):
    """A classifier an order of magnitude cheaper than the recognizers: it tells what can be told, not more."""

    def __init__(self, channels: int, outputs: int, width: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _block(channels, width, kernel=5, stride=2),
            _block(width, 2 * width, stride=2),
            _block(2 * width, 4 * width, stride=2),
            nn.Flatten(2),
        )
        self.head = nn.Linear(4 * width, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Map images N C H W in [0, 1] to logits N × outputs."""
        return self.head(self.stages((images - MEAN) / STD).mean(dim=2))


def straight_through(hard: Tensor, scores: Tensor, temperature: float) -> Tensor:
    """The values of ``hard`` with the gradient of a sigmoid of the scores around the threshold that made it.

    The straight-through estimator (Bengio et al. 2013, arXiv 1308.3432, section 3.1) of a top-k choice. The threshold
    lies between the lowest kept and the highest hidden score of an image and is held fixed. Where all or nothing is
    kept there is no threshold and no gradient.

    Args:
        hard: N 1 h w, 1 where the score is among the highest, else 0.
        scores: the same shape, finite.
        temperature: > 0, in units of the scores; a low one lets only close calls learn.
    """
    flat, kept = scores.detach().flatten(1), hard.flatten(1) == 1
    lowest_kept = torch.where(kept, flat, torch.inf).amin(dim=1)
    highest_hidden = torch.where(kept, -torch.inf, flat).amax(dim=1)
    threshold = ((lowest_kept + highest_hidden) / 2).view(-1, 1, 1, 1)
    soft = torch.sigmoid((scores - threshold) / temperature)
    return hard + (soft - soft.detach())


def _block(channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )
