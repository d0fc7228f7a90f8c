"""A trial hands out the stages that others share, each with exactly what it is made of."""

from __future__ import annotations

import pytest
from maskbench.data.options import DataOptions
from maskbench.data.parties import Party
from maskbench.planning.plan import Plan
from maskbench.plugins.catalogue import create
from maskbench.plugins.names import parse
from maskbench.stages.data import Data
from maskbench.stages.inference import Inference
from maskbench.stages.recognition import Recognition
from maskbench.stages.restoration import Restoration
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Stage
from maskbench.stages.trial import Trial

DATA = Data(DataOptions(source="digits", target="parity", sensitive="digit"))
FINDER = "maskbench.training.mask_finder"
WITHHELD = "random:masks=withheld"


def trial(method: str, seed: int = 0) -> Trial:
    return Trial(DATA, create("method", *parse(method)), Settings(draws=3), seed)


def sources(stage: Stage) -> set[str]:
    """The modules in a stage's own key."""
    plan = Plan("cpu")
    return set(plan.steps[plan.add(stage)].ingredients["sources"])


@pytest.mark.parametrize(
    ("party", "draw", "copies"),
    [("owner", 0, ["", ""]), ("attacker", 0, ["", "validation"]), ("attacker", 1, ["1"]), ("attacker", 2, ["2"])],
)
def test_each_fit_is_attributed_by_a_teacher_of_its_own(party: Party, draw: int, copies: list[str]) -> None:
    teachers = [each.teacher for each in trial("saliency").release(party, draw).attributions]
    assert [teacher.copy for teacher in teachers] == copies
    assert {teacher.party for teacher in teachers} == {party}


def test_a_fit_that_a_release_shows_is_the_owners() -> None:
    universal = trial("universal")
    release = universal.release("attacker")
    assert release.owners == universal.release("owner")
    assert release.attributions == ()
    assert universal.release("owner").owners is None


def test_what_is_asked_for_twice_is_one_stage() -> None:
    assert trial("saliency").release("owner") == trial("saliency").release("owner")
    assert trial("saliency").release("owner") != trial("saliency", seed=1).release("owner")
    shared = {trial(method).release("owner") for method in ("random", WITHHELD)}
    assert len(shared) == 2  # masks that are withheld are another method's


def test_an_attacker_releases_its_training_pictures_as_often_as_the_settings_say() -> None:
    draws = trial("random").more_draws()
    assert [(each.party, each.draw) for each in draws] == [("attacker", 1), ("attacker", 2)]


def test_masks_are_found_where_they_are_withheld_alone() -> None:
    assert trial("random").found_masks() is None
    withheld = trial(WITHHELD)
    found = withheld.found_masks(0.5)
    assert found is not None
    assert found.aux_share == 0.5
    assert set(found.inputs().values()) == {
        DATA,
        withheld.release("owner"),
        withheld.release("attacker"),
        *withheld.more_draws(),
    }


def test_no_stage_of_a_party_depends_on_the_trial_or_on_how_masks_are_found() -> None:
    release = trial("saliency").release("attacker")
    stages = [release, *release.attributions, trial("saliency").teacher("target")]
    for stage in stages:
        assert {"maskbench.stages.trial", "maskbench.stages.found_masks", FINDER}.isdisjoint(sources(stage))


@pytest.mark.parametrize(("method", "finds"), [("random", False), (WITHHELD, True)])
def test_only_attacks_on_withheld_masks_depend_on_the_finder(method: str, finds: bool) -> None:
    attacked = trial(method)
    adaptive, telea = create("attack", "adaptive", {}), create("attack", "telea", {})
    for stage in (Restoration(attacked, telea), Inference(attacked, adaptive, "sensitive")):
        plan = Plan("cpu")
        plan.add(stage)
        reached = [step for step in plan.steps.values() if FINDER in step.ingredients["sources"]]
        assert [step.stage.kind for step in reached] == (["masks"] if finds else [])
    plan = Plan("cpu")
    plan.add(Recognition(attacked))
    assert not any(FINDER in step.ingredients["sources"] for step in plan.steps.values())
