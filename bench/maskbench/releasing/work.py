"""What a release needs until it is finished: its options, the fitted method with its secret, and the journal.

It lies beside the destination, not in it: the destination can be handed out, this folder never.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from maskbench.errors import UsageError
from maskbench.releasing.places import unfinished

_OWNER_ONLY = 0o700
_STATE = "options.json"


@dataclass(frozen=True)
class Work:
    """The folder of an unfinished release."""

    root: Path

    @property
    def fitted(self) -> Path:
        """The fitted method, once there is one."""
        return self.root / "fitted.safetensors"

    @property
    def journal(self) -> Path:
        """What is done."""
        return self.root / "journal.jsonl"

    @property
    def numbers(self) -> Path:
        """What pictures are called in the release, where they are renamed."""
        return self.root / "numbers.json"

    def remove(self) -> None:
        """The release is finished."""
        shutil.rmtree(self.root)


def exists(destination: Path) -> bool:
    """Whether there is an unfinished release of the destination."""
    return (unfinished(destination) / _STATE).is_file()


@contextmanager
def opened(destination: Path, asked: Mapping[str, Any], resume: bool) -> Iterator[Work]:
    """The folder of a new release, or of the one that is resumed; no other run can use it meanwhile.

    Args:
        asked: everything that decides what the release is, as JSON values.

    Raises:
        UsageError: there is an unfinished release and ``resume`` was not said, or it was asked for something else, or
            another run is at work on it.
    """
    root = unfinished(destination)
    there = exists(destination)
    if there and not resume:
        raise UsageError(
            f"There is an unfinished release of {destination}: go on with it with --resume, or delete {root} and "
            f"{destination} to start anew."
        )
    root.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    try:
        with FileLock(root / "lock", timeout=0):
            if there:
                _compare(json.loads((root / _STATE).read_text(encoding="utf-8")), asked)
            else:
                partial = root / f"{_STATE}.partial"
                partial.write_text(json.dumps(asked), encoding="utf-8")
                partial.replace(root / _STATE)
            yield Work(root)
    except Timeout:
        raise UsageError(f"Another run is at work on {destination}.") from None


def _compare(before: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    now = json.loads(json.dumps(asked))  # as it comes back from a file: lists for tuples
    differing = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if differing:
        changes = "; ".join(f"{name} was {before.get(name)!r} and is now {now.get(name)!r}" for name in differing)
        raise UsageError(
            f"--resume goes on with the same options, and these differ: {changes}. Name the old ones, or another "
            "destination."
        )
