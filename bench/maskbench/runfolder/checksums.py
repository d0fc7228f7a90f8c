"""Checksums of the files of a run folder, as ``sha256sum --check`` reads them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKSUMS = "SHA256SUMS"

_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[^\n]+)")


@dataclass(frozen=True)
class Compared:
    """Files of a folder beside their checksums, by their names.

    Attributes:
        changed: those that are not what they were.
        absent: those that are no longer there.
        same: all others that have a checksum.
    """

    changed: tuple[str, ...]
    absent: tuple[str, ...]
    same: tuple[str, ...]


def text(folder: Path, names: Iterable[str], contents: Mapping[str, bytes]) -> str:
    """The content of ``SHA256SUMS``.

    Args:
        names: files of the folder, with ``/`` between parts.
        contents: name → content of files that are not written yet.
    """
    found = {name: _digest(folder / name) for name in names}
    found |= {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return "".join(f"{found[name]}  {name}\n" for name in sorted(found))


def take_out(folder: Path, name: str) -> None:
    """Delete a file of a folder together with its checksum."""
    (folder / name).unlink()
    place = folder / CHECKSUMS
    lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
    place.write_text("".join(line for line in lines if _entry(line.rstrip("\n"))[0] != name), encoding="utf-8")


def compare(folder: Path) -> Compared | None:
    """Compare the files of a folder with its ``SHA256SUMS``; None where it has none.

    Raises:
        ValueError: the file of checksums is damaged, or names a file outside of the folder.
    """
    place = folder / CHECKSUMS
    if not place.is_file():
        return None
    expected = dict(_entry(line) for line in place.read_text(encoding="utf-8").splitlines())
    absent = tuple(name for name in expected if not (folder / name).is_file())
    there = [name for name in expected if name not in absent]
    changed = tuple(name for name in there if _digest(folder / name) != expected[name])
    return Compared(changed, absent, tuple(name for name in there if name not in changed))


def _entry(line: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"{CHECKSUMS} holds a line that is no checksum: {line[:80]!r}")
    name = Path(found["name"])
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{CHECKSUMS} names a file outside of the folder: {found['name'][:80]!r}")
    return found["name"], found["digest"]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
