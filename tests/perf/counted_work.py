"""Counts floating-point operations, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from torch import DispatchKey
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class CountedWork(TorchDispatchMode):
    """Counts what PyTorch's ``FlopCounterMode`` counts. That also keeps a table of modules, and takes twice as long.

    Attributes:
        total: floating-point operations so far: of products and convolutions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        count: Callable[..., int] | None = flop_registry.get(func.overloadpacket)
        if count is None and _is_made_of_others(func):  # in inference mode these arrive whole
            with self:
                return func.decompose(*args, **given)
        made = func(*args, **given)
        if count is not None:
            self.total += count(*args, **given, out_val=made)
        return made


@cache
def _is_made_of_others(func: OpOverload) -> bool:
    return func.has_kernel_for_dispatch_key(DispatchKey.CompositeImplicitAutograd)
