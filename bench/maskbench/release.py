"""What the owner hands out, the eight bits it is handed out in, and numbers for images that come without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Release:
    """Desensitized images, and masks where the method has them.

    Attributes:
        images: float32, (N, C, H, W), in [0, 1].
        masks: float32, (N, 1, H, W), 1 = kept and 0 = hidden; None where the method hides nothing by a mask.
        restorations: name of a restoration attack → its images; filled by the engine for the inference attacks
            that ask for it, never by a method.
    """

    images: Tensor
    masks: Tensor | None = None
    restorations: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.images.shape[0]

    @property
    def kept(self) -> Tensor:
        """The masks of a release that must have them: float32 (N, 1, H, W), 1 = kept.

        Raises:
            ValueError: the release has no masks; an attack that needs them says so with ``needs_masks``.
        """
        if self.masks is None:
            raise ValueError("This release has no masks.")
        return self.masks

    def select(self, index: Tensor | slice) -> Release:
        """The same release for some of its images."""
        return Release(
            self.images[index],
            None if self.masks is None else self.masks[index],
            {name: images[index] for name, images in self.restorations.items()},
        )


def to_bytes(images: Tensor) -> Tensor:
    """Float [0, 1] → uint8. A release leaves the house as 8-bit pictures; an exact inverse of :func:`to_float`."""
    return (images * 255.0).round().to(torch.uint8)


def to_float(images: Tensor) -> Tensor:
    """Uint8 → float32 in [0, 1]."""
    return images.to(torch.float32) / 255.0


def content_numbers(release: Release) -> Tensor:
    """Int64 (N,), on the CPU: a hash of each released image and its mask, the same in any batch.

    For :class:`Randomness`, so that an attack's noise differs between images and depends on the image
    alone: noise that all images shared would make their errors go together, and intervals over images too narrow.
    A sum of bytes times random 64-bit numbers, modulo 2⁶⁴: two images that differ collide with a chance below 2⁻⁵⁵.
    """
    shown = [to_bytes(release.images)] + ([] if release.masks is None else [to_bytes(release.masks)])
    content = torch.cat([planes.cpu().flatten(1) for planes in shown], dim=1).to(torch.int64)
    bounds = torch.iinfo(torch.int64)
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(bounds.min, bounds.max, (content.shape[1],), generator=generator)
    return (content * factors).sum(1)
