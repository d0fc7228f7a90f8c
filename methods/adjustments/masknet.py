"""MaskNet: our reading of the feature-selection network of arXiv 2312.08975, whose layers we could not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from maskbench import Adjustment, Recognizer
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

_OPEN = 2.0  # bias of the gates: sigmoid(2) = 0.88, so training starts close to the recognizer alone
_PROBE = 64  # side of the zeros that tell a recognizer's feature channels; every backbone takes it


class MaskNet(Adjustment):
    """A small network looks at the masked image and the mask, and selects features by soft gates."""

    name: ClassVar[str] = "masknet"
    source: ClassVar[str] = "our reading of 2312.08975"
    needs_masks: ClassVar[bool] = True

    gates: Literal["none", "input", "features", "both"] = Field(
        "both", description="where the gates are: none, input, features or both"
    )
    width: int = Field(16, ge=4, description="channels of the gating network")

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return GatedRecognizer(recognizer, self.gates, self.width)


class GatedRecognizer(nn.Module):
    """A recognizer whose input and feature stages are multiplied by gates in (0, 1) that see image and mask.

    The input is the masked image, gated per pixel. Each feature stage is gated per channel and position, from the
    same small trunk, pooled to the stage's resolution. Everything is trained jointly with the recognizer.
    """

    def __init__(self, recognizer: Recognizer, gates: str, width: int) -> None:
        super().__init__()
        self.recognizer = recognizer
        channels = recognizer.mean.shape[1]
        self.trunk = nn.Sequential(
            nn.Conv2d(channels + 1, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.input_gate = nn.Conv2d(width, 1, 1) if gates in ("input", "both") else None
        stages = recognizer.feature_layers if gates in ("features", "both") else ()
        sizes = _feature_channels(recognizer, stages, channels)
        self.feature_gates = nn.ModuleList(nn.Conv2d(width, size, 1) for size in sizes)
        for gate in [*self.feature_gates, *([self.input_gate] if self.input_gate else [])]:
            nn.init.zeros_(gate.weight)
            nn.init.constant_(gate.bias, _OPEN)
        self._seen: Tensor | None = None
        for stage, gate in zip(stages, self.feature_gates, strict=True):
            recognizer.get_submodule(stage).register_forward_hook(self._gated_by(gate))

    def _gated_by(self, gate: nn.Module) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            assert self._seen is not None, "the trunk has run"
            pooled = F.adaptive_avg_pool2d(self._seen, (output.shape[2], output.shape[3]))
            return output * torch.sigmoid(gate(pooled))

        return hook

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        """Logits N × classes of float32 images N C H W and masks N 1 H W (none: everything was kept)."""
        masks = torch.ones_like(images[:, :1]) if masks is None else masks
        self._seen = self.trunk(torch.cat([images, masks], dim=1))
        if self.input_gate is not None:
            gate = F.interpolate(
                self.input_gate(self._seen), size=images.shape[2:], mode="bilinear", align_corners=False
            )
            images = images * torch.sigmoid(gate)
        logits = self.recognizer(images)
        self._seen = None
        return logits


def _feature_channels(recognizer: Recognizer, stages: tuple[str, ...], channels: int) -> list[int]:
    """Channels of each feature stage, read off one pass of zeros."""
    sizes: list[int] = []
    handles = [
        recognizer.get_submodule(stage).register_forward_hook(lambda *call: sizes.append(call[2].shape[1]))
        for stage in stages
    ]
    training = recognizer.training
    recognizer.eval()
    with torch.no_grad():
        recognizer(torch.zeros(1, channels, _PROBE, _PROBE))
    recognizer.train(training)
    for handle in handles:
        handle.remove()
    return sizes
