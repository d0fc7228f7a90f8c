"""What one result is used of is made once: counted, not timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from maskbench import Aux, ContractViolation, Given, LearnsFrom, Method, RawAux, Release, RestorationAttack
from maskbench.data.load import resolve
from maskbench.planning.prepare import prepare
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.knowledge import closest
from maskbench.release import to_float
from maskbench.stages.attributions import Attributions
from maskbench.stages.closest_restoration import ClosestRestoration, StoredClosest
from maskbench.stages.data import Data, Dataset
from maskbench.stages.party_release import PartyRelease
from maskbench.stages.raw_model import RawModel
from maskbench.stages.restoration import StoredRestoration
from maskbench.stages.trial import Trial
from maskbench.training.losses import show_losses
from tiny import Ran, run, tiny
from torch import Tensor

FITS: Counter[str] = Counter()
RESTORED: Counter[str] = Counter()


class Shade(RestorationAttack):
    """Fills with one shade, which it learns as tensors, which can be stored."""

    name: ClassVar[str] = "shade"
    shade: float = 0.0

    def fit(self, aux: Aux) -> Any:
        FITS[self.label()] += 1
        return {"shade": torch.full((), self.shade)}

    def restore(self, release: Release, device: torch.device) -> Tensor:
        RESTORED[self.label()] += len(release)
        return self.state["shade"].expand_as(release.images).clone()


class Forgotten(Shade):
    """The same with a state that cannot be stored."""

    name: ClassVar[str] = "forgotten-shade"

    def fit(self, aux: Aux) -> Any:
        return [super().fit(aux)["shade"]]

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return self.with_state({"shade": self.state[0]})._shade(release, device)

    def _shade(self, release: Release, device: torch.device) -> Tensor:
        return Shade.restore(self, release, device)


class FromRaw(RestorationAttack):
    """Fills with the mean of the raw pictures, which it learns before it knows the method."""

    name: ClassVar[str] = "shade-of-raw"
    learns_from: ClassVar[LearnsFrom] = "raw"

    def fit_raw(self, aux: RawAux) -> dict[str, Tensor]:
        FITS[f"{self.name}, {len(aux.raw)} raw"] += 1
        show_losses([1.0])  # as a training of one epoch does
        return {"mean": to_float(aux.raw).mean()}

    def fit(self, aux: Aux) -> Any:
        FITS[self.name] += 1
        assert float(aux.from_raw["mean"]) > 0
        return aux.from_raw

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return self.state["mean"].expand_as(release.images).clone()


@pytest.fixture(autouse=True)
def _planted() -> Iterator[None]:
    FITS.clear()
    RESTORED.clear()
    found = catalogue().found
    for attack in (Shade, Forgotten, FromRaw):
        found["attack", attack.name] = attack
    yield
    for attack in (Shade, Forgotten, FromRaw):
        del found["attack", attack.name]


def closest_of(done: Ran, method: str) -> tuple[ClosestRestoration, StoredClosest]:
    (stage,) = (
        step.stage
        for step in done.execution.plan.steps.values()
        if isinstance(step.stage, ClosestRestoration) and step.stage.candidates[0].trial.method.name == method
    )
    return stage, StoredClosest(done.artifact(stage))


@pytest.mark.parametrize("kind", ["shade", "forgotten-shade"])
def test_one_attack_alone_restores_the_training_pictures_the_closest(tmp_path: Path, kind: str) -> None:
    shades = [f"{kind}:shade={shade}" for shade in (0.1, 0.3, 0.9)]
    done, _ = run(tiny(["random"], [*shades, "restored-adaptive"]), tmp_path)
    assert all(result.status == "ok" for result in done.results), [result.reason for result in done.results]
    dataset = Dataset(done.artifact(done.execution.matrix.data))
    scored = sum(len(dataset.scored(split, 32)) for split in ("owner_train", "owner_test", "attacker_validation"))
    trained = dataset.size("attacker_train")
    stage, stored = closest_of(done, "random")
    raw = dataset.images("attacker_validation")[dataset.scored("attacker_validation", 32)]
    shown = {
        each.attack.label(): to_float(StoredRestoration(done.artifact(each)).images("attacker_validation"))
        for each in stage.candidates
    }
    assert stored.attack == closest(shown, raw)
    assert len(stored.images) == trained
    chosen = Counter(closest_of(done, method)[1].attack for method in ("random", "full-mask", "raw"))
    for shade in shades:  # on the two controls and on random masks
        assert RESTORED[shade] == 3 * scored + chosen[shade] * trained
        assert FITS[shade] == 3 + (chosen[shade] if kind == "forgotten-shade" else 0)


def test_what_is_not_learned_from_is_not_restored(tmp_path: Path) -> None:
    _, plan = prepare(tiny(["random"], ["telea", "reverse"]), "cpu")
    assert not any(isinstance(step.stage, ClosestRestoration) for step in plan.steps.values())


def test_a_raw_model_is_learned_once_for_all_methods_and_seeds(tmp_path: Path) -> None:
    done, _ = run(tiny(["random", "gaussian-blur"], [FromRaw.name], seeds=2, aux_shares=(0.5, 1.0)), tmp_path)
    assert all(result.status == "ok" for result in done.results), [result.reason for result in done.results]
    dataset = Dataset(done.artifact(done.execution.matrix.data))
    assert all(FITS[f"{FromRaw.name}, {count} raw"] <= 1 for count in range(1000))
    assert sum(FITS.values()) - FITS[FromRaw.name] == len((0.5, 1.0))
    assert FITS[f"{FromRaw.name}, {dataset.size('attacker_train')} raw"] == 1
    assert FITS[FromRaw.name] == 4 * 2 * 2  # methods and controls, seeds, shares
    late = done.cells[(done.cells["metric"] == "late_fall") & (done.cells["attack"] == FromRaw.name)]
    assert set(late["method"]) == {"raw", "full-mask", "random", "gaussian-blur"} and set(late["value"]) == {1.0}


@pytest.mark.parametrize("seeds", [1, 4])
def test_the_number_of_raw_models_does_not_grow_with_the_matrix(seeds: int) -> None:
    ratios = (0.25, 0.5, 0.75)[:seeds]
    _, plan = prepare(tiny(["random", "saliency"], ["diffusion"], seeds=seeds, ratios=ratios), "cpu")
    assert sum(isinstance(step.stage, RawModel) for step in plan.steps.values()) == 1


def test_a_raw_model_knows_no_method() -> None:
    stage = RawModel(Data(resolve(tiny().data)), FromRaw(), tiny().settings.restoration)
    assert set(stage.inputs()) == {"data"}
    assert not {"method", "seed"} & set(stage.parameters())


def releases(method: str, **changes: object) -> int:
    """How many releases of a method a suite plans."""
    _, plan = prepare(tiny([method], ["adaptive"], **changes), "cpu")
    stages = [step.stage for step in plan.steps.values() if isinstance(step.stage, PartyRelease)]
    return sum(stage.method.name == method for stage in stages)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("method", ["gaussian-blur", "raw", "full-mask", "pixelate"])
def test_releases_that_no_seed_and_no_draw_changes_are_made_once(method: str, seeds: int) -> None:
    assert releases(method, seeds=seeds) == 2  # the owner's and the attacker's
    assert releases("random", seeds=seeds) == seeds * (2 + 3)


def test_one_release_is_trained_on_as_long_as_several_draws_are() -> None:
    steps = {}
    for method in ("random", "gaussian-blur"):
        matrix, _ = prepare(tiny([method], ["adaptive"]), "cpu")
        trial = Trial(matrix.data, matrix.methods[-1], matrix.suite.settings, 0)
        copies = 1 + len(trial.more_draws())
        steps[method] = copies * trial.settings.attack.model_copy(update={"epochs": 12}).over(copies).epochs
    assert steps["random"] == steps["gaussian-blur"] == 12


def test_who_declares_that_it_draws_nothing_and_draws_fails() -> None:
    class Liar(Method):
        """Draws."""

        name: ClassVar[str] = "says-it-draws-nothing"
        deterministic: ClassVar[bool] = True

        def desensitize(self, images: Tensor, given: Given) -> Release:
            return Release(given.rng.uniform(*images.shape[1:]))

    with pytest.raises(ContractViolation, match="declares deterministic=True and draws random numbers"):
        Liar().release(torch.rand(2, 1, 4, 4), seed=0, numbers=torch.arange(2))


DRAWN = {("attacker", str(draw)): {"attacker_train"} for draw in (1, 2, 3)}
READ = {
    # Nothing is learned: each split with the teacher of the fit that it is released with, each draw with its own.
    "saliency": {
        ("owner", ""): {"owner_train", "owner_test"},
        ("attacker", ""): {"attacker_train"},
        ("attacker", "validation"): {"attacker_validation"},
        **DRAWN,
    },
    # Its one mask is learned by the owner, and read off by the attacker.
    "universal": {("owner", ""): {"owner_train"}},
}


@pytest.mark.parametrize("method", READ)
def test_attributions_are_made_for_the_splits_that_are_read(method: str) -> None:
    _, plan = prepare(tiny([method], ["adaptive"]), "cpu")
    found: dict[tuple[str, str], set[str]] = {}
    for step in plan.steps.values():
        if isinstance(stage := step.stage, Attributions):
            found.setdefault((stage.teacher.party, stage.teacher.copy), set()).add(stage.split)
    assert found == READ[method]
