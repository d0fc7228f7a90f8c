"""Matching attacks: known answers, what they are handed, and that no place in a list tells anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from maskbench import MatchingAttack, MatchingAux, Release
from maskbench.errors import ContractViolation
from maskbench.plugins.catalogue import catalogue
from maskbench.report.leakage_report import leakage_report
from maskbench.report.summary import summarize
from maskbench.report.tables.attacks import TABLES
from maskbench.report.tables.summary import headline
from tiny import CPU, FAST, Ran, run, tiny
from torch import Tensor

POOL = 150  # owner-train of 300 digits
K = 5  # its default
HANDED: list[tuple[str, MatchingAux]] = []
SHOWN: list[Release] = []


class ByPlace(MatchingAttack):
    """Knows no picture, and that lists are often in one order."""

    name: ClassVar[str] = "by-place"

    def fit(self, aux: MatchingAux) -> Any:
        HANDED.append((aux.question, aux))

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        SHOWN.append(candidates)
        return torch.eye(len(release), len(candidates))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    catalogue().found["attack", ByPlace.name] = ByPlace
    suite = tiny(
        ["raw", "full-mask", "random:masks=withheld", "random", "pixelate", "k-same-pixel", "dp-pix"],
        ["visible-pixels", "released-again", "likelihood-ratio", "by-place"],
        data={"source": "digits", "limit": 300, "size": 16, "target": "digit"},
        settings={"scored": 64, "recognition": {"epochs": 1}, "attack": FAST, "restoration": FAST},
    )
    HANDED.clear()
    SHOWN.clear()
    return run(suite, tmp_path_factory.mktemp("store"))[0]


def value(ran: Ran, method: str, attack: str, metric: str, params: str = "") -> float:
    cells = ran.cells
    found = cells[
        (cells["method"] == method)
        & (cells["params"] == params)
        & (cells["attack"] == attack)
        & (cells["metric"] == metric)
        & cells["seed"].isna()
        & (cells["split"] == "owner_train")
    ]
    assert len(found) == 1, found
    return float(found["value"].iloc[0])


@pytest.mark.parametrize("attack", ["visible-pixels", "likelihood-ratio"])
@pytest.mark.parametrize("metric", ["rank_1", "link_rank_1"])
def test_the_full_mask_leaves_a_guess_and_raw_pictures_are_all_found(ran: Ran, attack: str, metric: str) -> None:
    assert value(ran, "full-mask", attack, metric) == pytest.approx(1 / POOL)
    assert value(ran, "raw", attack, metric) == 1


def test_a_mask_that_shows_raw_pixels_hides_from_nobody(ran: Ran) -> None:
    assert value(ran, "random", "visible-pixels", "rank_1") > 0.95
    assert value(ran, "random", "visible-pixels", "matching_tpr") > 0.95
    assert value(ran, "random", "visible-pixels", "rank_1", "masks=withheld") > 0.5


@pytest.mark.parametrize("metric", ["rank_1", "link_rank_1"])
def test_k_that_share_a_picture_are_not_told_apart(ran: Ran, metric: str) -> None:
    for attack in ("visible-pixels", "likelihood-ratio", "strongest"):
        assert value(ran, "k-same-pixel", attack, metric) <= 1 / K


def test_pixelation_is_undone_by_pixelating_the_candidates(ran: Ran) -> None:
    assert value(ran, "pixelate", "released-again", "rank_1") == 1
    assert value(ran, "pixelate", "visible-pixels", "rank_1") < 1
    # No random number: a second release is the same.
    assert value(ran, "pixelate", "visible-pixels", "link_rank_1") == 1


def test_noise_differs_between_releases_of_one_picture(ran: Ran) -> None:
    assert value(ran, "dp-pix", "visible-pixels", "link_rank_1") < 0.5
    for metric in ("matching_auc", "link_auc"):
        assert value(ran, "dp-pix", "likelihood-ratio", metric) > 0.6  # 80 pictures to learn from


def test_restorations_come_with_what_is_matched_and_with_validation(tmp_path: Path) -> None:
    handed: list[MatchingAux] = []
    shown: list[Release] = []

    class Restored(MatchingAttack):
        """Keeps what it is shown of restorations."""

        name: ClassVar[str] = "restored"
        needs_restorations: ClassVar[bool] = True

        def fit(self, aux: MatchingAux) -> Any:
            handed.append(aux)
            shown.append(aux.validation.release)

        def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
            shown.append(release)
            return torch.zeros(len(release), len(candidates))

    catalogue().found["attack", Restored.name] = Restored
    attacks = ["released", "restored", "likelihood-ratio-restored"]
    data, few = {"source": "digits", "limit": 200, "size": 16, "target": "digit"}, {"epochs": 1}
    settings = {"scored": 32, "recognition": few, "attack": few, "restoration": few}
    found = run(tiny(["pixelate"], attacks, data=data, settings=settings), tmp_path)[0]
    assert {aux.question for aux in handed} == {"matching"}, "of other releases there are no restorations"
    assert len(shown) == 4 * len(handed)
    for release in shown:
        assert torch.equal(release.restoration_bytes["released"], release.image_bytes)
    for aux in handed:
        assert len(aux.validation.release) == len(aux.validation.raw_images)
    assert value(found, "full-mask", "likelihood-ratio-restored", "rank_1") == pytest.approx(1 / 100)
    assert value(found, "raw", "likelihood-ratio-restored", "rank_1") > 0.8


def test_who_goes_by_the_place_in_a_list_guesses(ran: Ran) -> None:
    rows = ran.cells[(ran.cells["attack"] == "by-place") & ran.cells["seed"].isna()]
    for metric in ("rank_1", "link_rank_1"):
        found = rows[rows["metric"] == metric]["value"]
        assert found.max() < 0.1


def test_guesses_and_controls_stand_beside(ran: Ran) -> None:
    rows = ran.cells[ran.cells["seed"].isna() & (ran.cells["split"] == "owner_train")]
    naive = rows[rows["metric"] == "naive_rank_1"]["value"]
    assert np.allclose(naive, 1 / POOL)
    control = rows[(rows["metric"] == "control_rank_1") & (rows["attack"] == "visible-pixels")]
    assert (control["ci_low"] <= 0.05).all()


def test_an_attack_learns_without_the_owners_raw_pictures_and_runs_the_method(ran: Ran) -> None:
    assert {question for question, _ in HANDED} == {"matching", "linkage"}
    for _, aux in HANDED:
        assert aux.release is not None
        assert len(aux.train.release) == len(aux.train.raw_images)
        again = [aux.release(aux.train.raw_bytes[:4], draw).image_bytes for draw in (1, 1, 2)]
        assert torch.equal(again[0], again[1])
    withheld = [aux for _, aux in HANDED if aux.release and aux.release(aux.train.raw_bytes[:2], 1).masks is None]
    assert len(withheld) > len(HANDED) / 2  # also of the method that has masks and withholds them


@pytest.mark.parametrize("scores", [torch.zeros(4, 1), torch.full((4, 7), torch.nan), torch.zeros(4, 7).long(), "best"])
def test_wrong_scores_are_refused(scores: object) -> None:
    class Wrong(ByPlace):
        """No scores."""

        name: ClassVar[str] = "wrong"

        def match(self, release: Release, candidates: Release, device: torch.device) -> Any:
            return scores

    pictures = Release(torch.zeros(7, 1, 8, 8))
    with pytest.raises(ContractViolation, match="attack 'wrong' returned scores"):
        Wrong().matched(pictures.select(slice(4)), pictures, CPU)


def test_the_summary_and_the_tables_say_it(ran: Ran) -> None:
    summary = summarize(ran.folder).set_index("method")
    assert summary.loc["raw", "matching"] == summary.loc["raw", "linkage"] == 1
    assert summary.loc["pixelate", "matching_attack"] == "released-again"
    shown = headline(ran.folder).set_index("method")
    assert shown.loc["raw", "strongest singling out %"].startswith("100.0 [")
    written = {table.name: table.build(ran.folder) for table in TABLES}
    for kind in ("matching", "linkage"):
        assert "visible-pixels" in set(written[f"attacks-{kind}"]["attack"]), written[f"attacks-{kind}"]


def test_the_leakage_report_tells_both_risks(ran: Ran) -> None:
    report = leakage_report(ran.folder)
    (risks,) = (section for section in report["sections"] if section["name"] == "risks")
    told = str(risks["tables"]).lower()
    assert "singling out" in told
    assert "linkability" in told
    assert {"matching", "linkage"} <= {risk["kind"] for risk in report["measured"]["risks"]}


def test_nothing_to_choose_from_is_no_missed_choice(ran: Ran) -> None:
    """One over a number of candidates is rounded, and an interval of it may begin a little above."""
    assert not [flag for flag in ran.folder.flags if flag.name == "strongest-missed" and flag.method == "full-mask"]


def test_a_run_without_a_matching_attack_has_no_columns_for_it(tmp_path: Path) -> None:
    done, _ = run(tiny(["raw"], ["released"]), tmp_path)
    assert not [name for name in headline(done.folder) if "singling" in name or "linking" in name]
    assert [table.name for table in TABLES if not table.build(done.folder).empty] == ["attacks-restoration"]
