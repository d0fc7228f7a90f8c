from __future__ import annotations

import torch
from maskbench.randomness import seeded


def test_a_block_is_repeatable_and_leaves_no_trace() -> None:
    before = torch.get_rng_state()
    with seeded(1):
        first = torch.rand(4)
    with seeded(1):
        again = torch.rand(4)
    with seeded(2):
        other = torch.rand(4)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_generator_is_restored_after_an_error() -> None:
    before = torch.get_rng_state()
    try:
        with seeded(1):
            raise KeyError
    except KeyError:
        pass
    assert torch.equal(torch.get_rng_state(), before)
