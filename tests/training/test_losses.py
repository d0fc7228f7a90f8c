"""What is seen of trainings, and how much their loss still fell at the end."""

from __future__ import annotations

import pytest
import torch
from maskbench.training.classifier import train_classifier
from maskbench.training.losses import late_fall, losses_seen, show_losses
from maskbench.training.settings import CLASSIFICATION
from torch import Tensor, nn


class _Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.answer = nn.Linear(16, 2)

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        return self.answer(images.flatten(1))


def _trained(epochs: int) -> list[float]:
    labels = torch.arange(64) % 2
    images = (labels * 255).to(torch.uint8).view(-1, 1, 1, 1).expand(64, 1, 4, 4).contiguous()
    training = CLASSIFICATION.model_copy(update={"epochs": epochs, "batch_size": 8, "crop": 0, "learning_rate": 0.1})
    device = torch.device("cpu")
    return train_classifier(_Linear(), images, None, labels, training=training, flip=False, seed=0, device=device)


def test_trainings_of_the_block_are_seen_and_no_others() -> None:
    with losses_seen() as outer:
        first = _trained(1)
        with losses_seen() as inner:
            second = _trained(3)
    _trained(1)
    assert outer == [tuple(first)]
    assert inner == [tuple(second)]
    show_losses([1.0])  # nobody looks on


def test_one_epoch_is_too_few_and_what_converged_has_stopped_falling() -> None:
    with losses_seen() as few:
        _trained(1)
    with losses_seen() as many:
        _trained(16)
    short, long = late_fall(few), late_fall(many)
    assert short == 1 and long is not None and long < 0.02


@pytest.mark.parametrize(
    ("losses", "fall"),
    [
        ([], None),
        ([(2.0,)], 1.0),
        ([(2.0, 1.0)], 0.5),  # half of the training by all of it, so a quarter of it by half
        ([(5.0, 4.0, 3.0, 2.0, 1.0)], 0.25 * 5 / 4),  # at the same rate to the end
        ([(4.0, 1.0, 1.0, 1.0)], 0.0),
        ([(2.0, 1.0, 1.0, 1.5)], 0.0),
        ([(2.30, 2.29, 2.28, 2.27)], 0.0),  # nothing to learn
        ([(8.0, 8.0, 8.0, 8.0, 8.0, 6.0, 4.0, 4.0)], 0.5),
        ([(3.0, 5.0, 3.0, 1.0)], 0.5),  # other pictures on the way, which are harder
        ([(9.0, 1.0), (4.0, 3.0, 2.0, 1.0), (2.0, 1.0)], 1 / 3),  # the longest, not a trial
        ([(4.0, 3.0, 2.0, 1.0), (4.0, 2.0, 2.0, 2.0)], 0.0),  # of equally long ones, the last
        ([(0.0, 1.0)], 0.0),
        ([(0.0, 0.0)], 0.0),
    ],
)
def test_the_share_by_its_formula(losses: list[tuple[float, ...]], fall: float | None) -> None:
    assert late_fall(losses) == (None if fall is None else pytest.approx(fall))
