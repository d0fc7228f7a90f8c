"""Content hashes of files and of image bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from maskbench.data.image_files import regular_file
from maskbench.data.paths import shown
from maskbench.data.pixels import UnreadableImage
from maskbench.data.source import unreadable
from maskbench.parallel import map_ranges

_DIGEST_BYTES = 16  # 128 bits: no accidental collision at any number of images that fits in memory


def hash_files(root: Path, files: Sequence[Path]) -> str:
    """Return the sha256 (hex) over names below `root` and contents of `files`, in the names' order."""
    names = sorted((path.relative_to(root).as_posix(), path) for path in files)
    contents = map_ranges(lambda part: [_hash_file(names[place][1]) for place in part], len(names))
    total = hashlib.sha256()
    for (name, _), content in zip(names, chain.from_iterable(contents), strict=True):
        total.update(name.encode(errors="surrogateescape") + b"\0" + content)
    return total.hexdigest()


def _hash_file(path: Path) -> bytes:
    try:
        with regular_file(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise unreadable(shown(path), str(error.strerror)) from error
    except UnreadableImage as error:
        raise unreadable(shown(path), str(error)) from None


def row_digests(raw: Callable[[int], bytes | memoryview], rows: Sequence[int]) -> np.ndarray:
    """Return the content digests of `rows`, as an array of 16-byte strings that sorts and compares."""
    parts = map_ranges(lambda part: [_digest(raw(rows[place])) for place in part], len(rows))
    return np.array(list(chain.from_iterable(parts)), dtype=f"S{_DIGEST_BYTES}")


def pixel_digests(images: np.ndarray) -> np.ndarray:
    """Return the content digests of decoded images (uint8, N first), as `row_digests` does."""
    return row_digests(lambda row: images[row].data, range(len(images)))


def reseeded(digests: np.ndarray, seed: int) -> np.ndarray:
    """Return digests that sort in another order for every seed; 0 leaves them as they are."""
    if seed == 0:
        return digests
    salt = seed.to_bytes(8, "little")
    width = digests.dtype.itemsize
    mixed = [_digest(digest.ljust(width, b"\0") + salt) for digest in digests.tolist()]
    return np.array(mixed, dtype=digests.dtype)


def numbered(digests: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return digests that differ where numbers do, and sort without regard to either; numbers: int64 (N,)."""
    return row_digests(
        lambda row: digests[row].ljust(_DIGEST_BYTES, b"\0") + numbers[row].tobytes(), range(len(digests))
    )


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
