"""TorchScript files of the signature of big-lama.pt: (image N3HW, mask N1HW with 1 = hole) → image; random weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.models.fourier import FourierGenerator
from bench.training.seeding import seeded


class Inpainting(nn.Module):
    """The generator as its authors export it: holes are blanked, and what is known is put back."""

    def __init__(self, generator: FourierGenerator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """N 3 H W and N 1 H W (1 = hole) → N 3 H W."""
        predicted = self.generator(torch.cat([image * (1 - mask), mask], dim=1)).sigmoid()
        return mask * predicted + (1 - mask) * image


def write_torchscript(file: Path, **size: int) -> FourierGenerator:
    """Trace a generator of a size (full size by default) with random weights into a file; return it."""
    with seeded(0):
        generator = FourierGenerator(**size).eval()
    example = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is deprecated, and what LaMa comes in
        torch.jit.save(torch.jit.trace(Inpainting(generator).eval(), example), file)
    return generator
