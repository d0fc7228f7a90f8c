"""A folder of images, in folders of classes or not: every image becomes a PNG of the same relative path."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from maskbench.data.paths import IMAGE_SUFFIXES, is_image_name
from maskbench.data.source import MISSING, LabelTable
from maskbench.data.sources.folder import ClassFolder
from maskbench.errors import UsageError
from maskbench.releasing.output import Output, Record, stamp
from maskbench.releasing.pictures import Entry, chunks
from maskbench.releasing.releasing import Released
from maskbench.releasing.source import ImageSource, Release, png, spread

_MASK = ".mask.png"


class ImageFolder(ImageSource):
    """Every image below a folder; hidden files and other files are not used."""

    def __init__(self, root: Path, limit: int | None) -> None:
        files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        images = [name for name in files if _is_image(name)]
        if not images:
            raise UsageError(
                f"There are no images in {root} ({', '.join(IMAGE_SUFFIXES)}), and no Parquet files in it or in its "
                "folder 'data'."
            )
        self.root = root
        self.total = len(images)
        self.chosen = spread(self.total, limit)
        self.not_used = {"files": sorted(set(files) - set(images))}
        self._all = images
        self._names = [images[place] for place in self.chosen]

    def entries(self) -> Iterator[Entry]:
        for name in self._names:
            yield Entry(name, partial(Image.open, self.root / name))

    def labels(self) -> tuple[LabelTable | None, str]:
        try:
            source = ClassFolder(self.root)
            table, where = source.labels(), source.images().where
        except UsageError:
            return None, "it is a folder without class folders"
        if not table.labels:
            return None, "; ".join(f"'{column}' {why}" for column, why in table.rejected.items())
        places = {name: place for place, name in enumerate(self._all)}
        labels = {}
        for column, codes in table.labels.items():
            labels[column] = np.full(self.total, MISSING)
            for row, code in enumerate(codes):
                place = places.get(Path(where(row)).relative_to(self.root.resolve()).as_posix())
                if place is not None:
                    labels[column][place] = code
        return LabelTable(labels, table.classes, None), ""

    def check(self, masks: bool, sensitive: str | None) -> None:
        output_names(self._names, masks)

    def release(
        self, release: Release, output: Output, *, size: int | None, masks: bool, advance: Callable[[int], None]
    ) -> set[str]:
        targets = output_names(self._names, masks)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for chunk in chunks(self.entries(), size):
                missing = [
                    not output.done(entry.name, stamp(self.root / entry.name), targets[entry.name]) for entry in chunk
                ]
                # All of the chunk even if some is done, or rounding would depend on where a run was cut off.
                released = release(chunk) if any(missing) else []
                wanted = [one for one, absent in zip(released, missing, strict=False) if absent]
                for one, files in zip(wanted, pool.map(partial(_encode, masks=masks), wanted), strict=True):
                    self._write(one, files, targets[one.name], output)
                advance(len(chunk))
        return set(self._names)

    def _write(self, one: Released, files: list[bytes], target: str, output: Output) -> None:
        names = (target, mask_name(target))
        written = {name: output.write(name, content) for name, content in zip(names, files, strict=False)}
        output.record(
            Record(
                name=one.name,
                stamp=stamp(self.root / one.name),
                files=written,
                released=int(one.error is None),
                rules=dict(Counter(one.rules)),
                errors=() if one.error is None else ((one.name, one.error),),
            )
        )


def output_names(names: Sequence[str], masks: bool) -> dict[str, str]:
    """Image of the source → its path in the destination: the extension becomes ``.png``.

    Images that would then share a path (``a.jpg`` and ``a.png``) keep their old extension before the new one.

    Raises:
        UsageError: two files of the release would still have one name.
    """
    stems = {name: str(PurePosixPath(name).with_suffix(".png")) for name in names}
    # Without regard to case: not every file system that a release is copied to tells it apart.
    often = Counter(target.casefold() for target in stems.values())
    targets = {name: target if often[target.casefold()] == 1 else f"{name}.png" for name, target in stems.items()}
    taken: dict[str, str] = {}
    for name, target in targets.items():
        for file in (target, mask_name(target)) if masks else (target,):
            other = taken.setdefault(file.casefold(), name)
            if other != name:
                raise UsageError(f"{other} and {name} would both become {file}, or its mask would: rename one.")
    return targets


def mask_name(target: str) -> str:
    """``a/b.png`` → ``a/b.mask.png``."""
    return target.removesuffix(".png") + _MASK


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    return is_image_name(path) and not any(part.startswith(".") for part in path.parts)


def _encode(one: Released, masks: bool) -> list[bytes]:
    if one.image is None:
        return []
    return [png(one.image)] if one.mask is None or not masks else [png(one.image), png(one.mask)]
