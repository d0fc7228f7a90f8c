"""What an attack is given of the whole release, and to run the method as often as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
import torch
from maskbench import Aux, InferenceAttack, InferenceAux, Release, RestorationAttack
from maskbench.plugins.catalogue import catalogue, create
from maskbench.stages.data import Dataset
from maskbench.stages.released_again import releasing
from tiny import CPU, run, tiny
from torch import Tensor


@dataclass
class Seen:
    """What an attack was handed: to learn from, and releases in their order."""

    aux: Any = None
    releases: list[Release] = field(default_factory=list)


SEEN: dict[str, Seen] = {}


class Told(InferenceAttack):
    """Keeps what it is handed on random masks, where it is told the task labels."""

    name: ClassVar[str] = "spy-told"
    needs_task_labels: ClassVar[bool] = True
    trains_network: ClassVar[bool] = False

    def fit(self, aux: InferenceAux) -> Any:
        if self.name not in SEEN or aux.train.release.masks is not None:
            SEEN[self.name] = Seen(aux)
        return aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        SEEN[self.name].releases.append(release)
        return torch.zeros(len(release), self.state)


class Untold(Told):
    """The same without task labels."""

    name: ClassVar[str] = "spy-untold"
    needs_task_labels: ClassVar[bool] = False


class Restores(RestorationAttack):
    """The same for restoration."""

    name: ClassVar[str] = "spy-restores"

    def fit(self, aux: Aux) -> Any:
        SEEN[self.name] = Seen(aux)
        return None

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images


SPIES = (Told, Untold, Restores)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """Runs the spies; random masks come last, so what they have seen is of those."""
    SEEN.clear()
    catalogue().found.update({("attack", spy.name): spy for spy in SPIES})
    data = {"source": "digits", "limit": 300, "target": "parity", "sensitive": "digit"}
    done, log = run(tiny(("random",), [spy.name for spy in SPIES], data=data), tmp_path_factory.mktemp("store"))
    for spy in SPIES:
        del catalogue().found["attack", spy.name]
    assert not log.outcomes["failed"]
    yield Dataset(done.artifact(done.execution.matrix.data))


def test_the_whole_release_comes_with_its_task_labels(dataset: Dataset) -> None:
    for spy in (Told, Untold):
        released = SEEN[spy.name].aux.owner_release
        assert len(released) == dataset.size("owner_train")
        assert torch.equal(released.task_labels, dataset.labels("owner_train", "target"))
        assert released.masks is not None


def test_the_attacker_knows_the_task_labels_of_its_own_pictures(dataset: Dataset) -> None:
    aux = SEEN[Untold.name].aux
    copies = len(aux.train.release) // dataset.size("attacker_train")
    assert copies > 1
    assert torch.equal(aux.train.release.task_labels, dataset.labels("attacker_train", "target").repeat(copies))
    positions = dataset.scored("attacker_validation", 32)
    assert torch.equal(aux.validation.release.task_labels, dataset.labels("attacker_validation", "target")[positions])


def test_only_who_asks_is_told_and_of_test_images_nobody(dataset: Dataset) -> None:
    """Attacks are compared with labels for owner-train, and without for owner-test."""
    train, test, *compared = SEEN[Told.name].releases
    assert torch.equal(train.task_labels, dataset.labels("owner_train", "target")[dataset.scored("owner_train", 32)])
    assert test.task_labels is None
    assert [release.task_labels is None for release in compared] == [False, True]
    untold = SEEN[Untold.name].releases
    assert len(untold) == 3 and all(release.task_labels is None for release in untold)


@pytest.mark.parametrize("spy", SPIES)
def test_the_method_can_be_run_on_any_pictures(spy: type, dataset: Dataset) -> None:
    release = SEEN[spy.name].aux.release
    pictures = dataset.images("attacker_validation")[:3]
    first, again, other = (release(pictures, draw) for draw in (0, 0, 1))
    assert torch.equal(first.kept, again.kept) and torch.equal(first.images, again.images)
    assert not torch.equal(first.kept, other.kept), "another draw has other masks"
    shown = torch.where(first.kept == 1, pictures, first.images)
    torch.testing.assert_close(first.images, shown, atol=1 / 255, rtol=0)


def test_a_method_that_follows_attributions_cannot_be_run_on_the_spot() -> None:
    assert releasing(create("method", "saliency", {"ratio": 0.75}), 0, CPU, 1) is None


def test_task_labels_go_with_their_images() -> None:
    images = torch.rand(4, 1, 8, 8)
    labelled = Release(images).with_task_labels(torch.arange(4))
    assert labelled.select(torch.tensor([2, 0])).task_labels.tolist() == [2, 0]
    assert Release.of_bytes(labelled.image_bytes).task_labels is None
    assert labelled.with_task_labels(None).task_labels is None
    with pytest.raises(ValueError, match="one for each of 4 images"):
        labelled.with_task_labels(torch.arange(3))
