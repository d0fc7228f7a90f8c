"""TorchScript files of the signature of big-lama.pt: (image N3HW, mask N1HW with 1 = hole) → image; random weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from maskbench.attacks._fourier import FourierGenerator, FourierInpainter
from maskbench.randomness import seeded


def write_torchscript(file: Path, **size: int) -> FourierGenerator:
    """Trace a generator of a size (full size by default) with random weights into a file; return it."""
    with seeded(0):
        generator = FourierGenerator(**size).eval()
    example = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is deprecated, and what LaMa comes in
        torch.jit.save(torch.jit.trace(FourierInpainter(generator).eval(), example), file)
    return generator
