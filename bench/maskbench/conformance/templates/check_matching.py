"""What new-attack promises."""

from __future__ import annotations

import torch
from maskbench import Release, check
from maskbench.conformance.templates.matching import NewAttack


def test_it_keeps_the_contract() -> None:
    failures = check(NewAttack)
    assert not failures, "\n".join(str(failure) for failure in failures)


def test_the_nearest_picture_wins() -> None:
    candidates = Release(torch.tensor([0.0, 0.7, 1.0]).view(3, 1, 1, 1).expand(3, 3, 8, 8))
    release = Release(torch.full((1, 3, 8, 8), 0.8))
    assert NewAttack().matched(release, candidates, torch.device("cpu")).argmax() == 1
