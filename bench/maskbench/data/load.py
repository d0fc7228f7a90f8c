"""From `DataOptions` to an `ImageSet`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskbench.data.bins import binned
from maskbench.data.decode import Decoded, decode
from maskbench.data.duplicates import distinct
from maskbench.data.hashing import pixel_digests, row_digests
from maskbench.data.labels import label_name, tidied, without_empty_classes
from maskbench.data.options import DataOptions
from maskbench.data.pair_check import Checked, check_pairs
from maskbench.data.paired_folder import PairedFolder, paired
from maskbench.data.parties import Label
from maskbench.data.paths import existing_folder, nearest_folder, shown
from maskbench.data.selection import quota, strata, stratified
from maskbench.data.sizes import check_images, check_size
from maskbench.data.source import MISSING, LabelTable, RawImages, Source
from maskbench.errors import UsageError, unknown
from maskbench.plugins.catalogue import catalogue
from maskbench.worlds.world import World

if TYPE_CHECKING:
    from maskbench.data.imageset import ImageSet

_LABELS: tuple[Label, ...] = ("target", "sensitive")
_LEAST_LIMIT = 50  # images; fewer leave attacker_validation with one or two
_SPARE = 1.02  # images read per image wanted, so that a few exact copies can be dropped


def resolve(options: DataOptions) -> DataOptions:
    """Check the options against the source, without decoding images, and fill in its defaults.

    The source's default sensitive column goes with its default target: any other target leaves it None.

    Raises:
        UsageError: there is no such source or column, a column cannot serve, or a number is out of range.
    """
    check_size(options.size)
    if options.limit is not None and options.limit < _LEAST_LIMIT:
        raise UsageError(f"--limit is {options.limit}; the smallest is {_LEAST_LIMIT} images.")
    source = _open(options)
    if options.released is not None and options.released.unreadable is None:
        options = options.model_copy(update={"released": checked(options).options})
        source = _open(options)
    table = _labels(source, options)
    default_target = source.default_target or next(iter(table.labels), None)
    target = default_target if options.target is None else label_name(options.target)
    if target is None:
        reasons = "; ".join(f"'{column}' {reason}" for column, reason in table.rejected.items())
        raise UsageError(f"{source.title} has no label column{': ' + reasons if reasons else ''}.")
    sensitive = None if options.sensitive is None else label_name(options.sensitive)
    if sensitive is None and target == default_target:
        sensitive = source.default_sensitive
    for column in filter(None, (target, sensitive)):
        _require_labels(source, table, column)
    if target == sensitive:
        raise UsageError(
            f"Target and sensitive label are both '{target}'. Name two different columns with --target and "
            f"--sensitive; {source.title} has: {', '.join(table.labels)}."
        )
    found: dict[str, Any] = {"source": source.canonical, "target": target, "sensitive": sensitive}
    if options.labels is not None:
        found["labels"] = str(Path(options.labels).resolve())
    return options.model_copy(update=found)


def unlabelled(options: DataOptions) -> tuple[str, ...]:
    """Return the pictures of a folder that its file of labels has no row for, so that they are left out."""
    return _open(options).unlabelled()


def checked(options: DataOptions) -> Checked:
    """Look at every pair of a release that was made elsewhere.

    Raises:
        UsageError: there are too few pairs, or sizes that differ.
    """
    return check_pairs(released_pictures(options), options)


def released_pictures(options: DataOptions) -> PairedFolder:
    """Open the pairs of a release that was made elsewhere; ``options`` are resolved."""
    source = _open(options)
    if not isinstance(source, PairedFolder):
        raise TypeError("these data have no release that was made elsewhere")
    return source


def fingerprint(options: DataOptions) -> str:
    """Return the sha256 (hex) of the raw bytes of the source, all of it whatever the other options say."""
    return _open(options).fingerprint()


def source_name(options: DataOptions) -> str:
    """Return what the source is called now: a folder that was renamed is the same data by another name."""
    return _open(options).title


def source_modules(options: DataOptions) -> tuple[str, ...]:
    """Return the dotted names of the modules that serve the source."""
    return tuple(dict.fromkeys((type(_opened(options.source)).__module__, type(_open(options)).__module__)))


def known_world(options: DataOptions) -> World | None:
    """Return what the images are drawn from, where that is known; ``options`` are resolved.

    Labels other than the world's own, or images of another size, come from no known distribution.
    """
    source = _open(options)
    if options.released is not None:
        return None
    own = options.target == source.default_target and options.sensitive == source.default_sensitive
    if source.world is None or not own or options.size not in (None, source.world.side):
        return None
    return source.world


def shows_persons(options: DataOptions) -> bool:
    """Return whether it is known who is on each picture, and persons have several; ``options`` are resolved."""
    return _open(options).shows_persons


def label_classes(options: DataOptions) -> dict[Label, int]:
    """Return the number of classes of the chosen labels, without decoding images; ``options`` are resolved."""
    table, chosen, _ = _labelled(_open(options), options)
    return {label: len(table.classes[column]) for label, column in zip(_LABELS, chosen, strict=False)}


def built_in() -> list[tuple[str, str]]:
    """Return the name and a one-line description of each source that is opened by its name, sorted."""
    return sorted((source.name, source.description) for source in _sources() if source.by_name)


def load(options: DataOptions) -> ImageSet:
    """Decode the images that `options` asks for, with all their labels.

    With a limit, a few more images than that are decoded, chosen by the hash of their stored bytes and
    stratified by label: `maskbench.data.splits.split` drops copies and keeps exactly the limit.

    Raises:
        UsageError: as `resolve` and `maskbench.data.decode.decode` do.
    """
    import torch

    from maskbench.data.imageset import ImageSet

    options = resolve(options)
    source = _open(options)
    table, chosen, labelled = _labelled(source, options)
    notes = [*table.notes]
    if dropped := int((~labelled).sum()):
        notes.append(f"{dropped} images were dropped: they have no label in {' or '.join(chosen)}.")
    rows = np.flatnonzero(labelled)
    if source.drawn:  # each is chosen for itself: content tells no two equal ones apart
        decoded = decode(source.images(), rows.tolist(), options.size)
    else:
        rows, decoded = _decode_enough(source.images(), table, rows, chosen, options)
    height, width = decoded.pixels.shape[2:]
    check_images(height, width, source.title)

    whole = [column for column, codes in table.labels.items() if np.all(codes[rows] != MISSING)]
    for column in table.labels.keys() - set(whole):
        notes.append(f"The column '{column}' was left out: some images have no label in it.")
    native_test = None if table.native_test is None else table.native_test[rows]
    if native_test is not None and (native_test.all() or not native_test.any()):
        native_test = None
    return ImageSet(
        name=source.title,
        images=torch.from_numpy(decoded.pixels),
        labels={column: torch.from_numpy(table.labels[column][rows]) for column in whole},
        classes={column: table.classes[column] for column in whole},
        native_test=None if native_test is None else torch.from_numpy(native_test),
        flippable=source.flippable,
        target=chosen[0],
        sensitive=options.sensitive,
        rows=torch.from_numpy(rows),
        drawn=source.drawn,
        persons=None if table.persons is None else torch.from_numpy(table.persons[rows]),
        notes=notes + decoded.notes,
    )


def refuse_inside(options: DataOptions, places: Mapping[str, Path]) -> None:
    """Refuse to write into the folder of the data: the next run would read what this one wrote.

    Args:
        places: what is written → where.

    Raises:
        UsageError: a place lies in the folder that the data lie in, or is that folder; or there are no such data.
    """
    folders = [_open(options).folder]
    if options.released is not None:
        folders += [existing_folder(place) for place in (options.released.folder, options.released.masks) if place]
    for folder, (what, place) in product(folders, places.items()):
        _refuse_inside(folder, what, place)


def _refuse_inside(folder: Path | None, what: str, place: Path) -> None:
    try:
        inside = folder is not None and place.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or no name that a file can have
        raise UsageError(f"{what} cannot be written to {shown(place)}: {error}") from None
    if inside:
        raise UsageError(
            f"{what} would lie in the data, in {shown(place)}, and the next run would read them as images: "
            f"choose a place outside {shown(str(folder))}."
        )


def _sources() -> list[type[Source]]:
    return catalogue().classes("source")


def _labels(source: Source, options: DataOptions) -> LabelTable:
    return tidied(binned(source.labels(), options.bins), source.title)


def _open(options: DataOptions) -> Source:
    """Open the source with the labels that were named for it, and of a release the pictures that it has.

    Raises:
        UsageError: there is no such source, or it takes no labels or no release.
    """
    source = _opened(options.source)
    if options.labels is not None:
        source = source.labelled_by(Path(options.labels))
    return source if options.released is None else paired(source, options.released)


def _opened(text: str) -> Source:
    """Ask every source, so that no order decides.

    Raises:
        UsageError: none serves the text, or several do.
    """
    opened = [source for source in (kind.opened(text) for kind in _sources()) if source is not None]
    if len(opened) > 1:
        both = " and ".join(sorted(f"{source.name} ({source.canonical})" for source in opened))
        raise UsageError(f"'{text}' names data of {both}: write a folder as ./{text}, or rename one of them.")
    if opened:
        return opened[0]
    error = unknown("data source", text, [name for name, _ in built_in()])
    folder = nearest_folder(text)
    guess = f" There is a folder '{folder}'." if folder else ""
    raise UsageError(f"{error} Or an existing folder of classes or of Parquet files, or hf:NAME.{guess}")


def _labelled(source: Source, options: DataOptions) -> tuple[LabelTable, list[str], np.ndarray]:
    """The labels of a source, the chosen columns, and which images have a label in all of these.

    Raises:
        UsageError: no image has.
    """
    table = _labels(source, options)
    chosen = [column for column in (options.target, options.sensitive) if column is not None]
    labelled = np.all([table.labels[column] != MISSING for column in chosen], axis=0)
    if not labelled.any():
        raise UsageError(f"No image of {source.title} has a label in {' and '.join(chosen)}.")
    return without_empty_classes(table, chosen, labelled), chosen, labelled


def _require_labels(source: Source, table: LabelTable, column: str) -> None:
    if column in table.rejected:
        raise UsageError(
            f"The column '{column}' of {source.title} is no label column: it {table.rejected[column]}. "
            f"Label columns: {', '.join(table.labels) or 'none'}."
        )
    if column not in table.labels:
        raise unknown(f"label column of {source.title}", column, table.labels)


def _decode_enough(
    images: RawImages, table: LabelTable, rows: np.ndarray, chosen: list[str], options: DataOptions
) -> tuple[np.ndarray, Decoded]:
    """Decode all of `rows`, or so many of them that `options.limit` distinct images are among them."""
    if options.limit is None or options.limit >= len(rows) or table.persons is not None:  # persons are dealt whole
        return rows, decode(images, rows.tolist(), options.size)
    target, *sensitive = [table.labels[column][rows] for column in chosen]
    stratum = strata(target, sensitive[0] if sensitive else None)
    in_test = np.zeros(len(rows), dtype=bool) if table.native_test is None else table.native_test[rows]
    digests = row_digests(images.raw, rows.tolist())
    wanted = quota(options.limit, int(in_test.sum()), int((~in_test).sum()), options.shares.owner_test)
    spare = _SPARE
    while True:
        sides = []
        for side, count in zip((np.flatnonzero(in_test), np.flatnonzero(~in_test)), wanted, strict=True):
            sides.append(side[stratified(stratum[side], digests[side], int(np.ceil(count * spare)))])
        places = np.sort(np.concatenate(sides))
        decoded = decode(images, rows[places].tolist(), options.size)
        kept, _ = distinct(pixel_digests(decoded.pixels), stratum[places], in_test[places])
        found = in_test[places[kept]]
        enough = found.sum() >= wanted[0] and (~found).sum() >= wanted[1]
        if enough or len(places) == len(rows):
            return rows[places], decoded
        spare *= 2
