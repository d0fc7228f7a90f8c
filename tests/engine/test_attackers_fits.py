"""Every fit of the attacker's is one of its own, but for what of the owner's can be read off a release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
import torch
from maskbench import InferenceAttack, InferenceAux, Release
from maskbench.plugins.catalogue import catalogue
from maskbench.stages.party_release import PartyRelease, StoredRelease, fits
from tiny import Ran, run, tiny
from torch import Tensor

ATTRIBUTION = "attribution=input-x-gradient"
FITS = ("owner", "attacker", "attacker-1", "attacker-2", "attacker-validation")
HANDED: dict[int, InferenceAux] = {}


class Learner(InferenceAttack):
    """Keeps what it is handed, by how many pictures those are."""

    name: ClassVar[str] = "keeps-what-it-is-handed"

    def fit(self, aux: InferenceAux) -> int:
        HANDED[len(aux.train.release)] = aux
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return torch.zeros(len(release), self.state)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    HANDED.clear()
    catalogue().found["attack", Learner.name] = Learner
    suite = tiny(
        (f"saliency:{ATTRIBUTION}", f"universal:{ATTRIBUTION}"),
        (Learner.name,),
        data={"source": "digits", "limit": 300, "target": "parity", "sensitive": "digit"},
        settings={"scored": 32, "draws": 3, "attack": {"epochs": 6}, "recognition": {"epochs": 1}},
        aux_shares=[0.5, 1.0],
    )
    found, log = run(suite, tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    yield found
    del catalogue().found["attack", Learner.name]


def tensors(done: Ran, title: str) -> dict[str, Tensor]:
    (key,) = (key for key, step in done.execution.plan.steps.items() if step.stage.title() == title)
    return dict(done.execution.executor.read(key).tensors)


def masks(done: Ran, method: str, party: str) -> dict[str, Tensor]:
    """Split → masks of a release."""
    ((key, stage),) = (
        (key, step.stage)
        for key, step in done.execution.plan.steps.items()
        if step.stage.title() == f"release {method} · {party} · seed 0"
    )
    assert isinstance(stage, PartyRelease)
    splits = fits(stage.method, stage.party, stage.draw)
    return {split: StoredRelease(done.execution.executor.read(key)).masks(split) for split in splits}


def test_every_fit_has_a_teacher_of_its_own(done: Ran) -> None:
    weights = [tensors(done, f"teacher · {fit} · target · seed 0") for fit in FITS]
    first = [next(tensor for name, tensor in sorted(each.items()) if name.endswith("weight")) for each in weights]
    assert all(not torch.equal(one, other) for i, one in enumerate(first) for other in first[:i])


def test_other_teachers_make_other_masks(done: Ran) -> None:
    first, *others = (
        masks(done, f"saliency:{ATTRIBUTION}", party)["attacker_train"]
        for party in ("attacker", "attacker · draw 1", "attacker · draw 2")
    )
    for other in others:
        assert (first != other).flatten(1).any(dim=1).float().mean() > 0.9


def test_a_mask_that_comes_with_every_image_is_the_attackers_too(done: Ran) -> None:
    method = f"universal:{ATTRIBUTION}"
    found = [masks(done, method, party) for party in ("owner", "attacker", "attacker · draw 1")]
    (mask,) = torch.cat([images for splits in found for images in splits.values()]).unique(dim=0)
    assert 0 < mask.float().mean() < 1


def test_a_part_of_the_pictures_is_learned_from_for_as_many_steps(done: Ran) -> None:
    # The controls draw nothing at random: there a single release is learned from.
    (few_single, half_single), (single, whole_single), (few, half), (many, whole) = sorted(HANDED.items())
    assert many == 3 * single
    assert (half_single.training.epochs, whole_single.training.epochs) == (12, 6)
    assert few_single == pytest.approx(single / 2, abs=1)
    assert few == pytest.approx(many / 2, abs=2)
    assert (half.training.epochs, whole.training.epochs) == (4, 2)
