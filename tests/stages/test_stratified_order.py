"""Any beginning of the order has the labels in proportion."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.stages.data import stratified_order


@settings(max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(sum), seed=st.integers(0, 1000))
def test_every_beginning_is_in_proportion(counts: list[int], seed: int) -> None:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    order = stratified_order(labels, torch.Generator().manual_seed(seed))
    assert sorted(order.tolist()) == list(range(len(labels)))
    assert torch.equal(order, stratified_order(labels, torch.Generator().manual_seed(seed)))
    for count in range(1, len(labels) + 1):
        found = torch.bincount(labels[order[:count]], minlength=len(counts))
        wanted = torch.tensor(counts) * count / len(labels)
        assert (found - wanted).abs().max() <= len(counts)


def test_single_images_are_spread() -> None:
    """Where every label has one image, half of the order is no special half."""
    first = stratified_order(torch.arange(100), torch.Generator().manual_seed(0))[:50]
    other = stratified_order(torch.arange(100), torch.Generator().manual_seed(1))[:50]
    assert 10 < len(set(first.tolist()) & set(other.tolist())) < 40
