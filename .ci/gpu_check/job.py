"""What a part is told, and where it leaves what it finds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One part's work.

    Attributes:
        device: ``cuda`` or ``cpu``.
        rehearsal: whether sizes are so small that nothing is measured, only tried.
        seconds: after which the part is stopped; it ends by itself before.
        data: folder of real images; empty: there is none.
        work: folder for what the part makes, shared by all parts.
        checkout: the repository.
    """

    device: str
    rehearsal: bool
    seconds: float
    data: str
    work: str
    checkout: str

    def write(self, file: Path) -> None:
        """Keep it for another process."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Job:
        """What :meth:`write` kept."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def cifar(self) -> Path | None:
        """The folder of cifar10-jpeg, where it is there."""
        folder = Path(self.data) / "cifar10-jpeg" if self.data else None
        return folder if folder is not None and folder.is_dir() else None

    def sized(self, real: int, rehearsed: int) -> int:
        """A size: the first to measure with, the second to rehearse with."""
        return rehearsed if self.rehearsal else real


class Notes:
    """What a part found so far; each note is written at once, so that a part that is stopped leaves what it had."""

    def __init__(self, file: Path, seconds: float) -> None:
        self._file = file
        self._notes: dict[str, Any] = {}
        self._end = time.monotonic() + seconds
        self._write()

    def add(self, name: str, value: Any) -> None:
        """Keep one finding, JSON values."""
        self._notes[name] = value
        self._write()
        print(f"  {name}: {json.dumps(value)}", flush=True)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Try what the block does; an error is the finding of that name, and the part goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it is what the check is to find
            self.add(name, {"failed": f"{type(error).__name__}: {error}".partition("\n")[0]})

    def left(self) -> float:
        """Seconds until the part should have ended."""
        return self._end - time.monotonic()

    def _write(self) -> None:
        aside = self._file.with_suffix(".aside")
        aside.write_text(json.dumps(self._notes), encoding="utf-8")
        aside.replace(self._file)
