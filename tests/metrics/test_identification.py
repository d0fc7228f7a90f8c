"""Ranks and acceptance, against loops and known answers."""

from __future__ import annotations

import pytest
import torch
from maskbench.metrics.identification import IDENTIFICATION, accepted, identification, rank


def scores(count: int = 50, people: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, people, generator=generator), torch.randint(people, (count,), generator=generator)


def test_rank_is_the_place_of_the_right_person() -> None:
    found, truth = scores()
    expected = [
        1 + sum(float(value) > float(row[person]) for value in row) for row, person in zip(found, truth, strict=True)
    ]
    assert rank(found, truth).tolist() == expected


def test_equal_scores_count_against_the_right_person() -> None:
    assert rank(torch.zeros(1, 7), torch.tensor([3])).item() == 7


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1])
def test_no_more_wrong_people_pass_than_allowed(rate: float) -> None:
    found, truth = scores()
    right = torch.zeros_like(found, dtype=torch.bool).scatter(1, truth[:, None], True)
    passed = accepted(found, truth, rate)
    # The threshold lies at the lowest right score that passes: as many wrong ones lie above it at most.
    lowest = found[right][passed == 1].min() if passed.any() else torch.inf
    assert float((found[~right] >= lowest).float().mean()) <= rate
    # And it could not be lower: the next right one would let more wrong ones in than allowed.
    if not passed.all():
        highest_refused = found[right][passed == 0].max()
        assert float((found[~right] >= highest_refused).float().mean()) > rate


def test_a_perfect_attacker_is_always_right_and_one_that_knows_nothing_is_not() -> None:
    _, truth = scores()
    perfect = identification(torch.nn.functional.one_hot(truth, 12).float(), truth)
    assert [float(perfect[name].mean()) for name in IDENTIFICATION] == [1.0, 1.0, 1.0]
    nothing = identification(torch.zeros(50, 12), truth)
    assert [float(nothing[name].mean()) for name in IDENTIFICATION] == [0.0, 0.0, 0.0]
