"""The splits are disjoint by content, deterministic, stratified, and of the promised sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.data.hashing import pixel_digests
from maskbench.data.imageset import ImageSet
from maskbench.data.options import DataOptions, Shares
from maskbench.data.selection import balanced_word, quota
from maskbench.data.splits import Splits, split
from maskbench.errors import UsageError

NAMES = ("owner_train", "owner_test", "attacker_train", "attacker_validation")
SHARES = {"owner_train": 0.50, "owner_test": 0.20, "attacker_train": 0.24, "attacker_validation": 0.06}


def make_set(content, target, sensitive=None, native_test=None) -> ImageSet:
    """Build a set whose image number i is decided by content[i] alone."""
    content = torch.as_tensor(content, dtype=torch.int64)
    images = torch.zeros(len(content), 1, 8, 8, dtype=torch.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = content % 256, content // 256
    labels = {"target": torch.as_tensor(target, dtype=torch.int64)}
    if sensitive is not None:
        labels["sensitive"] = torch.as_tensor(sensitive, dtype=torch.int64)
    classes = {name: [str(code) for code in range(int(codes.max()) + 1)] for name, codes in labels.items()}
    if native_test is not None:
        native_test = torch.as_tensor(native_test)
    chosen = None if sensitive is None else "sensitive"
    return ImageSet("made", images, labels, classes, native_test, True, "target", chosen, [], torch.arange(len(images)))


def contents(image_set: ImageSet, splits: Splits) -> dict[str, list[bytes]]:
    digests = pixel_digests(image_set.images.numpy())
    return {name: sorted(digests[getattr(splits, name).numpy()].tolist()) for name in NAMES}


def sizes(splits: Splits) -> list[int]:
    return [len(getattr(splits, name)) for name in NAMES]


@st.composite
def sets(draw: st.DrawFn) -> ImageSet:
    count = draw(st.integers(160, 400))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    content = rng.integers(0, draw(st.integers(count, 4 * count)), count)  # so there are copies
    target = content % 2
    sensitive = rng.permutation(4 * count)[content] % 5 if draw(st.booleans()) else None
    native_test = rng.random(count) < 0.4 if draw(st.booleans()) else None
    return make_set(content, target, sensitive, native_test)


LIMITS = st.one_of(st.none(), st.integers(100, 450))


@settings(max_examples=60, deadline=None)
@given(sets(), LIMITS)
def test_no_content_is_in_two_splits_or_twice_in_one(image_set, limit):
    everything = [digest for part in contents(image_set, split(image_set, limit)).values() for digest in part]
    assert len(everything) == len(set(everything))


@settings(max_examples=40, deadline=None)
@given(sets(), LIMITS, st.randoms(use_true_random=False))
def test_the_order_of_the_images_does_not_matter(image_set, limit, random):
    order = list(range(len(image_set.images)))
    random.shuffle(order)
    shuffled = ImageSet(
        image_set.name,
        image_set.images[order],
        {name: codes[order] for name, codes in image_set.labels.items()},
        image_set.classes,
        None if image_set.native_test is None else image_set.native_test[order],
        image_set.flippable,
        image_set.target,
        image_set.sensitive,
        [],
        image_set.rows[order],
    )
    assert contents(shuffled, split(shuffled, limit)) == contents(image_set, split(image_set, limit))


@settings(max_examples=60, deadline=None)
@given(sets(), LIMITS)
def test_totals_and_shares(image_set, limit):
    splits = split(image_set, limit)
    distinct = len(np.unique(pixel_digests(image_set.images.numpy())))
    total = sum(sizes(splits))
    assert total == min(distinct, limit or distinct)
    if image_set.native_test is None:
        for name, size in zip(NAMES, sizes(splits), strict=True):
            assert abs(size - SHARES[name] * total) < 1
    else:
        assert image_set.native_test[splits.owner_test].all()
        training = total - len(splits.owner_test)
        for name in set(NAMES) - {"owner_test"}:
            assert not image_set.native_test[getattr(splits, name)].any()
            assert abs(len(getattr(splits, name)) - SHARES[name] / 0.8 * training) < 1


@settings(max_examples=40, deadline=None)
@given(sets(), LIMITS)
def test_every_stratum_and_target_class_gets_its_share(image_set, limit):
    splits = split(image_set, limit)
    rows = torch.cat([getattr(splits, name) for name in NAMES])
    columns = [image_set.labels["target"]]
    if image_set.sensitive:
        columns.append(columns[0] * 100 + image_set.labels["sensitive"])
    parts, scale = (NAMES, 1.0) if image_set.native_test is None else (set(NAMES) - {"owner_test"}, 0.8)
    for column in columns:
        for code in column.unique():
            members = [int((column[getattr(splits, name)] == code).sum()) for name in parts]
            for name, found in zip(parts, members, strict=True):
                assert abs(found - SHARES[name] / scale * sum(members)) < 2
            assert sum(members) <= int((column[rows] == code).sum())


def test_another_seed_deals_the_images_out_anew():
    image_set = make_set(range(400), np.arange(400) % 4)
    first, again, other = (contents(image_set, split(image_set, None, seed)) for seed in (0, 1, 2))
    assert first == contents(image_set, split(image_set, None))
    assert first["owner_train"] != again["owner_train"] != other["owner_train"]
    assert [len(part) for part in first.values()] == [len(part) for part in other.values()]
    assert {digest for part in first.values() for digest in part} == {d for part in other.values() for d in part}
    assert contents(image_set, split(image_set, None, 2)) == other


def test_indices_are_sorted_int64():
    for rows in vars(split(make_set(range(300), np.arange(300) % 3), None)).values():
        if isinstance(rows, torch.Tensor):
            assert rows.dtype == torch.int64
            assert (rows.diff() > 0).all()


def test_copies_with_different_labels_are_all_dropped_and_counted():
    image_set = make_set([*range(200), 7, 7], [*(np.arange(200) % 2), 0, 1])
    splits = split(image_set, None)
    assert sum(sizes(splits)) == 199
    assert any(note.startswith("3 images were dropped") and "different labels" in note for note in splits.notes)


def test_copies_with_equal_labels_are_kept_once_and_counted():
    splits = split(make_set([*range(200), 7, 7], [*(np.arange(200) % 2), 1, 1]), None)
    assert sum(sizes(splits)) == 200
    assert splits.notes == ["2 images were dropped: exact copies of another image with the same labels."]


def test_training_copies_of_native_test_images_are_dropped():
    native_test = [*([False] * 200), *([True] * 60)]
    splits = split(
        make_set([*range(200), *range(60)], [*np.arange(200) % 2, *np.arange(60) % 2], None, native_test),
        None,
    )
    assert sizes(splits)[1] == 60
    assert sum(sizes(splits)) == 200
    assert splits.notes == ["60 training images were dropped: exact copies of images of the native test split."]


def test_the_limit_takes_a_fifth_from_the_native_test_split():
    native_test = np.arange(1000) % 3 == 0
    splits = split(make_set(range(1000), np.arange(1000) % 2, None, native_test), 400)
    assert sizes(splits) == [200, 80, 96, 24]


def test_a_missing_target_class_is_named():
    target = np.arange(300) % 2
    target[:2] = 2
    with pytest.raises(UsageError, match=r"class '2'.*--limit"):
        split(make_set(range(300), target), None)


def test_forty_people_with_ten_pictures_each_can_be_split():
    person = np.arange(400) % 40
    splits = split(make_set(range(400), person), None)
    for name in NAMES[:3]:
        assert set(person[getattr(splits, name).numpy()]) == set(range(40)), name


OWN = Shares(owner_train=40, owner_test=30, attacker_train=20, attacker_validation=10)


@pytest.mark.parametrize("limit", [None, 200])
def test_shares_of_ones_own(limit):
    image_set = make_set(range(400), np.arange(400) % 4)
    total = limit or 400
    assert sizes(split(image_set, limit, shares=OWN)) == [total * share // 100 for share in (40, 30, 20, 10)]


def test_shares_with_a_test_split_divide_the_rest():
    image_set = make_set(range(400), np.arange(400) % 4, native_test=np.arange(400) < 200)
    # 60 of 200 come from the test split; of the other 140 four sevenths, two and one.
    assert sizes(split(image_set, 200, shares=OWN)) == [80, 60, 40, 20]


def test_unusual_shares_are_part_of_what_was_chosen_and_usual_ones_are_not():
    assert "shares" not in DataOptions().choices()
    assert DataOptions(shares=OWN).choices()["shares"] == OWN.model_dump()


@pytest.mark.parametrize(
    ("limit", "native_test", "rest", "expected"),
    [
        (None, 10, 90, (10, 90)),
        (1000, 10, 90, (10, 90)),
        (50, 30, 90, (10, 40)),
        (100, 10, 500, (10, 90)),  # too few tests: filled up with training images
        (100, 300, 60, (40, 60)),  # too few training images: filled up with tests
        (100, 0, 300, (0, 100)),
    ],
)
def test_quota(limit, native_test, rest, expected):
    assert quota(limit, native_test, rest, 20) == expected


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6))
def test_every_prefix_of_a_balanced_word_is_in_proportion(weights):
    named = {str(place): weight for place, weight in enumerate(weights)}
    word = balanced_word(named)
    places = np.arange(1, len(word) + 1)
    for name, weight in named.items():
        served = np.cumsum(word == name)
        assert served[-1] == weight
        assert np.abs(served - places * weight / sum(weights)).max() < 1
