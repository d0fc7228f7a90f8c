"""The raw pictures of a folder whose release was made elsewhere, each with its released picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from maskbench.data.hashing import hash_files
from maskbench.data.images_in_folder import images_of
from maskbench.data.options import Released
from maskbench.data.pairing import Pair, Pairing, pair_up
from maskbench.data.paths import shown
from maskbench.data.source import LabelTable, RawImages, Source
from maskbench.data.sources.folder import ClassFolder
from maskbench.data.sources.labelled_folder import LabelledFolder
from maskbench.errors import UsageError

Folder = ClassFolder | LabelledFolder


class PairedFolder(Source):
    """The pictures of a folder that have a release, less those that cannot be used."""

    by_name = False

    def __init__(self, inner: Folder, released: Released) -> None:
        self.inner = inner
        self.folder, self.title, self.canonical = inner.folder, inner.title, inner.canonical
        self._released = released

    @classmethod
    def opened(cls, text: str) -> None:
        """None: it is made of a folder and a release, not opened by a text."""

    @cached_property
    def pairing(self) -> Pairing:
        """What belongs together."""
        paths = self.inner.paths
        used = set(paths)
        others = [path for path in self.inner.all_paths if path not in used]
        return pair_up(
            paths, others, self.inner.root, self._released.folder, self._released.masks, self._released.pairs
        )

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that are used."""
        left_out = set(self._released.unreadable or ())
        return tuple(pair for place, pair in enumerate(self.pairing.pairs) if place not in left_out)

    def unlabelled(self) -> tuple[str, ...]:
        """Those of the folder."""
        return self.inner.unlabelled()

    def labels(self) -> LabelTable:
        """The labels of the pictures that are used."""
        table = self.inner.labels()
        rows = [pair.raw for pair in self.pairs]
        return replace(
            table,
            labels={name: codes[rows] for name, codes in table.labels.items()},
            native_test=None if table.native_test is None else table.native_test[rows],
            numbers={name: numbers[rows] for name, numbers in table.numbers.items()},
        )

    def images(self) -> RawImages:
        """The raw pictures."""
        paths = self.inner.paths
        return images_of(self.inner.root, [paths[pair.raw] for pair in self.pairs])

    def released(self) -> RawImages:
        """The released pictures, in the same order."""
        return images_of(self.pairing.released, [pair.released for pair in self.pairs])

    def masks(self) -> RawImages | None:
        """Their masks, in the same order; None where there are none."""
        if self.pairing.masks is None:
            return None
        return images_of(self.pairing.masks, [pair.mask for pair in self.pairs if pair.mask is not None])

    def fingerprint(self) -> str:
        """The folder's own, where all of its pictures are used: then it is the data of any run on that folder."""
        whole = self.inner.fingerprint()
        if len(self.pairs) == len(self.inner.paths):
            return whole
        used = json.dumps([pair.raw for pair in self.pairs])
        return hashlib.sha256(f"{whole} {used}".encode()).hexdigest()

    def release_fingerprint(self) -> str:
        """The sha256 (hex) of the released pictures and masks, and of which belongs to which raw one."""
        pairs, pairing = self.pairs, self.pairing
        total = hashlib.sha256(
            json.dumps([[pair.raw, shown(pair.released), str(pair.mask)] for pair in pairs]).encode()
        )
        total.update(hash_files(pairing.released, [pairing.released / pair.released for pair in pairs]).encode())
        if pairing.masks is not None:
            masks = [pairing.masks / pair.mask for pair in pairs if pair.mask is not None]
            total.update(hash_files(pairing.masks, masks).encode())
        return total.hexdigest()


def paired(source: Source, released: Released) -> PairedFolder:
    """The pictures of a folder with the release that was made of them elsewhere.

    Raises:
        UsageError: they do not lie in a folder as image files.
    """
    if not isinstance(source, ClassFolder | LabelledFolder):
        raise UsageError(
            f"{source.title} is no folder of image files, and an audit compares files: give a folder with raw "
            "pictures, and one with released pictures of the same names."
        )
    return PairedFolder(source, released)


def names(source: PairedFolder, places: Sequence[int]) -> list[str]:
    """The names of raw pictures, by their places among all pairs."""
    paths, pairs = source.inner.paths, source.pairing.pairs
    return [shown(paths[pairs[place].raw]) for place in places]
