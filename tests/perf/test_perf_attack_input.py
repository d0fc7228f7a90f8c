"""What an attack's classifier is shown is made of bytes, at little more than the cost of joining them."""

from __future__ import annotations

import torch
from maskbench import Release
from maskbench.attacks.classifiers import Adaptive
from pairs import in_turn
from pytest_benchmark.fixture import BenchmarkFixture

IMAGES = 4096
MOST = 3.0


def test_the_input_of_an_adaptive_attack(benchmark: BenchmarkFixture) -> None:
    pictures = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8)
    masks = torch.randint(0, 2, (IMAGES, 1, 32, 32), dtype=torch.uint8)
    release = Release.of_bytes(pictures, masks)
    attack = Adaptive()
    pairs = in_turn(benchmark, lambda: attack.view(release), lambda: torch.cat([pictures, masks], dim=1), rounds=15)
    assert pairs.slowdown <= MOST
