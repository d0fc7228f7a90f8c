"""A folder of images, in folders of classes or not: every image becomes a PNG of the same relative path."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from PIL import Image

from maskbench.data.image_files import IMAGE_SUFFIXES, find_files, regular_file
from maskbench.data.own_output import IMAGES, MASKS
from maskbench.data.paths import shown
from maskbench.data.pixels import UnreadableImage, open_image
from maskbench.data.source import MISSING, LabelTable
from maskbench.data.sources.folder import ClassFolder
from maskbench.errors import UsageError
from maskbench.parallel import usable_cores
from maskbench.releasing.apply import ReleasedImage
from maskbench.releasing.image_source import Apply, ImageSource, Writing, png, spread
from maskbench.releasing.output import Output, Record, stamp
from maskbench.releasing.pictures import Entry, chunks
from maskbench.releasing.soft_labels import SOFT_LABELS


class ImageFolder(ImageSource):
    """Every image below a folder; hidden files and other files are not used.

    A folder that cannot be looked into stands for the images in it: it is an error, and counted as one.
    """

    soft_labels: ClassVar[str] = SOFT_LABELS

    def __init__(self, root: Path, limit: int | None) -> None:
        found = find_files(root)
        self._closed = {str(path): reason for path, reason in found.closed.items()}
        self._all = sorted(str(path) for path in (*found.images, *found.closed))
        if not found.images:
            why = "".join(f" {shown(path)}: {reason}." for path, reason in self._closed.items())
            raise UsageError(
                f"There are no images in {shown(root)} ({', '.join(IMAGE_SUFFIXES)}), and no Parquet files in it or in "
                f"its folder 'data'.{why}"
            )
        self.root = root
        self.total = len(self._all)
        self.chosen = spread(self.total, limit)
        self.not_used = {"files": [shown(path) for path in found.others]}
        self.names = [self._all[place] for place in self.chosen]

    def entries(self) -> Iterator[Entry]:
        for name in self.names:
            yield Entry(shown(name), partial(self._open, name))

    def _open(self, name: str) -> Image.Image:
        if name in self._closed:
            raise UnreadableImage(self._closed[name])
        return open_image(regular_file(self.root / name))

    def labels(self) -> tuple[LabelTable | None, str]:
        source = ClassFolder(self.root)
        try:
            table = source.labels()
        except UsageError:
            return None, "it is a folder without class folders"
        if not table.labels:
            return None, "; ".join(f"'{column}' {why}" for column, why in table.rejected.items())
        places = {name: place for place, name in enumerate(self._all)}
        labels = {}
        for column, codes in table.labels.items():
            labels[column] = np.full(self.total, MISSING)
            for path, code in zip(source.paths, codes, strict=True):
                place = places.get(str(path))
                if place is not None:
                    labels[column][place] = code
        return LabelTable(labels, table.classes, None), ""

    def check(self, masks: bool, sensitive: str | None, soft_labels: bool) -> None:
        self._targets(None)

    def release(self, apply: Apply, output: Output, writing: Writing, advance: Callable[[int], None]) -> set[str]:
        targets = self._targets(writing.numbers)
        with ThreadPoolExecutor(usable_cores()) as pool:
            names = iter(self.names)
            for chunk in chunks(self.entries(), writing.size):
                here = [next(names) for _ in chunk]
                missing = [
                    not output.done(name, stamp(self.root / name), f"{IMAGES}/{targets.get(name)}") for name in here
                ]
                # All of the chunk even if some is done, or rounding would depend on where a run was cut off.
                released = apply(chunk) if any(missing) else []
                wanted = [(name, one) for name, one, absent in zip(here, released, missing, strict=False) if absent]
                encoded = pool.map(partial(_encode, masks=writing.masks), [one for _, one in wanted])
                for (name, one), files in zip(wanted, encoded, strict=True):
                    output.record(self._write(name, one, files, targets.get(name), output, writing.soft_labels))
                advance(len(chunk))
        return set(self.names)

    def _targets(self, numbers: Mapping[str, str] | None) -> dict[str, str]:
        return output_names([name for name in self.names if name not in self._closed], numbers)

    def _write(
        self,
        name: str,
        one: ReleasedImage,
        files: Mapping[str, bytes],
        target: str | None,
        output: Output,
        soft_labels: bool,
    ) -> Record:
        error, written = one.error, {}
        try:
            for folder, content in files.items():
                written[f"{folder}/{target}"] = output.write(f"{folder}/{target}", content)
        except OSError as failed:
            if failed.errno != errno.ENAMETOOLONG:
                raise
            error, written = "its name is too long for its PNG", {}
        return Record(
            name=name,
            stamp=stamp(self.root / name),
            files=written,
            released=int(error is None),
            hidden=() if error is not None or one.hidden is None else (one.hidden,),
            unchanged=(name,) if error is None and one.unchanged else (),
            soft_label=one.soft_label if error is None and soft_labels else (),
            rules=dict(Counter(one.rules if error is None else ())),
            errors=() if error is None else ((name, error),),
        )


def output_names(names: Sequence[str], numbers: Mapping[str, str] | None) -> dict[str, str]:
    """Image of the source → its path in the folders of the destination: the extension becomes ``.png``.

    Images that would then share a path (``a.jpg`` and ``a.png``) keep their old extension before the new one.

    Args:
        numbers: image → what it is called instead, in the same folder; None keeps the names.

    Raises:
        UsageError: two files of the release would still have one name.
    """
    if numbers is not None:
        return {name: str(PurePosixPath(name).with_name(f"{numbers[name]}.png")) for name in names}
    stems = {name: str(PurePosixPath(name).with_suffix(".png")) for name in names}
    # Without regard to case: not every file system that a release is copied to tells it apart.
    often = Counter(target.casefold() for target in stems.values())
    targets = {name: target if often[target.casefold()] == 1 else f"{name}.png" for name, target in stems.items()}
    taken: dict[str, str] = {}
    for name, target in targets.items():
        other = taken.setdefault(target.casefold(), name)
        if other != name:
            raise UsageError(f"{shown(other)} and {shown(name)} would both become {shown(target)}: rename one.")
    return targets


def _encode(one: ReleasedImage, masks: bool) -> dict[str, bytes]:
    if one.image is None:
        return {}
    files = {IMAGES: png(one.image)}
    if masks and one.mask is not None:
        files[MASKS] = png(one.mask)
    return files
