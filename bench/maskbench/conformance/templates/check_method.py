"""What new-method promises."""

from __future__ import annotations

import torch
from maskbench import check
from maskbench.conformance.templates.method import NewMethod


def test_it_keeps_the_contract() -> None:
    failures = check(NewMethod)
    assert not failures, "\n".join(str(failure) for failure in failures)


def test_the_brightest_places_stay() -> None:
    images = torch.zeros(1, 3, 8, 8)
    images[..., :4] = 1
    release = NewMethod(ratio=0.5).release(images, seed=0, numbers=torch.tensor([0]))
    assert torch.equal(release.kept, images[:, :1])


def test_the_darkest_places_stay_where_asked_for() -> None:
    images = torch.zeros(1, 3, 8, 8)
    images[..., :4] = 1
    release = NewMethod(ratio=0.5, darkest=True).release(images, seed=0, numbers=torch.tensor([0]))
    assert torch.equal(release.kept, 1 - images[:, :1])
