"""The two controls that every result is read against."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from maskbench import Given, Method, Release
from torch import Tensor


class Raw(Method):
    """Release the image as it is: the upper end of utility, and of every attack."""

    name: ClassVar[str] = "raw"
    cpu_only: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True
    role: ClassVar[Literal["method", "raw", "null"]] = "raw"
    mirror_symmetric: ClassVar[bool] = True

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(images)


class FullMask(Method):
    """Hide everything: what any attack reaches here is chance."""

    name: ClassVar[str] = "full-mask"
    cpu_only: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True
    role: ClassVar[Literal["method", "raw", "null"]] = "null"
    mirror_symmetric: ClassVar[bool] = True
    masked: ClassVar[bool] = True

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(torch.zeros_like(images), torch.zeros_like(images[:, :1]))

    def promised_ratio(self) -> float:
        return 1.0
