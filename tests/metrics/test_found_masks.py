from __future__ import annotations

import torch
from maskbench.metrics.masks import mask_accuracy, mask_iou
from sklearn.metrics import jaccard_score


def masks(seed: int, share: float) -> torch.Tensor:
    return (torch.rand(5, 1, 6, 8, generator=torch.Generator().manual_seed(seed)) < share).to(torch.uint8)


def test_equal_scikit_learn_per_image() -> None:
    found, true = masks(0, 0.4), masks(1, 0.3)
    expected = [jaccard_score(b.flatten(), a.flatten()) for a, b in zip(found.numpy(), true.numpy(), strict=True)]
    torch.testing.assert_close(mask_iou(found, true), torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(mask_accuracy(found, true), (found == true).flatten(1).double().mean(1))


def test_calling_everything_hidden_gets_no_credit_for_kept_pixels() -> None:
    nothing = torch.zeros(5, 1, 6, 8)
    assert torch.equal(mask_iou(nothing, masks(1, 0.3)), torch.zeros(5, dtype=torch.float64))
    assert (mask_accuracy(nothing, masks(1, 0.3)) > 0.5).all()


def test_right_about_nothing_kept_is_right() -> None:
    nothing = torch.zeros(2, 1, 6, 8)
    assert torch.equal(mask_iou(nothing, nothing), torch.ones(2, dtype=torch.float64))
