"""maskbench: does masking images before outsourcing their training protect them?

The names below are what a plug-in needs. They load on first use, so that ``maskbench --help`` need not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskbench.errors import ContractViolation, Unavailable, UsageError
    from maskbench.plugins.adjustment import Adjustment
    from maskbench.plugins.attack import Aux, InferenceAttack, InferenceAux, Known, RestorationAttack
    from maskbench.plugins.given import Attribution, Given, Owner
    from maskbench.plugins.mask_method import MaskMethod
    from maskbench.plugins.method import Method
    from maskbench.randomness import Randomness
    from maskbench.release import Release

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
    "maskbench.errors": ("ContractViolation", "Unavailable", "UsageError"),
    "maskbench.plugins.adjustment": ("Adjustment",),
    "maskbench.plugins.attack": ("Aux", "InferenceAttack", "InferenceAux", "Known", "RestorationAttack"),
    "maskbench.plugins.given": ("Attribution", "Given", "Owner"),
    "maskbench.plugins.mask_method": ("MaskMethod",),
    "maskbench.plugins.method": ("Method",),
    "maskbench.randomness": ("Randomness",),
    "maskbench.release": ("Release",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'bench' has no attribute '{name}'")
