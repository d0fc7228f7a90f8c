"""What an attacker makes with the method: several draws to learn from, and another fit to choose attacks on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from maskbench import Given, InferenceAttack, InferenceAux, Method, Owner, Release
from maskbench.plugins.attack import LearnsFrom
from maskbench.plugins.catalogue import catalogue
from maskbench.stages.answers import StoredAnswers
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import PartyRelease, StoredRelease, fits
from tiny import Ran, run, tiny
from torch import Tensor

DATA = {"source": "digits", "limit": 300, "target": "parity", "sensitive": "digit"}
DRAWS = 3
HANDED: dict[object, InferenceAux] = {}


class Keyed(Method):
    """Every picture becomes the grey level that its party's fit drew."""

    name: ClassVar[str] = "planted-key"
    leaked: bool = False

    def key_known(self) -> bool:
        return self.leaked

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"level": torch.rand((), generator=torch.Generator().manual_seed(owner.seed))}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(torch.full_like(images, float((self.state["level"] * 255).round() / 255)))


class Learner(InferenceAttack):
    """Keeps what it is handed."""

    name: ClassVar[str] = "receives-releases"

    def fit(self, aux: InferenceAux) -> int:
        HANDED[self.name] = aux
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return torch.zeros(len(release), self.state)


class LearnerOfRaw(Learner):
    """The same, of raw pictures."""

    name: ClassVar[str] = "receives-raw"
    learns_from: ClassVar[LearnsFrom] = "raw"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    planted = {
        ("method", Keyed.name): Keyed,
        ("attack", Learner.name): Learner,
        ("attack", LearnerOfRaw.name): LearnerOfRaw,
    }
    catalogue().found.update(planted)
    settings = {"scored": 32, "draws": DRAWS, "attack": {"epochs": 4}, "recognition": {"epochs": 1}}
    try:
        methods = [Keyed.name, f"{Keyed.name}:leaked=true"]
        suite = tiny(methods, [Learner.name, LearnerOfRaw.name], data=DATA, settings=settings)
        found, _ = run(suite, tmp_path_factory.mktemp("store"))
    finally:
        for name in planted:
            del catalogue().found[name]
    assert all(result.status == "ok" for result in found.results), [result.reason for result in found.results]
    yield found


def levels(done: Ran, title: str) -> dict[str, float]:
    """Split → the one grey level of a release."""
    ((key, stage),) = (
        (key, step.stage) for key, step in done.execution.plan.steps.items() if step.stage.title() == title
    )
    assert isinstance(stage, PartyRelease)
    images = {
        split: StoredRelease(done.execution.executor.read(key)).images(split)
        for split in fits(stage.method, stage.party, stage.draw)
    }
    assert all(tensor.unique().numel() == 1 for tensor in images.values())
    return {split: float(tensor.flatten()[0]) for split, tensor in images.items()}


def test_nobody_shares_a_key_and_attacks_are_chosen_on_yet_another(done: Ran) -> None:
    owner, attacker = (levels(done, f"release planted-key · {party} · seed 0") for party in ("owner", "attacker"))
    draws = [levels(done, f"release planted-key · attacker · draw {draw} · seed 0") for draw in range(1, DRAWS)]
    assert owner["owner_train"] == owner["owner_test"]
    assert [set(draw) for draw in draws] == [{"attacker_train"}] * (DRAWS - 1)
    keys = [owner["owner_train"], attacker["attacker_train"], attacker["attacker_validation"]]
    keys += [draw["attacker_train"] for draw in draws]
    assert len(set(keys)) == len(keys)


def test_a_key_that_leaked_is_the_same_everywhere(done: Ran) -> None:
    owner, attacker = (
        levels(done, f"release planted-key:leaked=True · {party} · seed 0") for party in ("owner", "attacker")
    )
    assert len({*owner.values(), *attacker.values()}) == 1


def test_who_learns_from_releases_gets_every_draw_and_as_many_passes(done: Ran) -> None:
    count = len(Dataset(done.artifact(done.execution.matrix.data)).index("attacker_train"))
    learner, other = HANDED[Learner.name], HANDED[LearnerOfRaw.name]
    assert len(learner.train.release) == len(learner.train.labels) == len(learner.train.raw) == DRAWS * count
    assert torch.equal(learner.train.raw[:count], learner.train.raw[count : 2 * count])
    assert torch.equal(learner.train.labels[:count], learner.train.labels[-count:])
    assert learner.training.epochs == 2  # 4 over one draw
    assert len(other.train.release) == count
    assert other.training.epochs == 4


def test_a_methods_file_is_in_its_key_by_content(tmp_path: Path) -> None:
    class Weighted(Method):
        """Has a file."""

        name: ClassVar[str] = "planted-file"
        weights: str = ""

        def files(self) -> tuple[Path, ...]:
            return (Path(self.weights),)

        def desensitize(self, images: Tensor, given: Given) -> Release:
            return Release(images)

    first, moved = tmp_path / "one.bin", tmp_path / "two.bin"
    for file in (first, moved):
        file.write_bytes(b"weights")
    before = Weighted(weights=str(first)).release_parameters()
    assert Weighted(weights=str(moved)).release_parameters() == before
    first.write_bytes(b"others")
    assert Weighted(weights=str(first)).release_parameters() != before


class Counter(InferenceAttack):
    """Answers with what it is shown, so that what attacks are compared on can be read off."""

    name: ClassVar[str] = "shows-what-it-sees"

    def fit(self, aux: InferenceAux) -> int:
        HANDED[self.name, aux.train.raw is None] = aux
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        shown = release.restorations["released"] if release.restorations else release.images
        return shown.flatten(1)[:, 100 : 100 + self.state]


class RestoredCounter(Counter):
    """The same, of restored pictures."""

    name: ClassVar[str] = "shows-what-is-restored"
    needs_restorations: ClassVar[bool] = True


def test_attacks_on_the_target_label_are_compared_on_the_same_released_pictures(tmp_path: Path) -> None:
    found = catalogue().found
    for attack in (Counter, RestoredCounter):
        found["attack", attack.name] = attack
    try:
        suite = tiny(["raw"], ["released", Counter.name, RestoredCounter.name], probe_target=True)
        done, _ = run(suite, tmp_path)
    finally:
        for attack in (Counter, RestoredCounter):
            del found["attack", attack.name]
    titles = {f"inference {attack.name} of target from raw · seed 0" for attack in (Counter, RestoredCounter)}
    first, second = (StoredAnswers(done.artifact(done.step(title).stage)) for title in sorted(titles))
    assert len(first.validation("owner_train")) > 3
    assert torch.equal(first.validation("owner_train"), second.validation("owner_train"))
    assert torch.equal(first.validation_labels, second.validation_labels)
    assert torch.equal(first.validation_numbers, second.validation_numbers)
    # None of them was learned from, by either.
    learned = {row.tobytes() for row in HANDED[Counter.name, True].train.release.images.flatten(1).numpy()}
    dataset = Dataset(done.artifact(done.execution.matrix.data))
    shown = dataset.images("owner_train")
    assert torch.isin(first.validation_numbers, dataset.index("owner_train")).all()
    held = [row for row in shown.flatten(1).numpy() if row.tobytes() not in learned]
    assert len(held) == round(0.15 * len(shown))
