"""Classical inpainting: continue what is known around a hole into it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from maskbench import Release, RestorationAttack, map_images
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

_GREY = 0.5  # where nothing at all is kept there is nothing to continue


class _OpenCV(RestorationAttack):
    """OpenCV's inpainting of 8-bit images."""

    needs_masks: ClassVar[bool] = True
    cpu_only: ClassVar[bool] = True
    algorithm: ClassVar[str]

    radius: float = Field(3.0, gt=0, le=64, description="neighbourhood that a pixel is continued from, in pixels")

    def restore(self, release: Release, device: torch.device) -> Tensor:
        pictures = release.image_bytes.permute(0, 2, 3, 1).contiguous().numpy()
        holes = (release.kept_bytes[:, 0] == 0).to(torch.uint8).numpy()
        restored = np.stack(map_images(self._inpaint, pictures, holes))
        images = torch.from_numpy(restored).permute(0, 3, 1, 2).to(torch.float32) / 255
        return grey_where_empty(images, release)

    def _inpaint(self, picture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        import cv2  # here, so that listing and planning do not wait for it

        restored = cv2.inpaint(picture, hole, self.radius, getattr(cv2, self.algorithm))
        return np.asarray(restored, np.uint8).reshape(picture.shape)


class Telea(_OpenCV):
    """Telea's fast marching inpainting, through OpenCV."""

    name: ClassVar[str] = "telea"
    source: ClassVar[str] = "Telea 2004, An image inpainting technique based on the fast marching method"
    algorithm: ClassVar[str] = "INPAINT_TELEA"


class NavierStokes(_OpenCV):
    """Navier–Stokes inpainting, through OpenCV."""

    name: ClassVar[str] = "navier-stokes"
    source: ClassVar[str] = "Bertalmio et al. 2001, Navier-Stokes, fluid dynamics, and image and video inpainting"
    algorithm: ClassVar[str] = "INPAINT_NS"


class Biharmonic(RestorationAttack):
    """Biharmonic inpainting: smooth surfaces through the kept pixels, as scikit-image computes them."""

    name: ClassVar[str] = "biharmonic"
    source: ClassVar[str] = "Damelin and Hoang 2018, On surface completion and image inpainting by biharmonic functions"
    needs_masks: ClassVar[bool] = True
    cpu_only: ClassVar[bool] = True

    def restore(self, release: Release, device: torch.device) -> Tensor:
        pictures = release.images.permute(0, 2, 3, 1).double().contiguous().numpy()
        holes = (release.kept_bytes[:, 0] == 0).numpy()
        restored = np.stack(map_images(_continued, pictures, holes))
        images = torch.from_numpy(restored).permute(0, 3, 1, 2).to(torch.float32).clamp(0, 1)
        return grey_where_empty(images, release)


def _continued(picture: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    from ._biharmonic import biharmonic  # here, so that listing and planning do not wait for scipy

    return picture if hole.all() else biharmonic(picture, hole)


def grey_where_empty(images: Tensor, release: Release) -> Tensor:
    """Mid-grey for the images of a release that keep no pixel: inpainting is undefined there."""
    empty = (release.kept == 0).all(dim=3, keepdim=True).all(dim=2, keepdim=True)
    return torch.where(empty, _GREY, images)
