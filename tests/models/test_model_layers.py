"""Changes to single layers: what they keep and what they change."""

from __future__ import annotations

import pytest
import torch
from maskbench import Release
from maskbench.models.layers import place, with_inputs, zeroed
from torch import nn


@pytest.mark.parametrize("bias", [False, True])
def test_a_zeroed_convolution_answers_zero(bias: bool) -> None:
    convolution = zeroed(nn.Conv2d(3, 2, 3, bias=bias))
    assert torch.equal(convolution(torch.rand(1, 3, 8, 8)), torch.zeros(1, 2, 6, 6))


@pytest.mark.parametrize("padding", [2, "same"])
def test_other_inputs_keep_all_else(padding: int | str) -> None:
    first = nn.Conv2d(3, 4, (3, 5), padding=padding, dilation=2, padding_mode="reflect")
    new = with_inputs(first, 7, bias=False)
    assert (new.in_channels, new.bias) == (7, None)
    assert new(torch.rand(1, 7, 16, 16)).shape == first(torch.rand(1, 3, 16, 16)).shape
    kept = ("out_channels", "kernel_size", "stride", "padding", "dilation", "padding_mode")
    assert [getattr(new, name) for name in kept] == [getattr(first, name) for name in kept]


def test_a_placed_network_has_its_weights_channels_last() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(2, 2))
    place(network, torch.device("cpu"))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_masks_that_are_not_there_are_asked_for_in_vain() -> None:
    images, masks = torch.rand(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    assert Release(images, masks).kept is masks
    with pytest.raises(ValueError, match="no masks"):
        _ = Release(images).kept
