"""What new-attack promises."""

from __future__ import annotations

import torch
from maskbench import Release, check
from maskbench.conformance.templates.restoration import NewAttack


def test_it_keeps_the_contract() -> None:
    failures = check(NewAttack)
    assert not failures, "\n".join(str(failure) for failure in failures)


def test_holes_are_filled() -> None:
    release = Release(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
    restored = NewAttack(grey=0.2).restored(release, torch.device("cpu"))
    assert torch.equal(restored, torch.full_like(restored, 0.2))
