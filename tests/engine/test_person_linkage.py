"""Whether releases of different pictures of one person are linked: known answers, and persons that no split shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from maskbench import MatchingAttack, MatchingAux, Release
from maskbench.conformance.attack_subject import AttackSubject
from maskbench.conformance.samples import STANDARD
from maskbench.data.load import load, resolve
from maskbench.data.options import DataOptions
from maskbench.data.parties import SPLITS_OF
from maskbench.data.splits import split
from maskbench.plugins.catalogue import catalogue
from maskbench.report.leakage_report import leakage_report
from maskbench.report.tables.summary import headline
from maskbench.stages.matching import two_pictures
from maskbench.worlds.world import World
from tiny import Ran, pooled, run, tiny
from torch import Tensor

SOURCE = "calibrated:family=persons,pictures=2400"
PERSONS = 300  # of owner-train, with four pictures each
NAMES = [name for names in SPLITS_OF.values() for name in names]
ASKED: list[MatchingAux] = []


class Formula(MatchingAttack):
    """Knows the world, and says how much likelier two raw pictures are of one person than of two."""

    name: ClassVar[str] = "person-formula"
    questions = ("person-linkage",)

    def fit(self, aux: MatchingAux) -> Any:
        ASKED.append(aux)

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        mixture = World("persons", 16, 0).mixture
        mean, own = torch.from_numpy(mixture.means).mean(0), torch.from_numpy(mixture.covariances[0])
        centred = torch.from_numpy(mixture.means) - mean
        classes = centred.view(5, 2, -1).mean(1)  # a person's class is the person's, a task is the picture's
        tasks = centred.view(5, 2, -1).mean(0)
        shared = torch.from_numpy(mixture.shared) + classes.T @ classes / 5
        whole = own + classes.T @ classes / 5 + tasks.T @ tasks / 2
        one, two = (each.images.flatten(1).double() - mean for each in (release, candidates))
        together = torch.cat([torch.cat([whole, shared], 1), torch.cat([shared, whole], 1)]).inverse()
        pixels = len(mean)
        alone, across = together[:pixels, :pixels] - whole.inverse(), together[:pixels, pixels:]
        of_one, of_two = (-((part @ alone) * part).sum(1) / 2 for part in (one, two))
        return (of_one[:, None] + of_two - one @ across @ two.T).float()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    catalogue().names("attack")
    catalogue().found["attack", Formula.name] = Formula
    once = {"epochs": 1}
    suite = tiny(
        ["raw", "full-mask", "random", "dp-pix"],
        ["visible-pixels", "likelihood-ratio", Formula.name],
        data={"source": SOURCE},
        settings={"scored": 200, "recognition": once, "attack": once, "restoration": once},
    )
    ASKED.clear()
    yield run(suite, tmp_path_factory.mktemp("store"))[0]
    del catalogue().found["attack", Formula.name]


def value(ran: Ran, method: str, attack: str, metric: str = "person_rank_1") -> Any:
    found = pooled(ran.cells, method=method, attack=attack, metric=metric, split="owner_train")
    assert len(found) == 1, (method, attack, metric, len(found))
    return found.iloc[0]


@pytest.mark.parametrize("attack", ["visible-pixels", "likelihood-ratio", "strongest"])
def test_the_full_mask_leaves_a_guess_and_raw_pictures_link_persons(ran: Ran, attack: str) -> None:
    assert value(ran, "full-mask", attack)["value"] == pytest.approx(1 / PERSONS)
    assert value(ran, "raw", attack)["ci_low"] > 10 / PERSONS
    assert value(ran, "raw", attack, "person_auc")["ci_low"] > 0.8
    # The control pool has nobody of them.
    assert value(ran, "raw", attack, "person_control_rank_1")["ci_low"] < 3 / PERSONS


def test_nobody_links_more_than_whoever_has_the_formula(ran: Ran) -> None:
    best = value(ran, "raw", Formula.name)
    assert best["value"] > 0.8
    for attack in ("visible-pixels", "likelihood-ratio"):
        assert value(ran, "raw", attack)["value"] < best["ci_high"]


def test_masks_and_noise_leave_less(ran: Ran) -> None:
    for method in ("random", "dp-pix"):
        assert value(ran, method, "strongest")["ci_high"] < value(ran, "raw", "strongest")["ci_low"]
        assert value(ran, method, "strongest", "person_auc")["value"] > 0.5


def test_the_attacker_knows_who_is_on_its_own_pictures(ran: Ran) -> None:
    for aux in ASKED:
        assert aux.train_persons is not None and aux.validation_persons is not None
        assert len(aux.train_persons) == len(aux.train.release)
        assert not set(aux.train_persons.tolist()) & set(aux.validation_persons.tolist())


def test_it_is_told_where_the_others_are(ran: Ran) -> None:
    shown = headline(ran.folder).set_index("method")["strongest linking of persons %"]
    assert shown["full-mask"].startswith("0.3 [")
    report = leakage_report(ran.folder)
    assert "of one person" in str(report["sections"])
    assert "person-linkage" in {risk["kind"] for risk in report["measured"]["risks"]}


def test_an_attack_that_is_asked_of_persons_alone_is_checked_with_persons() -> None:
    aux = AttackSubject(Formula).aux(STANDARD)
    assert isinstance(aux, MatchingAux) and aux.question == "person-linkage"
    assert aux.train_persons is not None and aux.train_persons.shape == (len(aux.train.release),)
    assert aux.train_persons.bincount().max() == 2


@pytest.mark.parametrize(("limit", "most"), [(None, 2400), (1000, 1000)])
def test_no_person_is_in_two_splits(limit: int | None, most: int) -> None:
    found = load(resolve(DataOptions(source=SOURCE, limit=limit)))
    assert found.persons is not None
    splits = split(found, limit)
    persons = {name: found.persons[getattr(splits, name)] for name in NAMES}
    seen = [person for mine in persons.values() for person in mine.unique().tolist()]
    assert len(seen) == len(set(seen)) == most / 4
    assert sum(map(len, persons.values())) == most
    sizes = {name: len(mine) / most for name, mine in persons.items()}
    expected = {"owner_train": 0.5, "owner_test": 0.2, "attacker_train": 0.24, "attacker_validation": 0.06}
    assert sizes == pytest.approx(expected, abs=0.01)
    for name in NAMES:
        chosen = getattr(splits, name)
        counts = torch.bincount(found.labels["sensitive"][chosen] * 2 + found.labels["task"][chosen], minlength=10)
        assert int(counts.max() - counts.min()) <= 4, (name, counts)  # a person has two pictures of each task


def test_pictures_of_a_person_have_the_shared_part_in_common() -> None:
    world = World("persons", 16, 0)
    pictures = world.pictures(4000).reshape(4000, -1) / 255
    persons, (sensitive, task) = world.persons(4000), world.labels(4000)
    assert persons is not None and world.mixture.shared is not None
    residual = pictures - world.mixture.means[sensitive * 2 + task]
    order = np.argsort(persons, kind="stable").reshape(-1, 4)
    assert (sensitive[order] == sensitive[order][:, :1]).all()
    assert (task[order].sum(1) == 2).all()
    one, other = residual[order[:, 0]], residual[order[:, 1]]
    assert (one * other).mean() == pytest.approx(np.diag(world.mixture.shared).mean(), rel=0.05)
    assert (one * one).mean() == pytest.approx(np.diag(world.mixture.covariances[0]).mean(), rel=0.05)
    assert abs((one * np.roll(other, 1, 0)).mean()) < 2e-4


def test_two_pictures_of_everybody_who_has_two() -> None:
    persons = torch.tensor([3, 1, 3, 2, 1, 1, 7])
    one, other = two_pictures(persons)
    assert sorted(persons[one].tolist()) == [1, 3]
    assert torch.equal(persons[one], persons[other]) and bool((one != other).all())


def test_persons_and_a_test_split_of_its_own_do_not_go_together() -> None:
    found = load(resolve(DataOptions(source="calibrated:family=persons,pictures=200")))
    native = torch.arange(200) < 40
    both = type(found)(**{**vars(found), "native_test": native})
    with pytest.raises(ValueError, match="cannot bring a test split"):
        split(both, None)
