"""A null on the real release: with the attacker's labels shuffled, nothing is read beyond the prior."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from maskbench import InferenceAttack, InferenceAux, Release
from maskbench.data.load import resolve
from maskbench.planning.matrix import expand
from maskbench.plugins.catalogue import catalogue
from maskbench.stages.inferred_labels import shuffled_within
from tiny import Ran, pooled, run, tiny
from torch import Tensor

DATA = {"source": "digits", "limit": 600, "target": "parity", "sensitive": "digit", "size": 16}


class Means(InferenceAttack):
    """The nearest mean picture of a label, in no time."""

    name: ClassVar[str] = "planted-means"
    trains_network: ClassVar[bool] = False

    def fit(self, aux: InferenceAux) -> Any:
        shown, labels = aux.train.release.images.flatten(1), aux.train.known_labels
        return torch.stack([shown[labels == label].mean(0) for label in range(aux.classes)])

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return -torch.cdist(release.images.flatten(1), self.state)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    catalogue().found["attack", Means.name] = Means
    settings = {"scored": 128, "recognition": {"epochs": 1}, "attack": {"epochs": 1}, "restoration": {"epochs": 1}}
    suite = tiny(("pixelate:block=2",), [Means.name], data=DATA, settings=settings)
    found, log = run(suite, tmp_path_factory.mktemp("store"))
    del catalogue().found["attack", Means.name]
    assert not log.outcomes["failed"]
    return found


def advantage(ran: Ran, attack: str, method: str = "pixelate") -> Any:
    where = {"method": method, "attack": attack, "metric": "advantage", "split": "owner_train"}
    (row,) = pooled(ran.cells, **where).to_dict("records")
    return row


def test_with_shuffled_labels_nothing_is_read_off_a_release_that_tells_much(ran: Ran) -> None:
    assert advantage(ran, Means.name)["value"] > 0.5
    permuted = advantage(ran, "permuted")
    assert permuted["ci_low"] <= 0 <= permuted["ci_high"]
    assert permuted["n"] == 128


def test_it_stands_beside_attacks_and_is_never_the_strongest(ran: Ran) -> None:
    cells = ran.cells
    assert set(cells.loc[cells["attack"] == "permuted", "method"]) == {"raw", "pixelate"}
    assert advantage(ran, "strongest")["chosen"] == Means.name
    assert "shuffled-labels" not in {flag.name for flag in ran.folder.flags}


def test_only_what_costs_little_is_asked_again() -> None:
    attacks = ("linear", "gaussian", "nearest", "mlp", "adaptive", "naive")
    suite = tiny(("pixelate",), attacks, data=DATA, aux_shares=[0.5])
    cells = [cell for cell in expand(suite, resolve(suite.data)).cells if cell.attack == "permuted"]
    asked = {cell.method.name: [each.attack.name for each in cell.scoring.inferences] for cell in cells}
    cheap = ["linear", "gaussian", "nearest"]
    assert asked == {"raw": cheap, "pixelate": cheap}
    assert all(each.permuted and each.aux_share == 1 for cell in cells for each in cell.scoring.inferences)
    suite = tiny(("pixelate",), ("linear",), data={**DATA, "target": "digit", "sensitive": None})
    assert not [cell for cell in expand(suite, resolve(suite.data)).cells if cell.attack == "permuted"]


def test_labels_are_shuffled_among_those_of_one_task() -> None:
    tasks, labels = torch.arange(60) % 3, torch.arange(60)
    shuffled = shuffled_within(tasks, labels, torch.Generator().manual_seed(0))
    assert torch.equal(shuffled % 3, tasks), "every label stays with its task"
    assert torch.equal(shuffled.sort().values, labels)
    assert (shuffled == labels).sum() < 15
