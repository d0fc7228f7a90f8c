"""Seeds for the parts of an experiment, so that no two of them share a random stream."""

from __future__ import annotations

import hashlib


def derive(seed: int, *purpose: str) -> int:
    """A 32-bit seed for one purpose: ``derive(0, "release")`` is unrelated to ``derive(0, "teacher")``."""
    text = "/".join((str(seed), *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
