"""k-same-pixel: groups of at least k, and the 1/k bound against recognition that Newton et al. prove."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench import UsageError
from maskbench.errors import Unavailable
from maskbench.methods.k_same import KSamePixel, closed_set_groups, group_means, identity_gallery, squared_distances
from maskbench.release import to_bytes
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, fitted, owner, pictures


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", [2, 5, 40])
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], k: int) -> None:
    check_release(KSamePixel(k=k), shape)


def test_nothing_is_random() -> None:
    assert not depends_on_the_seed(KSamePixel())


@given(count=st.integers(2, 60), k=st.integers(2, 12), seed=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_every_group_has_k_to_2k_minus_1_members(count: int, k: int, seed: int) -> None:
    k = min(k, count)
    # Two grey levels on four pixels: many duplicates and many equal distances.
    gallery = torch.randint(2, (count, 1, 2, 2), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    group = closed_set_groups(gallery, k)
    sizes = torch.bincount(group)
    assert len(sizes) == count // k
    assert int(sizes.min()) >= k
    assert int(sizes.max()) <= 2 * k - 1


def test_a_group_holds_the_nearest_that_are_free() -> None:
    levels = torch.tensor([10, 200, 12, 90, 205, 14, 95, 100], dtype=torch.uint8)
    group = closed_set_groups(levels.view(-1, 1, 1, 1).expand(-1, 3, 4, 4).contiguous(), 3)
    # 10 takes 12 and 14; five are left, fewer than 2 · 3, and stay together.
    assert group.tolist() == [0, 1, 0, 1, 1, 0, 1, 1]


@pytest.mark.parametrize("k", [2, 3, 7])
def test_rank_1_recognition_of_the_gallery_is_right_at_most_once_in_k(k: int) -> None:
    """Newton's closed set: raw gallery, one image an identity; naive recognition is the nearest gallery picture."""
    images = pictures(60, (3, 32, 32))
    method = fitted(KSamePixel(k=k), images)
    released = method.release(images, seed=0, numbers=torch.arange(60)).images
    named = squared_distances(to_bytes(released), to_bytes(images)).argmin(dim=1)
    right = int((named == torch.arange(60)).sum())
    assert 0 < right * k <= 60  # in whole numbers: where k divides 60 the bound can be met exactly
    raw = squared_distances(to_bytes(images), to_bytes(images)).argmin(dim=1)
    assert torch.equal(raw, torch.arange(60))  # the recognizer is perfect where nothing is hidden
    distinct, shares = released.flatten(1).unique(dim=0, return_counts=True)
    assert int(shares.min()) >= k
    assert len(distinct) * k <= 60  # so no recognition of single pictures, however good, passes 1/k


def test_averaging_the_k_neighbours_of_every_image_anew_would_break_the_bound() -> None:
    """Why the method uses the closed-set groups: on a line of pictures, an image may be nearest to its own mean."""
    levels = torch.arange(0, 250, 10, dtype=torch.uint8).view(-1, 1, 1, 1)
    nearest = squared_distances(levels, levels).topk(3, largest=False).indices
    means = levels.float()[nearest].mean(dim=1).round().to(torch.uint8)
    right = squared_distances(means, levels).argmin(dim=1) == torch.arange(len(levels))
    assert float(right.float().mean()) > 1 / 3


def test_an_identity_is_a_class_of_the_sensitive_label() -> None:
    images = pictures(12, (3, 28, 28))
    sensitive = torch.tensor([4, 4, 4, 0, 0, 0, 9, 9, 9, 2, 2, 2])
    gallery = identity_gallery(to_bytes(images), sensitive)
    assert len(gallery) == 4
    expected = (images[sensitive == 2] * 255).mean(dim=0).round().to(torch.uint8)
    assert torch.equal(gallery[1], expected)
    method = fitted(KSamePixel(k=2), images, sensitive)
    released = method.release(images, seed=0, numbers=torch.arange(12)).images
    assert len(released.flatten(1).unique(dim=0)) <= 2


def test_what_is_released_is_the_mean_of_the_group() -> None:
    images = pictures(10, (1, 28, 28))
    state = KSamePixel(k=5).fit(owner(images))
    members = to_bytes(images)[state["group"] == 1]
    assert torch.equal(state["means"][1], members.double().mean(dim=0).round().to(torch.uint8))


def test_as_many_identities_as_k_share_one_picture() -> None:
    images = pictures(5, (3, 32, 32))
    released = fitted(KSamePixel(k=5), images).release(images, seed=0, numbers=torch.arange(5)).images
    assert len(released.flatten(1).unique(dim=0)) == 1


def test_too_few_identities_are_named() -> None:
    images = pictures(6, (3, 28, 28))
    with pytest.raises(Unavailable, match="k=7 identities share a picture, but there are only 6 training images"):
        KSamePixel(k=7).fit(owner(images))
    with pytest.raises(Unavailable, match="only 2 classes of the sensitive label"):
        KSamePixel(k=3).fit(owner(images, torch.tensor([0, 1, 0, 1, 0, 1])))
    with pytest.raises(UsageError, match="k=1 is not valid"):
        KSamePixel.create({"k": 1})


def test_distances_are_exact() -> None:
    images, gallery = (to_bytes(pictures(count, (3, 64, 64), seed)) for count, seed in ((4, 0), (9, 1)))
    difference = images[:, None].long() - gallery[None].long()
    assert torch.equal(squared_distances(images, gallery).long(), difference.square().sum(dim=(2, 3, 4)))


def test_group_means_round_to_the_nearest_level() -> None:
    images = torch.tensor([10, 11, 200], dtype=torch.uint8).view(3, 1, 1, 1)
    assert group_means(images, torch.tensor([0, 0, 1])).flatten().tolist() == [10, 200]
