"""What new-attack promises."""

from __future__ import annotations

import torch
from maskbench import Release, check
from maskbench.conformance.templates.inference import NewAttack


def test_it_keeps_the_contract() -> None:
    failures = check(NewAttack)
    assert not failures, "\n".join(str(failure) for failure in failures)


def test_the_nearest_mean_wins() -> None:
    attack = NewAttack().with_state(torch.tensor([[0.0], [1.0]]).expand(2, 3 * 8 * 8))
    release = Release(torch.full((1, 3, 8, 8), 0.8))
    assert attack.inferred(release, 2, torch.device("cpu")).argmax() == 1
