"""What someone does who has the owner's key."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import Aux, Release, RestorationAttack
from torch import Tensor


class WithKey(RestorationAttack):
    """Undo the method with its key; only where the attacker is said to know it (``key=known``)."""

    name: ClassVar[str] = "with-key"
    cpu_only: ClassVar[bool] = True
    needs_key: ClassVar[bool] = True

    def fit(self, aux: Aux) -> Any:
        return aux.invert

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return self.state(release)
