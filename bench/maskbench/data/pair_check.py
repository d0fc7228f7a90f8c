"""Looking at every pair of a release that was made elsewhere, before anything is measured."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import chain

import numpy as np

from maskbench.data.options import DataOptions, Released
from maskbench.data.paired_folder import PairedFolder, names
from maskbench.data.pixels import Picture, Unreadable, read_pixels, without_remarks
from maskbench.data.source import RawImages
from maskbench.errors import UsageError
from maskbench.parallel import map_ranges

LEAST_PAIRS = 50
_HALF = 128  # a mask keeps where it is at least so bright


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        options: the release with what is left out, and what to say of it.
        pairs: how many are used.
        unreadable: raw picture → why its pair is left out.
        raw_alone, released_alone, without_mask: names of pictures without a partner.
        unlabelled: names of raw pictures without a label.
    """

    options: Released
    pairs: int
    unreadable: dict[str, str]
    raw_alone: tuple[str, ...]
    released_alone: tuple[str, ...]
    without_mask: tuple[str, ...]
    unlabelled: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    """One pair: why it cannot be used; or sizes (W×H), whether nothing changed, and how much where the mask says."""

    reason: str = ""
    raw: str = ""
    released: str = ""
    unchanged: bool = False
    content: bytes = b""
    change_kept: float = 0.0
    change_hidden: float = 0.0


def check_pairs(source: PairedFolder, options: DataOptions) -> Checked:
    """Decode every pair once; nobody has left any out yet.

    Raises:
        UsageError: too few pairs can be used, sizes differ and no size was named, or the masks are inverted.
    """
    pairing, released = source.pairing, options.released
    if released is None:
        raise TypeError("these data have no release that was made elsewhere")
    seen = _look(source)
    unreadable = tuple(place for place, each in enumerate(seen) if each.reason)
    used = [each for each in seen if not each.reason]
    reasons = dict(zip(names(source, unreadable), (seen[place].reason for place in unreadable), strict=True))
    if len(used) < LEAST_PAIRS:
        raise UsageError(
            f"{len(used)} pairs of a raw and a released picture can be used, and an audit needs {LEAST_PAIRS}: "
            f"{len(pairing.raw_alone)} raw pictures have no release, {len(pairing.released_alone)} released ones no "
            f"raw one, {len(pairing.without_mask)} no mask, {len(reasons)} cannot be read"
            f"{_first(reasons)}. Names that differ go into a CSV file with the columns raw and released (--pairs)."
        )
    notes = [*_sizes(used, options.size), *_content(used), *_masks(used, pairing.masks is not None)]
    left_out = {
        "raw pictures have no released one": len(pairing.raw_alone),
        "released pictures have no raw one": len(pairing.released_alone),
        "pairs have no mask": len(pairing.without_mask),
        "pairs cannot be read": len(reasons),
    }
    notes += [f"{count} {what}: they were left out." for what, count in left_out.items() if count]
    return Checked(
        released.model_copy(update={"unreadable": unreadable, "notes": tuple(notes)}),
        len(used),
        reasons,
        pairing.raw_alone,
        pairing.released_alone,
        pairing.without_mask,
        source.unlabelled(),
    )


def kept(picture: Picture) -> np.ndarray:
    """What a picture of a mask says is kept: bool (H, W). White is kept, or 1 where it holds but 0 and 1."""
    values = picture.pixels[0]
    return values == 1 if values.max() == 1 else values >= _HALF


def _look(source: PairedFolder) -> list[_Seen]:
    raw, released, masks = source.images(), source.released(), source.masks()

    def part(places: range) -> list[_Seen]:
        return [_look_at(raw, released, masks, place) for place in places]

    with without_remarks():
        return list(chain.from_iterable(map_ranges(part, len(source.pairs))))


def _look_at(raw: RawImages, released: RawImages, masks: RawImages | None, place: int) -> _Seen:
    pictures = []
    for what, images in (("raw picture", raw), ("released picture", released), ("mask", masks)):
        if images is None:
            continue
        found = read_pixels(lambda images=images: images.open(place), None)  # type: ignore[misc]
        if isinstance(found, Unreadable):
            return _Seen(f"the {what} cannot be used: {found.reason}")
        pictures.append(found)
    before, after = (_coloured(picture.pixels) for picture in pictures[:2])
    sizes = [f"{picture.pixels.shape[2]}×{picture.pixels.shape[1]}" for picture in pictures]
    content = hashlib.blake2b(after.tobytes(), digest_size=16).digest()
    if before.shape != after.shape:
        return _Seen(raw=sizes[0], released=sizes[1], content=content)
    change = np.abs(before.astype(np.int16) - after).max(axis=0)
    change_kept = change_hidden = 0.0
    if masks is not None:
        if sizes[2] != sizes[1]:
            return _Seen(f"its mask has {sizes[2]} px, and the picture {sizes[1]} px")
        shown = kept(pictures[2])
        change_kept = float(change[shown].mean()) if shown.any() else 0.0
        change_hidden = float(change[~shown].mean()) if not shown.all() else 0.0
    unchanged = not change.any()
    return _Seen("", sizes[0], sizes[1], unchanged, content, change_kept, change_hidden)


def _coloured(pixels: np.ndarray) -> np.ndarray:
    return np.broadcast_to(pixels, (3, *pixels.shape[1:]))


def _sizes(used: list[_Seen], size: int | None) -> list[str]:
    other = [each for each in used if each.raw != each.released]
    raw = Counter(each.raw for each in used)
    if size is None and other:
        raise UsageError(
            f"{len(other)} of {len(used)} released pictures have another size than their raw one, such as "
            f"{other[0].released} px instead of {other[0].raw} px. Pass --size, for example --size 64: raw and "
            "released pictures are then both brought to a square of that side, and what that changes is measured too."
        )
    if size is None and len(raw) > 1:
        raise UsageError(
            f"The pictures differ in size ({', '.join(f'{text} px' for text in list(raw)[:3])}): pass --size, for "
            "example --size 64, to bring them to one."
        )
    if not other:
        return []
    return [
        f"{len(other)} of {len(used)} released pictures have another size than their raw one ({other[0].released} px "
        f"instead of {other[0].raw} px, for one): both were brought to {size} px, which is measured too."
    ]


def _content(used: list[_Seen]) -> list[str]:
    notes = []
    unchanged = sum(each.unchanged for each in used)
    if unchanged == len(used):
        notes.append("Every released picture equals its raw one: nothing was hidden.")
    elif unchanged:
        notes.append(f"{unchanged} of {len(used)} released pictures equal their raw one: nothing was hidden in them.")
    distinct = len({each.content for each in used})
    if distinct == 1:
        notes.append("All released pictures are the same picture: it tells nothing of any of them.")
    elif distinct < len(used):
        notes.append(f"There are {distinct} different pictures among {len(used)} released ones.")
    return notes


def _masks(used: list[_Seen], masked: bool) -> list[str]:
    if not masked:
        return []
    inside = float(np.mean([each.change_hidden for each in used]))
    outside = float(np.mean([each.change_kept for each in used]))
    if outside > inside:
        raise UsageError(
            f"The masks look inverted: pixels that they keep changed by {outside:.1f} grey levels in the mean, and "
            f"hidden ones by {inside:.1f}. White (255) means kept and black (0) hidden: invert them."
        )
    changed = sum(each.change_kept > 0 for each in used)
    if not changed:
        return []
    return [
        f"In {changed} of {len(used)} released pictures, pixels that the mask keeps are not those of the raw one, as "
        "after JPEG compression. Attackers take them as they are released."
    ]


def _first(reasons: dict[str, str]) -> str:
    return next((f" ({name}: {reason})" for name, reason in reasons.items()), "")
