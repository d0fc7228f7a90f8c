"""The tensors of an artifact in the store, each read when it is asked for: a stage holds what it uses, nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import torch
from torch import Tensor

from maskbench.errors import DamagedArtifact, UsageError

_MAPPED = 1 << 20
"""Bytes from which a tensor is mapped: what is not looked at is not read. A mapping costs a file descriptor and a page
of memory, so that small tensors are read, of which a network has hundreds."""

_LENGTH = 8  # bytes in which safetensors says how long its header is
_DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "U16": torch.uint16,
    "I16": torch.int16,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "U32": torch.uint32,
    "I32": torch.int32,
    "F32": torch.float32,
    "U64": torch.uint64,
    "I64": torch.int64,
    "F64": torch.float64,
    "C64": torch.complex64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


@dataclass(frozen=True)
class _Place:
    """Where a tensor lies in the file: ``start`` and ``size`` in bytes."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    size: int


class StoredTensors(Mapping[str, Tensor]):
    """Name → tensor of one file. Each access reads the file anew: whoever wants a tensor twice keeps it.

    A tensor has memory of its own, also where it is mapped: the others in the file cannot be reached through it. What
    is written into it does not reach the file. No file stays open, but for those of mapped tensors in use.
    """

    def __init__(self, path: Path, places: Mapping[str, _Place], length: int) -> None:
        self._path, self._places, self._length = path, places, length

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read the header of a file of safetensors.

        Raises:
            DamagedArtifact: the file is none, or cannot be read.
        """
        try:
            with path.open("rb") as file:
                count = int.from_bytes(file.read(_LENGTH), "little")
                length = file.seek(0, 2)
                file.seek(_LENGTH)
                header = json.loads(file.read(min(count, length)))
                places = {
                    name: _place(entry, _LENGTH + count) for name, entry in header.items() if name != "__metadata__"
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedArtifact(f"{path.parent.name[:12]}: its tensors cannot be read: {error}") from None
        return cls(path, places, length)

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of a name.

        Raises:
            KeyError: there is none.
            UsageError: the file is no longer there, or no longer the one that was opened.
        """
        place = self._places[name]
        if place.size == 0:
            return torch.empty(place.shape, dtype=place.dtype)
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) != self._length:
                    raise OSError("it has another length than before")
                content = _bytes(file, place)
        except (OSError, ValueError) as error:  # numpy's for a file that is too short
            raise UsageError(
                f"{self._path} cannot be read any more ({error}), though it was there when it was needed first: "
                "something removed it from the store meanwhile. Run the same command again, which makes it again."
            ) from error
        return content.view(place.dtype).reshape(place.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @property
    def nbytes(self) -> int:
        """Size of all tensors in bytes."""
        return sum(place.size for place in self._places.values())


def _place(entry: Mapping[str, Any], data: int) -> _Place:
    dtype, shape = _DTYPES[entry["dtype"]], tuple(map(int, entry["shape"]))
    start, end = map(int, entry["data_offsets"])
    if end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor has another size than its shape")
    return _Place(dtype, shape, data + start, end - start)


def _bytes(file: BinaryIO, place: _Place) -> Tensor:
    """Uint8 (size,): what a tensor is made of, and nothing around it."""
    if place.size >= _MAPPED:
        # Copy on write: who writes into it changes a page of its own.
        return torch.from_numpy(np.memmap(file, np.uint8, "c", place.start, (place.size,)))
    file.seek(place.start)
    content = torch.empty(place.size, dtype=torch.uint8)
    if file.readinto(content.numpy()) != place.size:  # type: ignore[attr-defined]
        raise OSError("it ends too early")
    return content
