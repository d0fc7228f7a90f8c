"""Masks whose units are superpixels: their borders follow the image, so a mask's shape tells where its edges are."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import torch
from maskbench import Attribution, AttributionName, Given, MaskMethod, map_images
from numpy.typing import NDArray
from pydantic import Field
from skimage.segmentation import slic
from torch import Tensor


class Superpixel(MaskMethod):
    """Keep SLIC superpixels at random.

    Where the budget ends within a superpixel, that one is cut, from its top: the ratio is met within one pixel.
    """

    name: ClassVar[str] = "superpixel"
    mirror_symmetric: ClassVar[bool] = True
    source: ClassVar[str] = "SLIC: Achanta et al. 2012, doi:10.1109/TPAMI.2012.120"

    # The unit is the method itself, so the one value takes the place of the contract's two.
    geometry: Literal["superpixel"] = Field("superpixel", description="what is hidden or kept as one")  # type: ignore[assignment]
    patch: int = Field(4, ge=1, description="side in pixels of a square as large as the average superpixel")
    compactness: float = Field(10.0, gt=0, description="of SLIC: higher is squarer, lower follows the edges")

    def scores(self, images: Tensor, given: Given) -> Tensor:
        segments = superpixels(images, self.patch, self.compactness)
        worth = self.worth(segments, int(segments.max()) + 1, given)
        # Ties between superpixels at random: a numbering that starts in a corner must not decide.
        shuffle = given.rng.permutation(worth.shape[1])
        order = shuffle.gather(1, worth.gather(1, shuffle).argsort(dim=1, stable=True))
        rank = torch.empty_like(order).scatter(
            1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
        )
        height, width = images.shape[2:]
        from_below = torch.arange(height - 1, -1, -1, device=images.device).repeat_interleave(width)
        scores = rank.gather(1, segments.flatten(1)) * height + from_below
        return scores.view(-1, 1, height, width).to(torch.float32)

    def worth(self, segments: Tensor, count: int, given: Given) -> Tensor:
        """How much each superpixel deserves to be kept: N × count, for segments N H W numbered below count."""
        return given.rng.uniform(count)


class SaliencySuperpixel(Superpixel):
    """Keep the SLIC superpixels with the highest average attribution."""

    name: ClassVar[str] = "saliency-superpixel"
    source: ClassVar[str] = "our reading of 2312.08975; SLIC: Achanta et al. 2012, doi:10.1109/TPAMI.2012.120"

    attribution: AttributionName = Field("integrated-gradients", description="from `maskbench list attributions`")

    def requests(self) -> tuple[Attribution, ...]:
        return (Attribution(self.attribution),)

    def worth(self, segments: Tensor, count: int, given: Given) -> Tensor:
        attribution = given.attributions[Attribution(self.attribution)].flatten(1).double()
        where = segments.flatten(1)
        # In float64, so that the order in which a GPU adds does not show.
        total = attribution.new_zeros(len(where), count).scatter_add(1, where, attribution)
        pixels = attribution.new_zeros(len(where), count).scatter_add(1, where, torch.ones_like(attribution))
        return torch.where(pixels > 0, total / pixels.clamp(min=1), -torch.inf).to(torch.float32)


def superpixels(images: Tensor, side: int, compactness: float) -> Tensor:
    """SLIC superpixels of about side × side pixels: int64, N H W, numbered from 0 in each image.

    Grey images are segmented as their three equal channels, so that the compactness means the same for both.
    """
    height, width = images.shape[2:]
    wanted = max(round(height * width / side**2), 1)

    def segment(image: NDArray[np.generic]) -> NDArray[np.generic]:
        return slic(image, n_segments=wanted, compactness=compactness, start_label=0, channel_axis=-1)

    pictures = images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu().numpy()
    return torch.from_numpy(np.stack(map_images(segment, pictures)).astype(np.int64)).to(images.device)
