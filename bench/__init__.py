"""maskbench: does masking images before outsourcing their training protect them?

The names below are what a plug-in needs. They load on first use, so that ``maskbench --help`` need not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.errors import ContractViolation, Unavailable, UsageError
    from bench.plugins.adjustment import Adjustment
    from bench.plugins.attack import Aux, InferenceAttack, InferenceAux, Known, RestorationAttack
    from bench.plugins.given import Attribution, Given, Owner
    from bench.plugins.method import MaskMethod, Method
    from bench.randomness import Randomness
    from bench.release import Release

__all__ = [
    "Adjustment",
    "Attribution",
    "Aux",
    "ContractViolation",
    "Given",
    "InferenceAttack",
    "InferenceAux",
    "Known",
    "MaskMethod",
    "Method",
    "Owner",
    "Randomness",
    "Release",
    "RestorationAttack",
    "Unavailable",
    "UsageError",
]

_HOMES = {
    "bench.errors": ("ContractViolation", "Unavailable", "UsageError"),
    "bench.plugins.adjustment": ("Adjustment",),
    "bench.plugins.attack": ("Aux", "InferenceAttack", "InferenceAux", "Known", "RestorationAttack"),
    "bench.plugins.given": ("Attribution", "Given", "Owner"),
    "bench.plugins.method": ("MaskMethod", "Method"),
    "bench.randomness": ("Randomness",),
    "bench.release": ("Release",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'bench' has no attribute '{name}'")
