"""What a store has finished, in order: one line of JSON for each artifact."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """Its entries: key, stage, slot, time. What is no such entry is left out, as a last line that a kill cut off."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and {"key", "slot"} <= entry.keys():
            lines.append(entry)
    return lines


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Add an entry: one write to a file opened for appending, so that lines of two runs do not mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, (json.dumps(entry) + "\n").encode())
    finally:
        os.close(descriptor)
