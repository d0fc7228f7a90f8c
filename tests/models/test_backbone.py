from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from maskbench.models.backbone import (
    adapt_input,
    find_feature_layers,
    imagenet_statistics,
    ordinary_activations,
)
from torch import Tensor, nn


class _Branches(nn.Module):
    """Two parallel convolutions, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(8, 4, 1)
        self.right = nn.Conv2d(8, 6, 1)

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([self.left(images), self.right(images)], dim=1)


def _network() -> nn.Sequential:
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 2, stride=2), nn.MaxPool2d(2)
    )
    return nn.Sequential(
        OrderedDict(
            features=features,
            branches=_Branches(),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(10, 2),
        )
    )


def test_stages_are_the_last_maps_of_each_shape_without_pooling_and_branches() -> None:
    network = _network().train()
    assert find_feature_layers(network, 3, (32, 24)) == ["features.1", "features.2", "branches"]
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_hooks_are_gone_after_a_failed_dry_run() -> None:
    network = _network()
    with pytest.raises(RuntimeError):
        find_feature_layers(network, 5, (32, 32))
    assert not any(module._forward_hooks for module in network.modules())


def test_one_channel_gets_the_sum_of_the_filters_and_three_stay() -> None:
    network = _network()
    before = network.features[0].weight.clone()
    adapt_input(network, 3)
    assert torch.equal(network.features[0].weight, before)
    adapt_input(network, 1)
    torch.testing.assert_close(network.features[0].weight, before.sum(dim=1, keepdim=True))


def test_activations_leave_their_input_alone() -> None:
    network = ordinary_activations(_network())
    assert not network.features[1].inplace


def test_statistics_have_one_value_a_channel() -> None:
    mean, std = imagenet_statistics(1)
    assert mean == pytest.approx((0.449,), abs=1e-3) and std == pytest.approx((0.226,), abs=1e-3)
    assert len(imagenet_statistics(3)[0]) == 3
