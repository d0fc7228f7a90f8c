"""Who owns which image: disjoint by content, deterministic, stratified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maskbench.data.duplicates import distinct
from maskbench.data.hashing import numbered, pixel_digests, reseeded
from maskbench.data.imageset import ImageSet
from maskbench.data.options import Shares
from maskbench.data.selection import balanced_word, quota, strata, stratified
from maskbench.errors import UsageError

_LEAST = 2  # images of a split: networks are trained and attacks chosen on them
_SHARES = Shares()
_TRAINING = ("owner_train", "attacker_train", "attacker_validation")


@dataclass(frozen=True)
class Splits:
    """Indices into an `ImageSet` (int64, sorted), disjoint by image content, and by person where persons are known.

    Attributes:
        owner_train: images that are released and that the recognizer learns from.
        owner_test: images on which recognition is scored.
        attacker_train: raw images of the same kind that the attacker learns from.
        attacker_validation: raw images on which the attacker chooses.
        notes: what was dropped, one sentence each.
    """

    owner_train: Tensor
    owner_test: Tensor
    attacker_train: Tensor
    attacker_validation: Tensor
    notes: list[str]


def split(image_set: ImageSet, limit: int | None, seed: int = 0, shares: Shares = _SHARES) -> Splits:
    """Assign the distinct images to the four splits.

    The assignment depends on the contents and the labels of the images, never on their order; where every image is a
    draw of its own, on its number as well. Every (target,
    sensitive) class and every target class gets its shares to within two images. With a native test split,
    owner_test comes from it alone: all of it, or its share of `limit`. Persons, where they are known, are dealt whole:
    then every class of persons gets its shares, and a limit is that of its share of persons.

    Args:
        limit: at most this many images over all splits, exactly as many where there are enough.
        seed: another number deals the images out anew.
        shares: of each split in percent.

    Raises:
        UsageError: a split other than attacker_validation would lack a target class.
        ValueError: persons are known, and the source has a test split of its own, which may share some.
    """
    target = image_set.labels[image_set.target].numpy()
    sensitive = None if image_set.sensitive is None else image_set.labels[image_set.sensitive].numpy()
    stratum = strata(target, sensitive)
    digests = pixel_digests(image_set.images.numpy())
    native_test = None if image_set.native_test is None else image_set.native_test.numpy()
    if image_set.drawn:
        digests = numbered(digests, image_set.rows.numpy())
    kept, notes = distinct(digests, stratum, native_test)
    digests = reseeded(digests, seed)

    weights = {name: getattr(shares, name) for name in (*_TRAINING, "owner_test")}

    def pick(candidates: np.ndarray, count: int) -> np.ndarray:
        return candidates[stratified(stratum[candidates], digests[candidates], count)]

    if image_set.persons is not None:
        if native_test is not None:
            raise ValueError(f"{image_set.name} says who is on its images, so it cannot bring a test split of its own.")
        parts = _deal_persons(image_set.persons.numpy(), kept, stratum, digests, limit, weights)
    elif native_test is None:
        chosen = pick(kept, len(kept) if limit is None else limit)
        parts = _deal(chosen, weights)
    else:
        in_test = native_test[kept]
        test_count, rest_count = quota(limit, int(in_test.sum()), int((~in_test).sum()), shares.owner_test)
        parts = _deal(pick(kept[~in_test], rest_count), {name: weights[name] for name in _TRAINING})
        parts["owner_test"] = pick(kept[in_test], test_count)

    few = [f"{name} {len(rows)}" for name, rows in parts.items() if len(rows) < _LEAST]
    if few:
        raise UsageError(
            f"Too few distinct images in {image_set.name}: every split needs at least {_LEAST} ({', '.join(few)})."
        )
    for name, rows in parts.items():
        if name == "attacker_validation":
            continue  # nobody learns from it; with ten pictures a person, its share of one's is less than one
        _require_every_class(image_set, target, kept, name, rows)
    return Splits(**{name: torch.from_numpy(np.sort(rows)) for name, rows in parts.items()}, notes=notes)


def _deal_persons(
    persons: np.ndarray,
    kept: np.ndarray,
    stratum: np.ndarray,
    digests: np.ndarray,
    limit: int | None,
    weights: dict[str, int],
) -> dict[str, np.ndarray]:
    """Deal out persons with all of their distinct images; a person's class is the least one of these images.

    Args:
        persons, stratum, digests: of every image.
        kept: the distinct images.
        weights: of the splits, in proportion.
    """
    ordered = kept[np.lexsort((digests[kept], persons[kept]))]
    names, first = np.unique(persons[ordered], return_index=True)
    count = len(names) if limit is None else len(names) * min(limit, len(kept)) // len(kept)
    leaders = ordered[first]
    classes = np.minimum.reduceat(stratum[ordered], first)
    chosen = names[stratified(classes, digests[leaders], count)]
    return {name: kept[np.isin(persons[kept], mine)] for name, mine in _deal(chosen, weights).items()}


def _deal(rows: np.ndarray, weights: dict[str, int]) -> dict[str, np.ndarray]:
    word = balanced_word(weights)
    names = np.resize(word, len(rows))
    return {name: rows[names == name] for name in weights}


def _require_every_class(
    image_set: ImageSet, target: np.ndarray, kept: np.ndarray, split_name: str, rows: np.ndarray
) -> None:
    classes = image_set.classes[image_set.target]
    absent = np.setdiff1d(np.arange(len(classes)), target[rows])
    if not len(absent):
        return
    available = int((target[kept] == absent[0]).sum())
    raise UsageError(
        f"The split {split_name} of {image_set.name} has no image of the {image_set.target} class "
        f"'{classes[absent[0]]}' ({len(absent)} of {len(classes)} classes are absent; {available} distinct "
        f"images of that one were read, {len(rows)} images are in the split). "
        "Pass a bigger --limit, choose another --target, or take rare classes out of the data."
    )
