"""The folder that is written: every file aside first, then renamed; a journal of what is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from maskbench.data.own_output import IMAGES, MASKS
from maskbench.errors import UsageError

_PARTIAL = ".partial"
_TIME = 315532800  # 1980-01-01, the first day that ZIP archives know: when a release was made is nobody's business


@dataclass(frozen=True)
class Record:
    """What became of one file of the source: an image, or a Parquet file of many.

    Attributes:
        name: its path in the source.
        stamp: size and time of its last change, so that a changed file is done again.
        files: path in the destination → size in bytes.
        images, released: how many images it has, and how many of them were released.
        hidden: of each released image that has a mask, the share that it hides.
        unchanged: the released images that came out as they went in.
        soft_label: of a single image, what the teacher says of it, where a file beside the images hands that out.
        rules: conversion rule → how many of the released images met it.
        errors: (image, reason).
    """

    name: str
    stamp: tuple[int, int]
    files: Mapping[str, int] = field(default_factory=dict)
    images: int = 1
    released: int = 0
    hidden: tuple[float, ...] = ()
    unchanged: tuple[str, ...] = ()
    soft_label: tuple[float, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    errors: tuple[tuple[str, str], ...] = ()


class Output:
    """The destination.

    Args:
        root: the folder.
        journal: the file that remembers what is done, which is no part of the release.
    """

    def __init__(self, root: Path, journal: Path) -> None:
        self.root = root
        self._journal = journal
        before = _read(journal)
        # A last line that a kill cut off must not swallow the next one.
        rewritten = journal.with_name(f"{journal.name}.new")
        rewritten.write_text("".join(_line(record) for record in before), encoding="utf-8")
        rewritten.replace(journal)
        self._records = {record.name: record for record in before}
        self._written = {file for record in before for file in record.files}
        root.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root / _PARTIAL, ignore_errors=True)
        (root / _PARTIAL).mkdir()

    def done(self, name: str, stamp: tuple[int, int], target: str) -> bool:
        """Whether a file of the source, as it is now, is wholly there under its name, and without errors."""
        record = self._records.get(name)
        return (
            record is not None
            and not record.errors
            and record.stamp == stamp
            and target in record.files
            and all(_size(self.root / file) == size for file, size in record.files.items())
        )

    @contextmanager
    def aside(self, relative: str) -> Iterator[Path]:
        """A path to write a file to; it is moved to its place when the block ends well."""
        place = self.root / PurePosixPath(relative)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.resolve().is_relative_to(self.root.resolve()):
            raise UsageError(f"{place.parent} is a link that leads out of the destination: nothing is written there.")
        partial = self.root / _PARTIAL / place.name
        yield partial
        os.utime(partial, (_TIME, _TIME))
        partial.replace(place)

    def write(self, relative: str, content: bytes) -> int:
        """Write a file; return its size."""
        with self.aside(relative) as path:
            path.write_bytes(content)
        return len(content)

    def record(self, record: Record) -> None:
        """Remember what became of a file of the source."""
        self._records[record.name] = record
        self._written.update(record.files)
        with self._journal.open("a", encoding="utf-8") as stream:
            stream.write(_line(record))

    def close(self, present: set[str]) -> list[Record]:
        """Remove what earlier runs made of files that are gone or have changed; return the records of those present.

        The folder was empty when the release began. So everything of its own form is removed that no record names:
        a run may have been killed between a file and its record.
        """
        records = [self._records[name] for name in sorted(present)]
        shutil.rmtree(self.root / _PARTIAL, ignore_errors=True)
        known = {file for record in records for file in record.files}
        for path in sorted(self.root.rglob("*"), reverse=True):  # a folder comes after what is in it
            relative = path.relative_to(self.root).as_posix()
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif relative not in known and (relative in self._written or _is_released(relative)):
                path.unlink()
        return records

    def finish(self, name: str, content: str) -> None:
        """Write a file that is made of all the others, and hide when folders were made."""
        partial = self.root / f".{name}"
        partial.write_text(content, encoding="utf-8")
        os.utime(partial, (_TIME, _TIME))
        partial.replace(self.root / name)
        for folder in (self.root, *(path for path in self.root.rglob("*") if path.is_dir() and not path.is_symlink())):
            os.utime(folder, (_TIME, _TIME))


def _is_released(relative: str) -> bool:
    path = PurePosixPath(relative)
    return path.suffix == ".parquet" or path.parts[0] in (IMAGES, MASKS)


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of the last change; zeros where the file is gone."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except OSError:
        return None


def _line(record: Record) -> str:
    return json.dumps(asdict(record)) + "\n"


def _read(journal: Path) -> list[Record]:
    records = []
    if journal.is_file():
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                content = json.loads(line)
            except ValueError:
                continue  # the line that a kill cut off
            if "soft_label" not in content:
                continue  # of another version: the image is done again
            content["stamp"] = tuple(content["stamp"])
            for name in ("hidden", "unchanged", "soft_label"):
                content[name] = tuple(content[name])
            content["errors"] = tuple((name, reason) for name, reason in content["errors"])
            records.append(Record(**content))
    return records
