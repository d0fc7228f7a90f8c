"""What driver and worker say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setup:
    """Driver → worker, first: what the worker needs to be like the driver's process.

    Attributes:
        import_paths: where modules are found.
        python_path: what the variable ``PYTHONPATH`` was before the worker was started.
        plugin_files: named with ``--plugin``.
        plugin_classes: classes that were handed over from Python, pickled by cloudpickle.
        cores: how many threads this worker may use for what does not depend on their number.
    """

    import_paths: tuple[str, ...]
    python_path: str | None
    plugin_files: tuple[str, ...]
    plugin_classes: bytes
    store: str
    device: str
    cores: int


@dataclass(frozen=True)
class Make:
    """Driver → worker: make a step, pickled by cloudpickle; ``alone`` says that nothing else is at work meanwhile."""

    step: bytes
    alone: bool


@dataclass(frozen=True)
class Stop:
    """Driver → worker: end; finish what is being saved, and drop other work."""


@dataclass(frozen=True)
class Ready:
    """Worker → driver: it can take a step."""


@dataclass(frozen=True)
class Waiting:
    """Worker → driver: another run makes the step."""


@dataclass(frozen=True)
class Began:
    """Worker → driver: the time limit of the step starts to count."""


@dataclass(frozen=True)
class Progressed:
    """Worker → driver: the share of the step that is done."""

    share: float


@dataclass(frozen=True)
class Worked:
    """Worker → driver: the work is done within its time, and is being saved."""


@dataclass(frozen=True)
class Made:
    """Worker → driver: what became of the step, as ``StageOutcome`` has it."""

    source: str
    reason: str = ""
    trace: str = ""
    timing: Mapping[str, Any] = field(default_factory=dict)
    out_of_memory: bool = False


@dataclass(frozen=True)
class Unwritable:
    """Worker → driver: the store takes nothing more, and why."""

    reason: str


Answer = Ready | Waiting | Began | Progressed | Worked | Made | Unwritable
