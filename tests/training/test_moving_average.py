from __future__ import annotations

import pytest
import torch
from maskbench.training.moving_average import MovingAverage
from torch import nn


def test_it_is_the_average_by_its_formula() -> None:
    network = nn.Linear(1, 1, bias=False)
    values = [1.0, 3.0, -2.0, 8.0]
    with torch.no_grad():
        network.weight.fill_(0.5)
        average, expected = MovingAverage(network, 0.3), 0.5
        for step, value in enumerate(values, start=1):
            network.weight.fill_(value)
            average.after(step)
            decay = min(0.3, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * value
        assert float(network.weight) == values[-1], "training goes on from the last step"
        average.settle()
    assert float(network.weight.detach()) == pytest.approx(expected)


def test_running_statistics_are_averaged_and_counts_are_left() -> None:
    network = nn.BatchNorm1d(2)
    average = MovingAverage(network, 0.5)
    assert network.running_mean is not None and network.num_batches_tracked is not None
    network.running_mean.fill_(4.0)
    network.num_batches_tracked.fill_(7)
    average.after(100)
    average.settle()
    assert network.running_mean.tolist() == [2.0, 2.0]
    assert int(network.num_batches_tracked) == 7
