"""How a GPU rounds: what a user may choose, and what is part of the key of whatever is computed there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch

from maskbench.errors import UsageError

Precision = Literal["bfloat16", "tf32", "float32"]


@dataclass(frozen=True)
class Numerics:
    """Arithmetic on a GPU. The CPU computes in float32 and repeats itself bit for bit, whatever is chosen here.

    Attributes:
        precision: of training: ``bfloat16`` (autocast; the weights stay float32), ``tf32`` (products of float32 keep
            ten bits) or ``float32``. What is measured, restored, attributed or attacked is float32 always.
        deterministic: whether the same work gives the same bits again; kernels that cannot are refused.
    """

    precision: Precision = "bfloat16"
    deterministic: bool = False

    @classmethod
    def chosen(cls, precision: str, deterministic: bool) -> Numerics:
        """What a user asks for.

        Raises:
            UsageError: there is no such precision.
        """
        known: tuple[Precision, ...] = get_args(Precision)
        for name in known:
            if precision == name:
                return cls(name, deterministic)
        raise UsageError(f"--precision {precision}: expected {', '.join(known)}.")

    def ingredients(self, device_type: str) -> dict[str, Any]:
        """What of it belongs into the keys of artifacts that are made on such a device."""
        return {} if device_type == "cpu" else asdict(self)

    @classmethod
    def of(cls, ingredients: Mapping[str, Any]) -> Numerics | None:
        """The choice that :meth:`ingredients` tells of; None on the CPU."""
        return cls(**ingredients) if ingredients else None


_current: ContextVar[Numerics] = ContextVar("numerics", default=Numerics())  # noqa: B039 - it is frozen


def current() -> Numerics:
    """What was chosen for the work at hand."""
    return _current.get()


@contextmanager
def using(numerics: Numerics) -> Iterator[None]:
    """Make a choice for the work in the block."""
    token = _current.set(numerics)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def training_precision(device: torch.device) -> Iterator[None]:
    """Allow products of ten bits inside the block, where they were chosen, and no longer."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    allowed = device.type == "cuda" and current().precision == "tf32"
    if not allowed:
        yield
        return
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def autocast(device: torch.device) -> torch.autocast:
    """The region in which a network is trained: bfloat16 on a GPU, where that was chosen."""
    enabled = device.type == "cuda" and current().precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
