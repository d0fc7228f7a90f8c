"""A release that was made elsewhere, in the place of a method: it is read, not run."""

from __future__ import annotations

from typing import Any, ClassVar, Final, NoReturn

from torch import Tensor

from maskbench.errors import ContractViolation
from maskbench.plugins.given import Given
from maskbench.plugins.method import Method
from maskbench.plugins.reserved import AUDITED

NOT_RUN: Final = "the release was made elsewhere: there is one of each picture, and no other can be drawn"
"""Why an attack that needs the method itself cannot run."""


class Audited(Method):
    """A release that was made elsewhere. It has the pictures that are there, for the owner and the attacker alike."""

    name: ClassVar[str] = AUDITED
    deterministic: ClassVar[bool] = True
    cpu_only: ClassVar[bool] = True
    paths: ClassVar[tuple[str, ...]] = ("folder",)

    folder: str
    content: str

    def desensitize(self, images: Tensor, given: Given) -> NoReturn:
        raise ContractViolation(NOT_RUN)

    def label(self, leave_out: tuple[str, ...] = ()) -> str:
        """``audited:folder=NAME``: which folder it was is all that tells it from another one."""
        return self.shown({"folder": self.folder})

    def release_parameters(self) -> dict[str, Any]:
        return {"content": self.content}

    def adaptation_parameters(self) -> dict[str, Any]:
        return {}


class AuditedWithMasks(Audited):
    """One that came with masks."""

    masked: ClassVar[bool] = True


def audited(folder: str, content: str, masked: bool) -> Audited:
    """A release that was made elsewhere.

    Args:
        folder: its place, of which tables show the name.
        content: digest of its pictures and masks.
        masked: whether it has masks.
    """
    return (AuditedWithMasks if masked else Audited)(folder=folder, content=content)
