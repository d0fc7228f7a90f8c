"""What a stage packs into its artifact is what others read from it, after the store as before."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from maskbench import Randomness, keep_highest
from maskbench.artifacts.store import Artifact, Store
from maskbench.stages.answers import StoredAnswers
from maskbench.stages.attributions import StoredAttributions
from maskbench.stages.closest_restoration import StoredClosest
from maskbench.stages.found_masks import StoredMasks, as_seen
from maskbench.stages.party_release import StoredRelease, release_input
from maskbench.stages.recognition import StoredRecognition
from maskbench.stages.restoration import StoredRestoration
from maskbench.stages.scored import Scored, Validation

IMAGES = torch.arange(5 * 3 * 2 * 2, dtype=torch.uint8).view(5, 3, 2, 2)
MASKS = torch.tensor([0, 1, 1, 0], dtype=torch.uint8).view(1, 1, 2, 2).repeat(5, 1, 1, 1)
MASKS[4, 0, 0, 1] = 0
Through = Callable[[Artifact], Artifact]


@pytest.fixture(params=["memory", "store"])
def through(request: pytest.FixtureRequest, tmp_path: Path) -> Through:
    """An artifact as the next stage gets it: kept in memory, or written and read."""

    def stored(artifact: Artifact) -> Artifact:
        store = Store(tmp_path)
        key = uuid.uuid4().hex
        store.save(key, artifact, {})
        return store.load(key)

    return stored if request.param == "store" else lambda artifact: artifact


def test_a_release_with_masks_and_state(through: Through) -> None:
    state = {"level": torch.tensor(0.5), "a/b": torch.ones(2)}
    packed = through(StoredRelease.pack({"owner_train": IMAGES}, {"owner_train": MASKS}, state, {"owner_train": 2}))
    found = StoredRelease(packed)
    assert torch.equal(found.images("owner_train"), IMAGES)
    assert found.masked
    assert torch.equal(found.masks("owner_train"), MASKS)
    assert found.unchanged("owner_train") == 2
    assert {name: tensor.tolist() for name, tensor in found.state.items()} == {"level": 0.5, "a/b": [1, 1]}
    some = found.release("owner_train", torch.tensor([3, 1]))
    assert torch.equal(some.images, IMAGES[[3, 1]].float() / 255)
    assert torch.equal(some.masks, MASKS[[3, 1]].float())
    with pytest.raises(KeyError):
        found.images("owner_test")


def test_a_release_without_masks(through: Through) -> None:
    found = StoredRelease(through(StoredRelease.pack({"owner_test": IMAGES}, {}, {}, {"owner_test": 0})))
    assert not found.masked
    with pytest.raises(KeyError):
        found.masks("owner_test")
    assert found.release("owner_test").masks is None
    assert found.state == {}


def test_an_attacker_sees_the_masks_that_it_found_in_that_draw(through: Through) -> None:
    unchanged = {"attacker_train": 0}
    release = through(StoredRelease.pack({"attacker_train": IMAGES}, {"attacker_train": MASKS}, {}, unchanged))
    inputs = {release_input("attacker", draw): release for draw in (0, 2)}
    assert torch.equal(as_seen(inputs, "attacker_train", draw=2).masks, MASKS.float())
    found = {("attacker_train", 0): 1 - MASKS, ("attacker_train", 2): torch.ones_like(MASKS)}
    inputs["found_masks"] = through(StoredMasks.pack(found))
    some = torch.tensor([0, 4])
    assert torch.equal(as_seen(inputs, "attacker_train", some).masks, 1.0 - MASKS[some])
    assert torch.equal(as_seen(inputs, "attacker_train", draw=2).masks, torch.ones(5, 1, 2, 2))


def test_attributions_restorations_and_answers(through: Through) -> None:
    maps = torch.rand(5, 1, 2, 2)
    attributions = StoredAttributions(through(StoredAttributions.pack(maps)))
    torch.testing.assert_close(attributions.maps, maps, rtol=1e-3, atol=0)
    restored = StoredRestoration(through(StoredRestoration.pack({"owner_train": IMAGES})))
    assert torch.equal(restored.images("owner_train"), IMAGES)
    assert restored.state is None
    learned = StoredRestoration(through(StoredRestoration.pack({}, {"a/b": maps, "tied": maps})))
    assert all(torch.equal(tensor, maps) for tensor in learned.state.values())
    assert set(learned.state) == {"a/b", "tied"}
    assert StoredRestoration(through(StoredRestoration.pack({}, {}))).state == {}
    assert StoredRestoration(through(StoredRestoration.pack({}, {"seed": 3}))).state is None
    closest = StoredClosest(through(StoredClosest.pack(IMAGES, "telea")))
    assert closest.attack == "telea"
    assert torch.equal(closest.images, IMAGES)
    logits = torch.rand(5, 4)
    recognized = StoredRecognition(through(StoredRecognition.pack(logits, [1.0], 7)))
    assert torch.equal(recognized.logits, logits)
    numbers, labels = torch.tensor([9, 7]), torch.tensor([0, 3])
    packed = StoredAnswers.pack(
        {"owner_test": logits},
        validation={"owner_train": logits[:2].clone()},
        validation_labels=labels,
        validation_numbers=numbers,
    )
    answers = StoredAnswers(through(packed))
    assert torch.equal(answers.logits("owner_test"), logits)
    assert torch.equal(answers.validation("owner_train"), logits[:2])
    assert torch.equal(answers.validation("owner_test"), logits[:2]), "where it is the same, it is stored once"
    assert torch.equal(answers.validation_labels, labels)
    assert torch.equal(answers.validation_numbers, numbers)


def test_scores(through: Through) -> None:
    column = torch.tensor([0.25, float("nan")])
    table = {"number": torch.tensor([4, 2]), "ssim": column, "ssim_hole": column}  # one tensor under two names
    validation = Validation(torch.tensor([1, 5]), torch.tensor([0.5, 1.0], dtype=torch.float64))
    beliefs = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    packed = Scored.pack(
        {"owner_test": table},
        probabilities={"owner_test": beliefs},
        validation={"owner_test": validation},
        record={"calibration": {}},
    )
    scored = Scored(through(packed))
    assert scored.splits == ("owner_test",)
    assert set(scored.columns("owner_test")) == set(table)
    assert all(
        torch.equal(scored.columns("owner_test")[name].nan_to_num(9), column.nan_to_num(9))
        for name in ("ssim", "ssim_hole")
    )
    assert scored.columns("owner_train") == {}
    assert torch.equal(scored.probabilities("owner_test"), beliefs)
    assert scored.probabilities("owner_train") is None
    numbers, scores = scored.validation_scores("owner_test")
    assert (numbers.tolist(), scores.tolist(), scores.dtype) == ([1, 5], [0.5, 1.0], torch.float64)
    assert scored.validation_scores("owner_train") is None


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1.0, 1e6])
def test_attributions_in_half_precision_keep_their_order(scale: float, through: Through) -> None:
    maps = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)) ** 3 * scale
    maps[3] = 0
    found = StoredAttributions(through(StoredAttributions.pack(maps))).maps
    assert torch.equal(found[3], maps[3])
    order = maps.flatten(1).argsort(1)
    assert (found.flatten(1).gather(1, order).diff(dim=1) >= 0).all()
    # Masks of half the pixels differ, if at all, where two scores are within a thousandth of each other.
    kept = [shown.flatten(1) > shown.flatten(1).median(1, keepdim=True).values for shown in (maps, found)]
    assert (kept[0] != kept[1]).float().mean() < 0.005


def test_ties_that_half_precision_makes_favour_no_place() -> None:
    level = 1 + torch.rand(2000, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 1e-5  # all equal in half
    found = StoredAttributions(StoredAttributions.pack(level)).maps
    assert found.flatten(1).diff(dim=1).abs().max() == 0
    masks = keep_highest(found, (8, 8), 1, 0.5, Randomness(0, torch.arange(2000)))
    assert (masks.mean(0) - 0.5).abs().max() < 0.06  # 5 standard errors
