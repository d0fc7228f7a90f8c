"""The owner's secret, from which every random number of a release comes.

With the random numbers known, noise could be subtracted and keyed methods undone. So the secret is drawn from the
operating system, and is never part of the release. Each image gets a number of its own from a keyed hash of its
pixels: who finds out the stream of one image learns nothing of another's, and the same image comes out the same
whenever it is released again. (Two random masks of one image would show more of it than one.)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import numpy as np

_BYTES = 32
_FIT_BITS = 32  # PyTorch's CPU generator uses no more of its seed
_RELEASE_BITS = 63  # what a signed 64-bit seed holds


class Secret:
    """256 secret bits."""

    def __init__(self, value: bytes) -> None:
        if len(value) != _BYTES:
            raise ValueError(f"a secret has {_BYTES} bytes, got {len(value)}")
        self.value = value

    @classmethod
    def draw(cls) -> Secret:
        """A fresh one, from the operating system."""
        return cls(os.urandom(_BYTES))

    @classmethod
    def from_seed(cls, seed: int) -> Secret:
        """The one of a seed: whoever knows or guesses the seed has it."""
        return cls(hashlib.sha256(f"maskbench desensitize {seed}".encode()).digest())

    def fit_seed(self, *purpose: str) -> int:
        """Seed for something that is fitted; below 2³², which every library's generator takes."""
        return self._number("/".join(("fit", *purpose)).encode(), _FIT_BITS)

    def release_seed(self) -> int:
        """Seed of the release."""
        return self._number(b"release", _RELEASE_BITS)

    def image_number(self, pixels: np.ndarray) -> int:
        """The number of an image (uint8 C H W): the same for the same pixels, unrelated for any others."""
        shape = "×".join(str(side) for side in pixels.shape)
        return self._number(f"image {shape} ".encode() + pixels.tobytes(), _RELEASE_BITS)

    def shuffled(self, names: Iterable[str]) -> list[str]:
        """The names in an order that nobody else can tell."""
        return sorted(names, key=lambda name: self._number(b"name " + os.fsencode(name), _RELEASE_BITS))

    def _number(self, content: bytes, bits: int) -> int:
        digest = hashlib.blake2b(content, key=self.value, digest_size=8).digest()
        return int.from_bytes(digest, "big") >> (64 - bits)
