"""Content-addressed artifacts on disk: safetensors and JSON, checksummed, moved into place in one step.

Layout: ``objects/ab/abcdef…/`` holds ``artifact.json`` and ``tensors.safetensors``; ``journal.jsonl`` has one line
for each artifact ever finished. An artifact is written into ``partial/`` and renamed, so a killed run leaves nothing
half-written where it could be read; two runs may share a store, and take turns at one artifact through a lock file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from maskbench.errors import DamagedArtifact, UsageError

SCHEMA_VERSION = 1
_DESCRIPTION = "artifact.json"
_TENSORS = "tensors.safetensors"


@dataclass(frozen=True)
class Artifact:
    """A stage's result: tensors by name, and a record of JSON values."""

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Size of the tensors in bytes."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())


class Store:
    """The artifacts below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)  # raw images lie in it
            for folder in ("objects", "partial", "locks"):
                (root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"The store {root} cannot be made ({error.strerror}): choose another --store.") from None
        self._verified: set[str] = set()

    def folder(self, key: str) -> Path:
        """Where the artifact of a key lies, or would lie."""
        return self.root / "objects" / key[:2] / key

    def describe(self, key: str) -> dict[str, Any]:
        """The description of a stored artifact: ingredients, record, times, checksums.

        Raises:
            KeyError: no such artifact.
            DamagedArtifact: its description is not what was written.
        """
        path = self.folder(key) / _DESCRIPTION
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise KeyError(key) from None
        except ValueError as error:
            raise DamagedArtifact(f"{key[:12]}: its description cannot be read: {error}") from None
        body = description.get("body") if isinstance(description, dict) else None
        if not isinstance(body, dict) or description.get("checksum") != _checksum(_canonical(body)):
            raise DamagedArtifact(f"{key[:12]}: its description does not match its checksum")
        if body.get("key") != key:
            raise DamagedArtifact(f"{key[:12]}: its description is that of another artifact")
        return body

    def verify(self, key: str) -> bool:
        """Whether a whole, undamaged artifact is there; a damaged one is removed, so that it is made again."""
        if key in self._verified:
            return True
        try:
            self._check_tensors(key, self.describe(key))
        except KeyError:
            return False
        except DamagedArtifact:
            self.remove(key)
            return False
        self._verified.add(key)
        return True

    def _check_tensors(self, key: str, description: Mapping[str, Any]) -> None:
        path = self.folder(key) / _TENSORS
        if not path.is_file():
            raise DamagedArtifact(f"{key[:12]}: its tensors are missing")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, hashlib.blake2b).hexdigest()
        if found != description["tensors_checksum"]:
            raise DamagedArtifact(f"{key[:12]}: its tensors do not match their checksum")

    def load(self, key: str) -> Artifact:
        """Read an artifact; it is verified first, once in a process.

        Raises:
            KeyError: no such artifact.
            DamagedArtifact: it is not what was written.
        """
        description = self.describe(key)
        if key not in self._verified:
            self._check_tensors(key, description)
            self._verified.add(key)
        try:
            tensors = load_file(self.folder(key) / _TENSORS)
        except SafetensorError as error:
            raise DamagedArtifact(f"{key[:12]}: {error}") from None
        return Artifact(tensors, description["record"])

    def save(self, key: str, artifact: Artifact, description: Mapping[str, Any]) -> None:
        """Write an artifact aside and move it into place; if another run was faster, its equal one stays."""
        partial = self.root / "partial" / uuid.uuid4().hex
        partial.mkdir()
        tensors = {name: tensor.contiguous() for name, tensor in artifact.tensors.items()}
        save_file(tensors, partial / _TENSORS)
        with (partial / _TENSORS).open("rb") as file:
            tensors_checksum = hashlib.file_digest(file, hashlib.blake2b).hexdigest()
        body = {
            **description,
            "key": key,
            "record": dict(artifact.record),
            "tensors_checksum": tensors_checksum,
            "bytes": artifact.nbytes,
            "written": time.time(),
            "schema_version": SCHEMA_VERSION,
        }
        text = json.dumps({"checksum": _checksum(_canonical(body)), "body": body}, indent=1)
        (partial / _DESCRIPTION).write_text(text, encoding="utf-8")
        for name in (_TENSORS, _DESCRIPTION):
            _flush(partial / name)
        target = self.folder(key)
        target.parent.mkdir(exist_ok=True)
        try:
            partial.rename(target)
        except OSError:
            if not self.verify(key):
                raise
            shutil.rmtree(partial)
            return
        self._verified.add(key)
        self._append_to_journal(
            {"key": key, "stage": body.get("stage"), "slot": body.get("slot"), "written": body["written"]}
        )

    def remove(self, key: str) -> None:
        """Take an artifact away: moved aside in one step first, so that no reader meets half of it."""
        self._verified.discard(key)
        aside = self.root / "partial" / uuid.uuid4().hex
        try:
            self.folder(key).rename(aside)
        except FileNotFoundError:
            return
        shutil.rmtree(aside)

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Hold the turn at one artifact: another run that wants it waits, then finds it done."""
        with FileLock(self.root / "locks" / f"{key}.lock"):
            yield

    def sweep(self) -> None:
        """Remove what runs killed more than a day ago left in ``partial/``. Skipped while another run is sweeping."""
        day = 24 * 3600
        try:
            with FileLock(self.root / "sweep.lock", timeout=0):
                for path in (self.root / "partial").iterdir():
                    if time.time() - _changed(path) > day:
                        shutil.rmtree(path, ignore_errors=True)
        except Timeout:
            return

    def journal(self) -> list[dict[str, Any]]:
        """What was finished, in order: key, stage, slot, time. A last line cut off by a kill is left out."""
        path = self.root / "journal.jsonl"
        if not path.exists():
            return []
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
        return lines

    def _append_to_journal(self, entry: Mapping[str, Any]) -> None:
        # One write to a file opened for appending: lines of two runs do not mix.
        descriptor = os.open(self.root / "journal.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, (json.dumps(entry) + "\n").encode())
        finally:
            os.close(descriptor)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of all artifacts that start with a prefix."""
        return sorted(path.name for path in (self.root / "objects").glob("*/*") if path.name.startswith(prefix))


def _changed(path: Path) -> float:
    """When a path last changed; for one that another run has moved into place meanwhile: now."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data).hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
