"""Which released picture belongs to which raw one: by name, or by a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from maskbench.data.file_names import matched, some
from maskbench.data.image_files import find_files
from maskbench.data.own_output import MASKS, pictures_of
from maskbench.data.paths import existing_folder, shown
from maskbench.errors import UsageError

_RAW, _RELEASED, _MASK = "raw", "released", "mask"


class Pair(NamedTuple):
    """A raw picture, by its place among the raw ones; its release and its mask, relative to their folders."""

    raw: int
    released: PurePosixPath
    mask: PurePosixPath | None


@dataclass(frozen=True)
class Pairing:
    """What belongs together, and what was left over.

    Attributes:
        released, masks: the folders that the pictures of the pairs lie in; masks: None where there are none.
        pairs: in the order of the raw pictures.
        raw_alone, released_alone, without_mask: names of pictures without a partner.
    """

    released: Path
    masks: Path | None
    pairs: tuple[Pair, ...]
    raw_alone: tuple[str, ...]
    released_alone: tuple[str, ...]
    without_mask: tuple[str, ...]


def pair_up(
    raw: Sequence[PurePosixPath],
    others: Sequence[PurePosixPath],
    root: Path,
    folder: str,
    masks: str | None,
    pairs: str | None,
) -> Pairing:
    """Find the release of every raw picture.

    Args:
        raw: the raw pictures, relative to ``root``.
        others: raw pictures that are not used; their releases are not missed.
        folder: of the released pictures: any folder, or a release of ``maskbench desensitize``, whose masks are used.
        masks: folder of masks.
        pairs: CSV file with the columns ``raw`` and ``released``, and ``mask`` where there are masks.

    Raises:
        UsageError: there is no such folder or file, a folder lies in another, the file is wrong, or nothing matches.
    """
    place = _existing(folder, "released pictures")
    released, mask_folder = pictures_of(place), None if masks is None else _existing(masks, "masks (--masks)")
    if mask_folder is None and released != place and (place / MASKS).is_dir():
        mask_folder = place / MASKS
    _refuse_nested(root, place)
    if mask_folder is not None:
        _refuse_nested(root, mask_folder)
    files = [path for path in find_files(released).images if not _within(released / path, mask_folder)]
    mask_files = [] if mask_folder is None else find_files(mask_folder).images
    everything = [*raw, *others]
    if pairs is None:
        found = matched(everything, files)
        mask_of = _masks_of(everything, files, found, mask_files)
    else:
        found, mask_of = _listed(Path(pairs), everything, files, mask_files)
    if not found:
        raise UsageError(
            f"No picture of {shown(place)} belongs to one of {shown(root)} by its name: raw are "
            f"{some(raw) or 'no pictures'}; released are {some(files) or 'no pictures'}. "
            "List them in a CSV file with the columns raw and released, and name it with --pairs."
        )
    used, taken = [], set(found.values())
    without_mask = []
    for number, path in enumerate(raw):
        if number not in found:
            continue
        mask = mask_of.get(number)
        if mask_folder is not None and mask is None:
            without_mask.append(shown(path))
            continue
        used.append(Pair(number, files[found[number]], None if mask is None else mask_files[mask]))
    return Pairing(
        released,
        mask_folder,
        tuple(used),
        tuple(shown(path) for number, path in enumerate(raw) if number not in found),
        tuple(shown(path) for number, path in enumerate(files) if number not in taken),
        tuple(without_mask),
    )


def _existing(text: str, what: str) -> Path:
    place = existing_folder(text)
    if place is None:
        raise UsageError(f"There is no folder '{text}' of {what}.")
    return place


def _refuse_nested(root: Path, place: Path) -> None:
    if _within(place, root) or _within(root, place):
        raise UsageError(
            f"{shown(place)} and the raw pictures in {shown(root)} lie in one another, so that one would be read as "
            "the other: keep them in folders of their own."
        )


def _within(path: Path, folder: Path | None) -> bool:
    return folder is not None and path.resolve().is_relative_to(folder.resolve())


def _masks_of(
    raw: Sequence[PurePosixPath],
    files: Sequence[PurePosixPath],
    found: dict[int, int],
    masks: Sequence[PurePosixPath],
) -> dict[int, int]:
    """Place of a raw picture → place of its mask, which is called as the released picture or as the raw one."""
    by_released = matched([files[place] for place in found.values()], masks)
    mask_of = {number: by_released[place] for place, number in enumerate(found) if place in by_released}
    left = [number for number in found if number not in mask_of]
    by_raw = matched([raw[number] for number in left], masks)
    taken = set(mask_of.values())
    return mask_of | {left[place]: mask for place, mask in by_raw.items() if mask not in taken}


def _listed(
    file: Path, raw: Sequence[PurePosixPath], files: Sequence[PurePosixPath], masks: Sequence[PurePosixPath]
) -> tuple[dict[int, int], dict[int, int]]:
    """Read the pairs of a CSV file: place of a raw picture → place of its release, and of its mask."""
    place = shown(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{place} is not UTF-8 text: save it as CSV in UTF-8.") from None
    except OSError as error:
        raise UsageError(f"The pairs {place} cannot be read: {error.strerror}.") from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    wanted = [_RAW, _RELEASED, *([_MASK] if masks else [])]
    missing = [name for name in wanted if name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"{place} has no column '{missing[0]}': its first line must be {','.join(wanted)}.")
    known = [{str(path): number for number, path in enumerate(paths)} for paths in (raw, files, masks)]
    found: dict[int, int] = {}
    mask_of: dict[int, int] = {}
    taken: set[int] = set()
    try:
        for line in reader:
            at = f"{place}, line {reader.line_num}"
            numbers = [
                _known(line[name], where, f"{at}, column {name}") for name, where in zip(wanted, known, strict=False)
            ]
            if numbers[0] in found or numbers[1] in taken:
                raise UsageError(f"{at}: {line[_RAW]} or {line[_RELEASED]} is paired twice.")
            found[numbers[0]] = numbers[1]
            taken.add(numbers[1])
            if masks:
                mask_of[numbers[0]] = numbers[2]
    except csv.Error as error:
        raise UsageError(f"{place}, line {reader.line_num}, is no readable CSV: {error}.") from None
    return found, mask_of


def _known(value: str | None, where: dict[str, int], at: str) -> int:
    name = (value or "").strip().replace("\\", "/").removeprefix("./")
    if name in where:
        return where[name]
    raise UsageError(f"{at}: there is no picture '{name}'. Write names as they are below the folder: {some(where)}.")
