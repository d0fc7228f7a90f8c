"""Soft labels that go together with the sensitive label are read; without them components are all there is."""

from __future__ import annotations

import pytest
import torch
from maskbench import InferenceAux, Release
from maskbench.attacks.soft_labels import SoftLabels
from maskbench.models.recognizer import Recognizer
from maskbench.plugins.knowledge import Known
from maskbench.training.settings import ATTACK
from torch import Tensor

COUNT = 200


def released(seed: int) -> tuple[Release, Tensor]:
    """Noise, with a teacher that is the surer the higher the label, whichever class it is sure of."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (COUNT,), generator=generator)
    sign = torch.randint(2, (COUNT,), generator=generator) * 2 - 1
    sure = (labels + 1) * sign * 2.0
    images = torch.rand(COUNT, 1, 8, 8, generator=generator)
    return Release(images).with_soft_labels(torch.stack([sure, -sure], dim=1).log_softmax(1)), labels


def fitted(components: int) -> SoftLabels:
    def no_classifier(channels: int, classes: int) -> Recognizer:
        raise AssertionError("it trains no network")

    parts = [Known(None, release, labels) for release, labels in (released(0), released(1))]
    aux = InferenceAux(
        train=parts[0],
        validation=parts[1],
        training=ATTACK,
        mirror=False,
        seed=0,
        device=torch.device("cpu"),
        classes=3,
        new_classifier=no_classifier,
    )
    attack = SoftLabels(components=components)
    return attack.with_state(attack.fit(aux))


@pytest.mark.parametrize("components", [0, 8])
def test_how_sure_the_teacher_is_tells_the_label(components: int) -> None:
    attack = fitted(components)
    release, labels = released(2)
    told = attack.inferred(release, 3, torch.device("cpu"))
    assert float((told.argmax(1) == labels).float().mean()) > 0.9
    untold = attack.inferred(release.with_soft_labels(None), 3, torch.device("cpu"))
    assert float((untold.argmax(1) == labels).float().mean()) < 0.5
    assert components or len(untold.unique(dim=0)) == 1
