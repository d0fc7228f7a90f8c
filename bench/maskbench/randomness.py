"""Randomness that is repeatable: numbers that depend on the seed and the image alone, and generators seeded in a block.

A generator that is consumed in order gives an image other numbers when the batch size changes or the work moves to
a GPU. Here every image has a stream of its own, counted rather than consumed: number ``j`` of call ``c`` for image
``i`` is SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", section 4) of
``(seed, i, c, j)``, in integer arithmetic, so it is the same in any batch, in any order and on any device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from maskbench.errors import ContractViolation

_GAMMA = 0x9E3779B97F4A7C15  # the golden ratio in 64 bits, SplitMix64's increment
_FIRST = 0xBF58476D1CE4E5B9  # the two multipliers of its finalizer (Stafford's variant 13)
_SECOND = 0x94D049BB133111EB


def _signed(value: int) -> int:
    """The same 64 bits as a signed integer, which is what torch multiplies with wrap-around."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >= 1 << 63 else value


def _shift(bits: Tensor, by: int) -> Tensor:
    """Logical right shift: torch's own keeps the sign."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def _mix(bits: Tensor) -> Tensor:
    """SplitMix64's finalizer: a bijection of 64 bits in which every input bit moves every output bit."""
    bits = (bits ^ _shift(bits, 30)) * _signed(_FIRST)
    bits = (bits ^ _shift(bits, 27)) * _signed(_SECOND)
    return bits ^ _shift(bits, 31)


class Randomness:
    """Independent random streams, one for each image of a batch.

    Every method returns a tensor whose first dimension is the batch; each call draws fresh numbers.

    Args:
        seed: any integer; another seed gives unrelated numbers.
        images: int64, shape (N,): a number for each image, the same whenever that image comes again.
    """

    def __init__(self, seed: int, images: Tensor) -> None:
        start = torch.full_like(images, _signed(seed * _GAMMA))
        self._streams = _mix(_mix(start) + images * _signed(_GAMMA))
        self._calls = 0

    def __len__(self) -> int:
        return self._streams.shape[0]

    def _bits(self, shape: tuple[int, ...]) -> Tensor:
        self._calls += 1
        count = 1
        for side in shape:
            count *= side
        stream = _mix(self._streams + _signed(self._calls * _SECOND))
        counter = torch.arange(1, count + 1, device=stream.device, dtype=torch.int64) * _signed(_GAMMA)
        return _mix(stream[:, None] + counter[None, :]).view(len(self), *shape)

    def uniform(self, *shape: int) -> Tensor:
        """Float32 in [0, 1), shape (N, *shape), on a grid of 2⁻²⁴."""
        return _shift(self._bits(shape), 40).to(torch.float32) * 2.0**-24

    def integers(self, high: int, *shape: int) -> Tensor:
        """Int64 in 0 … high − 1, shape (N, *shape); the bias is below high / 2³¹."""
        return (_shift(self._bits(shape), 33) * high) >> 31

    def normal(self, *shape: int) -> Tensor:
        """Standard normal float32, shape (N, *shape), by the inverse distribution function."""
        uniform = (_shift(self._bits(shape), 11).to(torch.float64) + 0.5) * 2.0**-53
        return torch.special.ndtri(uniform).to(torch.float32)

    def laplace(self, *shape: int) -> Tensor:
        """Laplace float32 with location 0 and scale 1, shape (N, *shape), by the inverse distribution function."""
        centred = (_shift(self._bits(shape), 11).to(torch.float64) + 0.5) * 2.0**-53 - 0.5
        return (-centred.sign() * torch.log1p(-2 * centred.abs())).to(torch.float32)

    def permutation(self, count: int) -> Tensor:
        """Int64, shape (N, count): an independent permutation of 0 … count − 1 for each image."""
        return self._bits((count,)).argsort(dim=1, stable=True)


class NoRandomness(Randomness):
    """For who said that it draws nothing.

    Args:
        who: named in the error.
        images: as for ``Randomness``.
    """

    def __init__(self, who: str, images: Tensor) -> None:
        super().__init__(0, images)
        self._who = who

    def _bits(self, shape: tuple[int, ...]) -> Tensor:
        raise ContractViolation(
            f"{self._who} declares deterministic=True and draws random numbers: its release would be taken for the "
            "same in every draw and under every seed. Leave the declaration out."
        )


def derive(seed: int, *purpose: str) -> int:
    """A 32-bit seed for one purpose: ``derive(0, "release")`` is unrelated to ``derive(0, "teacher")``."""
    text = "/".join((str(seed), *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators (CPU, and CUDA's where it is in use) inside the block, restore them after.

    CUDA that was never used is not started for this: on a machine with a GPU, a run on the CPU stays off it.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
