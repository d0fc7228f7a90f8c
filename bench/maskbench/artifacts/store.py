"""Content-addressed artifacts on disk: safetensors and JSON, checksummed, moved into place in one step.

Layout: ``objects/ab/abcdef…/`` holds ``artifact.json`` and ``tensors.safetensors``; ``journal.jsonl`` has one line
for each artifact ever finished. An artifact is written into ``partial/`` and renamed, so a killed run leaves nothing
half-written where it could be read; two runs may share a store, and take turns at one artifact through a lock file.
Whatever else lies where an artifact or its parts belong is damage: it is taken away, and the artifact made again. What
is complete is served from a store that cannot be written to.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from torch import Tensor

from maskbench.artifacts import artifact_folder, journal
from maskbench.artifacts.removal import changed, discard
from maskbench.artifacts.stored_tensors import StoredTensors
from maskbench.errors import DamagedArtifact, UsageError

_JOURNAL = "journal.jsonl"
_FOLDERS = ("objects", "partial", "locks")


class StoreUnwritable(UsageError):
    """Nothing can be written into the store, or no more."""

    def __init__(self, root: Path, error: Exception) -> None:
        self.reason = str(error.strerror if isinstance(error, OSError) else error)
        super().__init__(
            f"The store {root} cannot be written to ({self.reason}): mend that, or choose another --store. What is "
            "done is kept, and the same command goes on from there."
        )


@dataclass(frozen=True)
class Artifact:
    """A stage's result: tensors by name, and a record of JSON values.

    Of an artifact in the store each tensor is read when it is asked for, and held by nobody but whoever asked.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Size of the tensors in bytes."""
        if isinstance(self.tensors, StoredTensors):
            return self.tensors.nbytes
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())


class Store:
    """The artifacts below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)  # raw images lie in it
            for folder in _FOLDERS:
                (root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if not (root / _FOLDERS[0]).is_dir():
                reason = f"The store {root} cannot be made ({error.strerror}): choose another --store."
                raise UsageError(reason) from None
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
        return artifact_folder.describe(self.folder(key), key)

    def verify(self, key: str) -> bool:
        """Whether a whole, undamaged artifact is there; a damaged one is removed, so that it is made again."""
        if key in self._verified:
            return True
        try:
            self._check_tensors(key, self.describe(key))
        except KeyError:
            return False
        except DamagedArtifact:
            with suppress(OSError):  # of a store that cannot be written to: it is not there, then
                self.remove(key)
            return False
        self._verified.add(key)
        return True

    def check(self, key: str) -> None:
        """Compare an artifact with its checksums, also one that was verified before; nothing is taken away.

        Raises:
            KeyError: no such artifact.
            DamagedArtifact: it is not what was written.
        """
        self._check_tensors(key, self.describe(key))

    def _check_tensors(self, key: str, description: Mapping[str, Any]) -> None:
        artifact_folder.check_tensors(self.folder(key), key, description)

    def load(self, key: str, *, verified: bool = False) -> Artifact:
        """Open an artifact, whose tensors are read as they are asked for; it is verified first, once in a process.

        Args:
            verified: another process of this run has done so.

        Raises:
            KeyError: no such artifact.
            DamagedArtifact: it is not what was written.
        """
        description = self.describe(key)
        if not verified and key not in self._verified:
            self._check_tensors(key, description)
            self._verified.add(key)
        return Artifact(StoredTensors.of(self.folder(key) / artifact_folder.TENSORS), description["record"])

    def require_writable(self) -> None:
        """Find out before the work whether its artifacts can be kept.

        Raises:
            StoreUnwritable: no.
        """
        try:
            for folder in _FOLDERS:
                probe = self.root / folder / f"probe-{uuid.uuid4().hex}"
                probe.mkdir()
                probe.rmdir()
        except OSError as error:
            raise StoreUnwritable(self.root, error) from None

    def save(self, key: str, artifact: Artifact, description: Mapping[str, Any]) -> None:
        """Write an artifact aside and move it into place; if another run was faster, its equal one stays.

        Raises:
            StoreUnwritable: the disk is full, or the store is gone; nothing of it is left behind.
        """
        partial = self.root / "partial" / uuid.uuid4().hex
        tensors = {name: tensor.contiguous() for name, tensor in artifact.tensors.items()}
        body = {**description, "key": key, "record": dict(artifact.record), "bytes": artifact.nbytes}
        json.dumps(body)  # what cannot be written is the stage's fault, and said before the disk is touched
        try:
            partial.mkdir()
            artifact_folder.write(partial, tensors, body)
            self._put_in_place(partial, key)
        except (OSError, SafetensorError) as error:  # safetensors reports what the disk says in an error of its own
            raise StoreUnwritable(self.root, error) from error
        finally:
            discard(partial)

    def _put_in_place(self, partial: Path, key: str) -> None:
        target = self.folder(key)
        if os.path.lexists(target.parent) and not target.parent.is_dir():
            self._move_aside(target.parent)
        target.parent.mkdir(exist_ok=True)
        try:
            partial.rename(target)
        except OSError:
            if not self.verify(key):  # which takes away what is damaged
                partial.rename(target)
            else:
                return
        self._verified.add(key)
        written = self.describe(key)
        self._append_to_journal({name: written.get(name) for name in ("key", "stage", "slot", "written")})

    def remove(self, key: str) -> None:
        """Take an artifact away: moved aside in one step first, so that no reader meets half of it."""
        self._verified.discard(key)
        with suppress(FileNotFoundError):
            self._move_aside(self.folder(key))

    def _move_aside(self, path: Path) -> None:
        aside = self.root / "partial" / uuid.uuid4().hex
        path.rename(aside)
        discard(aside)

    @contextmanager
    def turn(self, key: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the turn at one artifact: another run that wants it waits, then finds it done.

        Args:
            waiting: called once where another run has the turn.

        Raises:
            StoreUnwritable: there can be no lock.
        """
        path = self.root / "locks" / f"{key}.lock"
        try:
            if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
                self._move_aside(path)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                waiting()
                lock.acquire()
        except OSError as error:
            raise StoreUnwritable(self.root, error) from None
        try:
            yield
        finally:
            lock.release()

    def sweep(self) -> None:
        """Remove what runs killed more than a day ago left in ``partial/``. Skipped while another run is sweeping."""
        day = 24 * 3600
        # Someone else sweeps, or the lock cannot be had: nothing depends on it.
        with suppress(Timeout, OSError), FileLock(self.root / "sweep.lock", timeout=0):
            for path in (self.root / "partial").iterdir():
                if time.time() - changed(path) > day:
                    discard(path)

    def journal(self) -> list[dict[str, Any]]:
        """What was finished, in order: key, stage, slot, time."""
        return journal.read(self.root / _JOURNAL)

    def _append_to_journal(self, entry: Mapping[str, Any]) -> None:
        path = self.root / _JOURNAL
        if os.path.lexists(path) and not path.is_file():
            self._move_aside(path)
        journal.append(path, entry)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of all artifacts that start with a prefix; what lies elsewhere than its name says is none."""
        found = (path for path in (self.root / "objects").glob("*/*") if path.name[:2] == path.parent.name)
        return sorted(path.name for path in found if path.name.startswith(prefix))
