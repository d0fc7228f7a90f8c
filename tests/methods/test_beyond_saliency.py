"""Universal, contrastive and sensitive-drop masks."""

from __future__ import annotations

import pytest
import torch
from mask_cases import COUNT, attributions, broken_promises, fitted, images, owner, released
from maskbench import Attribution, Method
from maskbench.methods.beyond_saliency import Contrastive, SensitiveDrop, Universal, average_ranks
from maskbench.methods.saliency_masks import Saliency
from scipy.stats import rankdata

SHAPE = (3, 32, 32)
SENSITIVE = Attribution("integrated-gradients", "sensitive")


@pytest.mark.parametrize("geometry", ["pixel", "patch"])
@pytest.mark.parametrize("kind", [Universal, Contrastive, SensitiveDrop])
def test_promises(kind: type, geometry: str) -> None:
    assert list(broken_promises(kind, geometry=geometry)) == []


def test_average_ranks_are_those_of_scipy() -> None:
    values = torch.randint(0, 6, (16, 1, 5, 7), generator=torch.Generator().manual_seed(0)).float()
    values[0] = 3.0
    for ours, image in zip(average_ranks(values), values, strict=True):
        expected = (rankdata(image.numpy(), method="average") - 1) / (image.numel() - 1)
        assert torch.allclose(ours.flatten().double(), torch.from_numpy(expected.ravel()), atol=1e-6)
    assert torch.equal(average_ranks(torch.ones(2, 1, 1, 1)), torch.zeros(2, 1, 1, 1))


def test_universal_masks_are_identical_even_where_nothing_decides() -> None:
    method = Universal()
    masks = released(fitted(method, SHAPE), SHAPE).masks
    assert torch.equal(masks, masks[:1].expand_as(masks))
    flat = owner(method, SHAPE)
    flat.attributions[Attribution("integrated-gradients")].fill_(1.0)
    masks = released(method.with_state(method.fit(flat)), SHAPE).masks
    assert torch.equal(masks, masks[:1].expand_as(masks))
    assert float(masks.mean()) == 0.25


def test_universal_keeps_what_matters_on_average_and_every_image_has_one_vote() -> None:
    method = Universal(ratio=0.75, geometry="pixel")
    party = owner(method, SHAPE)
    scores = party.attributions[Attribution("integrated-gradients")]
    scores[:, :, :16, :16] += 10  # the corner matters to all,
    scores[5, :, 20:, 20:] += 1e6  # and to one image another one, beyond all measure
    mask = method.fit(party)["mask"]
    expected = torch.zeros(1, 1, 32, 32)
    expected[:, :, :16, :16] = 1
    assert torch.equal(mask, expected)


def _masks(method: Method, change: Attribution | None) -> torch.Tensor:
    answers = attributions(method, SHAPE)
    if change is not None:
        answers[change] = answers[change].flip(-1)
    return method.release(images(SHAPE), seed=5, numbers=torch.arange(COUNT), attributions=answers).masks


@pytest.mark.parametrize("kind", [Contrastive, SensitiveDrop])
def test_the_sensitive_attribution_decides(kind: type) -> None:
    before, after = _masks(kind(), None), _masks(kind(), SENSITIVE)
    assert bool((before != after)[3:].flatten(1).any(dim=1).all())


def test_contrastive_without_weight_is_saliency() -> None:
    # But for flat images, where the lots differ.
    assert torch.equal(released(Contrastive(weight=0), SHAPE).masks[3:], released(Saliency(), SHAPE).masks[3:])


def test_contrastive_is_target_minus_sensitive_in_ranks() -> None:
    method = Contrastive(weight=0.5, geometry="pixel")
    kept = released(method, SHAPE).masks.flatten(1)
    target, sensitive = (answer.flatten(1).numpy() for answer in attributions(method, SHAPE).values())
    wrong = []
    for number in range(3, COUNT):
        score = rankdata(target[number]) - 0.5 * rankdata(sensitive[number])
        inside, outside = score[kept[number] == 1].min(), score[kept[number] == 0].max()
        if inside < outside:
            wrong.append((number, inside, outside))
    assert wrong == []


def test_sensitive_drop_hides_the_sensitive_places() -> None:
    method = SensitiveDrop(ratio=0.25)
    hidden = 1 - released(method, SHAPE).masks
    answers = {Attribution("integrated-gradients"): attributions(method, SHAPE)[SENSITIVE]}
    top = Saliency(ratio=0.75).release(
        images(SHAPE), seed=5, numbers=torch.arange(100, 100 + COUNT), attributions=answers
    )
    assert torch.equal(hidden[3:], top.masks[3:])
