"""What a stage is: a shared piece of work with named inputs, and a key made of everything it depends on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from maskbench.artifacts.inline import code_root
from maskbench.artifacts.store import Artifact


@dataclass(frozen=True)
class Context:
    """Where a stage runs, and how it reports its progress (the finished share)."""

    device: torch.device
    progress: Callable[[float], None] = field(default=lambda share: None)


@dataclass(frozen=True)
class Stage(ABC):
    """A frozen description of one piece of work. Two equal descriptions are the same work, done once."""

    kind: ClassVar[str]
    timed: ClassVar[bool] = False
    """Whether its time is a result: how long a method or an attack takes."""

    @property
    def time_limit(self) -> float | None:
        """Seconds after which the work is stopped; None: however long it takes."""
        return None

    @property
    def cpu_only(self) -> bool:
        """Whether the work is done on the CPU, whatever the run's device: its result then serves runs on any."""
        return False

    @abstractmethod
    def inputs(self) -> Mapping[str, Stage]:
        """The stages whose artifacts this one reads."""

    @abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """What else decides the result, as JSON values. Never a device, a path or a time."""

    def roots(self) -> tuple[str, ...]:
        """Modules that the stage calls by name (a plug-in, a recognizer) besides those that its own file imports."""
        return ()

    @abstractmethod
    def title(self) -> str:
        """A few words for progress and messages."""

    def slot(self) -> str:
        """What the work is for: artifacts of one slot replace each other when something they are made of changes."""
        data = self.inputs().get("data")
        return f"{self.title()} · {data.slot()}" if data else self.title()

    @abstractmethod
    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        """Do the work."""


def code_of(plugin: object) -> str:
    """Where a plug-in's code is, for the ``roots`` of a stage that runs it."""
    return code_root(type(plugin))


def share_title(aux_share: float) -> str:
    """How titles say that the attacker uses a part of its training pictures."""
    return "" if aux_share == 1 else f" · {aux_share:.0%} of aux"
