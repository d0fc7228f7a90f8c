"""Looking after a store: what fills it, what of it can go, and what is damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from maskbench.artifacts.fingerprint import digest
from maskbench.artifacts.occupancy import alone
from maskbench.artifacts.store import Store, StoreUnwritable
from maskbench.errors import DamagedArtifact, UsageError

DAMAGED = "damaged"
"""In place of the kind of stage and the data of an artifact that cannot be read."""

GONE = "of data that are gone"
"""In place of the data of an artifact whose data artifact is no longer there."""


@dataclass(frozen=True)
class Entry:
    """An artifact in a store, and what it takes up.

    Attributes:
        stage: the kind of stage that made it.
        data: the data set that it goes back to.
        title: what it is for.
        written: seconds since the epoch.
        bytes: on disk.
        purpose: equal for artifacts that differ in the code and the libraries that made them alone.
    """

    key: str
    stage: str
    data: str
    title: str
    written: float
    bytes: int
    purpose: str


@dataclass(frozen=True)
class Pruned:
    """What pruning takes away, what it leaves because a run is making it, and the bytes of all that stays."""

    removed: tuple[Entry, ...]
    in_use: tuple[Entry, ...]
    remaining: int


@dataclass(frozen=True)
class Damage:
    """An artifact that is not what was written; ``removed`` says whether it was taken away."""

    key: str
    reason: str
    removed: bool


def open_store(root: Path) -> Store:
    """A store that is there; a new one is not made.

    Raises:
        UsageError: there is none.
    """
    if not (root / "objects").is_dir():
        raise UsageError(f"There is no store at {root}: name one with --store or MASKBENCH_STORE.")
    return Store(root)


def entries(store: Store) -> list[Entry]:
    """Every artifact of a store, the oldest first."""
    described = _Described(store)
    found = []
    every = store.keys()
    for key in every:
        body = described.body(key)
        try:
            size, changed = _on_disk(store.folder(key))
        except FileNotFoundError:  # another process has taken it away meanwhile
            continue
        if body is None:
            found.append(Entry(key, DAMAGED, DAMAGED, key[:12], changed, size, key))
        else:
            purpose = described.purpose(key)
            found.append(Entry(key, body["stage"], described.data(key), body["slot"], body["written"], size, purpose))
    return sorted(found, key=lambda entry: (entry.written, entry.key))


def superseded(found: Sequence[Entry]) -> list[Entry]:
    """The artifacts that were made again since with other code or libraries; the latest of each purpose is not."""
    latest = {entry.purpose: entry.key for entry in found}
    return [entry for entry in found if latest[entry.purpose] != entry.key]


def prune(
    store: Store,
    *,
    before: float | None = None,
    replaced: bool = False,
    at_most: int | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Take artifacts away; a run that needs one makes it again.

    Args:
        before: those written before this time (seconds since the epoch).
        replaced: those that are superseded.
        at_most: then the oldest, until the store has at most so many bytes.
        dry_run: say what would go, and take nothing away.

    Raises:
        UsageError: a run is at work in the store.
        StoreUnwritable: nothing can be taken away.
    """
    if dry_run:
        found = entries(store)
        return _outcome(found, _chosen(found, before, replaced, at_most), ())
    store.require_writable()
    with _writable(store), alone(store.root):
        found = entries(store)
        chosen = _chosen(found, before, replaced, at_most)
        in_use = tuple(entry for entry in chosen if not _removed(store, entry.key))
        store.sweep()
    return _outcome(found, [entry for entry in chosen if entry not in in_use], in_use)


def verify(
    store: Store, *, repair: bool = False, progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[int, list[Damage]]:
    """Compare every artifact with its checksums.

    Args:
        repair: take damaged ones away, so that they are made again.
        progress: told how many of how many are done.

    Returns:
        How many there are, and what is damaged.

    Raises:
        StoreUnwritable: something is damaged and cannot be taken away.
    """
    keys = store.keys()
    damaged = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done, (key, reason) in enumerate(zip(keys, pool.map(lambda key: _fault(store, key), keys), strict=True), 1):
            progress(done, len(keys))
            if reason is not None:
                damaged.append((key, reason))
    if not repair or not damaged:
        return len(keys), [Damage(key, reason, False) for key, reason in damaged]
    store.require_writable()
    with _writable(store):
        return len(keys), [Damage(key, reason, _removed(store, key)) for key, reason in damaged]


class _Described:
    """The descriptions of a store, each read once, and what follows from those of their inputs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bodies: dict[str, dict[str, Any] | None] = {}
        self._purposes: dict[str, str] = {}
        self._data: dict[str, str] = {}

    def body(self, key: str) -> dict[str, Any] | None:
        """The description; None where it is gone or damaged."""
        if key not in self._bodies:
            try:
                self._bodies[key] = self._store.describe(key)
            except (KeyError, DamagedArtifact):
                self._bodies[key] = None
        return self._bodies[key]

    def purpose(self, key: str) -> str:
        """See ``Entry``. What goes back to an artifact that is gone is only like what goes back to the same one."""
        if key not in self._purposes:
            body = self.body(key)
            self._purposes[key] = key if body is None else self._purpose(body)
        return self._purposes[key]

    def _purpose(self, body: dict[str, Any]) -> str:
        ingredients = body["ingredients"]
        inputs = {name: self.purpose(given) for name, given in ingredients["inputs"].items()}
        parts = ("stage", "parameters", "device_type")
        return digest({**{name: ingredients[name] for name in parts}, "inputs": inputs, "slot": body["slot"]})

    def data(self, key: str) -> str:
        """The data set that an artifact goes back to."""
        if key not in self._data:
            body = self.body(key)
            inputs = [] if body is None else list(body["ingredients"]["inputs"].values())
            if body is None:
                self._data[key] = GONE
            elif not inputs:
                self._data[key] = body["slot"]
            else:
                self._data[key] = next((name for name in map(self.data, inputs) if name != GONE), GONE)
        return self._data[key]


def _on_disk(folder: Path) -> tuple[int, float]:
    """Bytes below a path, and when it last changed."""
    return bytes_on_disk(folder), folder.lstat().st_mtime


def bytes_on_disk(folder: Path) -> int:
    """Bytes below a path."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) if folder.is_dir() else folder.lstat().st_size


def _chosen(found: Sequence[Entry], before: float | None, replaced: bool, at_most: int | None) -> list[Entry]:
    chosen = {entry.key for entry in superseded(found)} if replaced else set()
    chosen |= {entry.key for entry in found if before is not None and entry.written < before}
    left = sum(entry.bytes for entry in found if entry.key not in chosen)
    for entry in found:
        if at_most is None or left <= at_most:
            break
        if entry.key not in chosen:
            chosen.add(entry.key)
            left -= entry.bytes
    return [entry for entry in found if entry.key in chosen]


def _outcome(found: Sequence[Entry], removed: Sequence[Entry], in_use: tuple[Entry, ...]) -> Pruned:
    gone = {entry.key for entry in removed}
    return Pruned(tuple(removed), in_use, sum(entry.bytes for entry in found if entry.key not in gone))


def _fault(store: Store, key: str) -> str | None:
    """What is wrong with an artifact; None where nothing is, or where another process took it away meanwhile."""
    try:
        store.check(key)
    except KeyError:
        return None
    except DamagedArtifact as error:
        return str(error)
    return None


def _removed(store: Store, key: str) -> bool:
    """Take an artifact away with its lock; not where a run holds that."""
    path = store.root / "locks" / f"{key}.lock"
    try:
        with FileLock(path, timeout=0):
            store.remove(key)
            path.unlink(missing_ok=True)
    except Timeout:
        return False
    return True


@contextmanager
def _writable(store: Store) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnwritable(store.root, error) from None
