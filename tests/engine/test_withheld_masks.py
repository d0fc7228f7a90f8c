"""Masks that are not handed out: nobody is given them, an attacker finds them first, and how well is reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
from maskbench import Aux, InferenceAttack, InferenceAux, Release, RestorationAttack, UsageError
from maskbench.artifacts.store import Artifact
from maskbench.plugins.catalogue import catalogue, create
from maskbench.stages.found_masks import StoredMasks
from maskbench.stages.party_release import StoredRelease
from maskbench.stages.stage import Stage
from maskbench.stages.trial import Trial
from tiny import FAST, Ran, pooled, run, tiny
from torch import Tensor

SHOWN, WITHHELD = "random:fill=noise,ratio=0.5", "random:fill=noise,masks=withheld,ratio=0.5"
HANDED: list[Tensor] = []
LEARNED: list[Tensor] = []
DRAWS = 3


class Receiver(RestorationAttack):
    """Keeps the masks that it is handed."""

    name: ClassVar[str] = "receives-masks"
    needs_masks: ClassVar[bool] = True

    def fit(self, aux: Aux) -> None:
        HANDED.append(aux.train.release.masks)

    def restore(self, release: Release, device: torch.device) -> Tensor:
        HANDED.append(release.masks)
        return release.images


class Learner(InferenceAttack):
    """Keeps the masks that it learns from."""

    name: ClassVar[str] = "learns-masks"
    needs_masks: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> int:
        LEARNED.append(aux.train.release.masks)
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return torch.zeros(len(release), self.state)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The same masks handed out and withheld."""
    HANDED.clear()
    LEARNED.clear()
    catalogue().found.update({("attack", attack.name): attack for attack in (Receiver, Learner)})
    settings = {"draws": DRAWS, "scored": 32, "recognition": FAST, "attack": FAST, "restoration": {"epochs": 8}}
    try:
        suite = tiny([SHOWN, WITHHELD], ["released", Receiver.name, Learner.name, "mask-only"], settings=settings)
        found, _ = run(suite, tmp_path_factory.mktemp("store"))
    finally:
        for attack in (Receiver, Learner):
            del catalogue().found["attack", attack.name]
    assert all(result.status == "ok" for result in found.results), [result.reason for result in found.results]
    yield found


def values(run: Ran, metric: str, method: str, **where: str) -> np.ndarray:
    """A metric over seeds of each split, of one of the two methods."""
    params = create("method", "random", parse(method)).label(leave_out=("ratio",)).partition(":")[2]
    rows = pooled(run.cells, metric=metric, method="random", params=params, **where)
    assert len(rows) > 0
    return rows["value"].to_numpy()


def parse(method: str) -> dict[str, str]:
    return dict(part.split("=") for part in method.partition(":")[2].split(","))


def stored(run: Ran, stage: Stage) -> Artifact:
    return run.artifact(stage)


def test_how_well_they_are_found_is_reported_for_those_withheld_alone(both: Ran) -> None:
    rows = pooled(both.cells, attack="find-masks")
    assert set(rows["params"]) == {"masks=withheld,fill=noise"}
    assert set(rows["metric"]) == {"mask_accuracy", "mask_iou"}
    assert set(rows["split"]) == {"owner_train", "owner_test"}
    assert (rows["value"] > 0.8).all(), rows[["metric", "split", "value"]]  # noise in a digit is easily told


def test_attacks_get_the_masks_that_were_found(both: Ran) -> None:
    withheld = next(method for method in both.execution.matrix.methods if method.withholds_masks())
    trial = Trial(both.execution.matrix.data, withheld, both.execution.matrix.suite.settings, 0)
    true = StoredRelease(stored(both, trial.release("attacker"))).masks("attacker_train").float()
    guess = StoredMasks(stored(both, trial.found_masks())).masks("attacker_train").float()
    assert not torch.equal(true, guess)
    fitted_on = [masks for masks in HANDED if masks.shape == true.shape]
    assert any(torch.equal(masks, true) for masks in fitted_on)  # of the method that releases them
    assert any(torch.equal(masks, guess) for masks in fitted_on)
    assert all(torch.equal(masks, true) or torch.equal(masks, guess) or masks.max() == 0 for masks in fitted_on)


def test_masks_are_found_in_every_draw(both: Ran) -> None:
    (finding,) = (step.stage for step in both.execution.plan.steps.values() if step.stage.kind == "masks")
    view = StoredMasks(stored(both, finding))
    found = [view.masks("attacker_train", draw).float() for draw in range(DRAWS)]
    assert any(torch.equal(masks, torch.cat(found)) for masks in LEARNED if len(masks) == DRAWS * len(found[0]))
    assert all(not torch.equal(one, other) for i, one in enumerate(found) for other in found[:i])


def test_what_is_scored_is_the_true_hole(both: tuple[Ran, list[str]]) -> None:
    """Showing the release as it is has the same hole, whether the attacker knows it or not."""
    shown, withheld = (values(both, "psnr_hole", method, attack="released") for method in (SHOWN, WITHHELD))
    assert np.array_equal(shown, withheld)


def test_a_recognizer_that_does_not_look_at_masks_is_the_same_without(both: Ran) -> None:
    shown, withheld = (values(both, "accuracy", method, attack="none") for method in (SHOWN, WITHHELD))
    assert np.array_equal(shown, withheld)


@pytest.mark.parametrize("adjustment", ["masknet", "mask-channel", "partial-convolution"])
def test_an_adjustment_that_needs_masks_says_so(adjustment: str) -> None:
    with pytest.raises(UsageError, match=rf"adjust={adjustment} looks at the masks, and masks=withheld"):
        create("method", "random", {"masks": "withheld", "adjust": adjustment})


@pytest.mark.parametrize("adjustment", ["none", "fine-tune", "distill"])
def test_others_do_without(adjustment: str) -> None:
    assert create("method", "random", {"masks": "withheld", "adjust": adjustment}).withholds_masks()


def test_a_third_choice_is_refused() -> None:
    with pytest.raises(UsageError, match="withheld"):
        create("method", "random", {"masks": "hidden"})
