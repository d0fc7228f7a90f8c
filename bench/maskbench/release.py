"""What the owner hands out, the eight bits it is handed out in, and numbers for images that come without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NoReturn, Self

import torch
from torch import Tensor


class Release:
    """Desensitized images, and masks where the method has them; not to be changed.

    A release that the engine hands out holds eight bits a value, ``image_bytes`` and ``mask_bytes``; one that a method
    makes holds numbers. Either form is made of the other when it is first asked for, and kept.

    Args:
        images: float32, (N, C, H, W), in [0, 1].
        masks: float32, (N, 1, H, W), 1 = kept and 0 = hidden; None where the method hides nothing by a mask.
        restorations: name of a restoration attack → its images, float32; filled by the engine for the inference
            attacks that ask for it, never by a method.

    Attributes:
        task_labels: int64 (N,), where the attacker knows them, of training images; filled by the engine, never by a
            method; else None.
        soft_labels: float32 (N, classes of the task), logarithms of the probabilities that the owner's teacher gives
            the raw images, where the method hands these out, of training images; filled by the engine; else None.
    """

    task_labels: Tensor | None
    soft_labels: Tensor | None

    def __init__(
        self, images: Tensor, masks: Tensor | None = None, restorations: Mapping[str, Tensor] | None = None
    ) -> None:
        vars(self).update(images=images, masks=masks, restorations=restorations or {})
        vars(self).update(task_labels=None, soft_labels=None)

    @classmethod
    def of_bytes(
        cls, images: Tensor, masks: Tensor | None = None, restorations: Mapping[str, Tensor] | None = None
    ) -> Self:
        """A release that is held in eight bits.

        Args:
            images: uint8 (N, C, H, W).
            masks: uint8 (N, 1, H, W), 1 = kept and 0 = hidden; None where there are none.
            restorations: name of a restoration attack → its images, uint8; read when they are asked for.
        """
        release = cls.__new__(cls)
        vars(release).update(image_bytes=images, mask_bytes=masks, restoration_bytes=restorations or {})
        vars(release).update(task_labels=None, soft_labels=None)
        return release

    def with_task_labels(self, labels: Tensor | None) -> Release:
        """The same, with other task labels or none.

        Raises:
            ValueError: there is not one label for each image.
        """
        if labels is not None and labels.shape != (len(self),):
            raise ValueError(f"labels: expected one for each of {len(self)} images, got {tuple(labels.shape)}.")
        return self._with(task_labels=labels)

    def with_soft_labels(self, soft_labels: Tensor | None) -> Release:
        """The same, with other soft labels or none.

        Raises:
            ValueError: there is not one row for each image.
        """
        if soft_labels is not None and (soft_labels.ndim != 2 or len(soft_labels) != len(self)):
            raise ValueError(f"soft labels: expected {len(self)} rows, got {tuple(soft_labels.shape)}.")
        return self._with(soft_labels=soft_labels)

    def _with(self, **changed: Tensor | None) -> Release:
        release = Release.__new__(Release)
        vars(release).update(vars(self) | changed)
        return release

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"A release cannot be changed, its {name} neither: make another Release.")

    @cached_property
    def images(self) -> Tensor:
        """Float32 (N, C, H, W) in [0, 1]."""
        return to_float(self.image_bytes)

    @cached_property
    def image_bytes(self) -> Tensor:
        """Uint8 (N, C, H, W): what networks are trained on."""
        return to_bytes(self.images)

    @cached_property
    def masks(self) -> Tensor | None:
        """Float32 (N, 1, H, W), 1 = kept and 0 = hidden; None where there are none."""
        return None if self.mask_bytes is None else self.mask_bytes.to(torch.float32)

    @cached_property
    def mask_bytes(self) -> Tensor | None:
        """Uint8 (N, 1, H, W), 1 = kept and 0 = hidden; None where there are none."""
        return None if self.masks is None else self.masks.to(torch.uint8)

    @cached_property
    def restorations(self) -> Mapping[str, Tensor]:
        """Name of a restoration attack → its images, float32 (N, C, H, W) in [0, 1]."""
        return _Made(self.restoration_bytes, to_float)

    @cached_property
    def restoration_bytes(self) -> Mapping[str, Tensor]:
        """Name of a restoration attack → its images, uint8 (N, C, H, W)."""
        return _Made(self.restorations, to_bytes)

    def __len__(self) -> int:
        return len(self.image_bytes if self._in_bytes else self.images)

    @property
    def kept(self) -> Tensor:
        """The masks of a release that must have them: float32 (N, 1, H, W), 1 = kept.

        Raises:
            ValueError: the release has no masks; an attack that needs them says so with ``needs_masks``.
        """
        if self.masks is None:
            raise ValueError("This release has no masks.")
        return self.masks

    @property
    def kept_bytes(self) -> Tensor:
        """The same as uint8.

        Raises:
            ValueError: the release has no masks.
        """
        if self.mask_bytes is None:
            raise ValueError("This release has no masks.")
        return self.mask_bytes

    def select(self, index: Tensor | slice) -> Release:
        """The same release for some of its images."""
        if self._in_bytes:
            masks = None if self.mask_bytes is None else self.mask_bytes[index]
            chosen = Release.of_bytes(
                self.image_bytes[index], masks, _Made(self.restoration_bytes, lambda images: images[index])
            )
        else:
            masks = None if self.masks is None else self.masks[index]
            chosen = Release(self.images[index], masks, _Made(self.restorations, lambda images: images[index]))
        labels, soft = (None if each is None else each[index] for each in (self.task_labels, self.soft_labels))
        return chosen.with_task_labels(labels).with_soft_labels(soft)

    @property
    def _in_bytes(self) -> bool:
        return "image_bytes" in vars(self)


class _Made(Mapping[str, Tensor]):
    """A mapping whose values are made of those of another one, when they are first asked for."""

    def __init__(self, source: Mapping[str, Tensor], make: Callable[[Tensor], Tensor]) -> None:
        self._source, self._make = source, make
        self._known: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._known:
            self._known[name] = self._make(self._source[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)


def to_bytes(images: Tensor) -> Tensor:
    """Float [0, 1] → uint8. A release leaves the house as 8-bit pictures; an exact inverse of :func:`to_float`."""
    return (images * 255.0).round().to(torch.uint8)


def to_float(images: Tensor) -> Tensor:
    """Uint8 → float32 in [0, 1]."""
    return images.to(torch.float32) / 255.0


def as_bytes(images: Tensor) -> Tensor:
    """Images in either form as uint8."""
    return images if images.dtype == torch.uint8 else to_bytes(images)


def as_floats(images: Tensor) -> Tensor:
    """Images in either form as float32 in [0, 1]."""
    return to_float(images) if images.dtype == torch.uint8 else images


def content_numbers(release: Release) -> Tensor:
    """Int64 (N,), on the CPU: a hash of each released image and its mask, the same in any batch.

    For :class:`Randomness`, so that an attack's noise differs between images and depends on the image
    alone: noise that all images shared would make their errors go together, and intervals over images too narrow.
    A sum of bytes times random 64-bit numbers, modulo 2⁶⁴: two images that differ collide with a chance below 2⁻⁵⁵.
    """
    shown = [release.image_bytes] + ([] if release.mask_bytes is None else [release.mask_bytes * 255])
    content = torch.cat([planes.cpu().flatten(1) for planes in shown], dim=1).to(torch.int64)
    bounds = torch.iinfo(torch.int64)
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(bounds.min, bounds.max, (content.shape[1],), generator=generator)
    return (content * factors).sum(1)
