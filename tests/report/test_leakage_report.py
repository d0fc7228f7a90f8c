"""The leakage report: what it says of planted outcomes, and that it never clears a release."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maskbench.report.exposure import measured_epsilon, worst_off
from maskbench.report.leakage_report import as_markdown, leakage_report, write_leakage_report
from maskbench.runfolder.folder import RunFolder
from planted_runs import planted_run

IMAGES = 100
SECTIONS = ["release", "attacker", "attacks", "risks", "groups", "epsilon", "utility", "unknown", "again"]


def _row(method: str, **changes: object) -> dict[str, Any]:
    return {
        "suite": "planted", "dataset": "faces", "target": "gender", "sensitive": "digit", "recognizer": "small",
        "method": method, "role": {"raw": "raw", "full-mask": "null"}.get(method, "method"), "attack": "strongest",
        "attack_kind": "inference", "label": "sensitive", "aux_share": 1.0, "split": "owner_train", "n": IMAGES,
        "metric": "advantage", "value": 0.3, "ci_low": 0.2, "ci_high": 0.4, "seeds": 1, "status": "ok",
        "chosen": "adaptive", **changes,
    }  # fmt: skip


def _samples(method: str, told: int) -> pd.DataFrame:
    """Four classes of 25 images each: the first ``told`` images are told rightly, for 2 bits each; the rest as "a"."""
    number = np.arange(IMAGES)
    truth = number % 4
    known = number < told
    return pd.DataFrame(
        {
            "method": method, "params": "", "ratio": math.nan, "attack": "adaptive", "attack_kind": "inference",
            "label": "sensitive", "aux_share": 1.0, "seed": 0, "split": "owner_train", "number": number,
            "truth": truth, "guess": np.where(known, truth, 0), "correct": (known | (truth == 0)).astype(float),
            "information": np.where(known, 2.0, 0.0),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def run() -> RunFolder:
    """A blur of which five pictures in a hundred are fully exposed, beside both controls."""
    told = {"raw": IMAGES, "full-mask": 0, "blur": 5}
    rows = [row for name in told for row in (_row(name), _row(name, seed=0))]
    rows.append(_row("blur", attack="missing", seed=0, status="unavailable", reason="it has no weights", metric=""))
    found = planted_run(rows)
    samples = pd.concat([_samples(name, count) for name, count in told.items()], ignore_index=True)
    claims = [{"method": "blur", "epsilon": 0.5, "about": "differ in one pixel"}]
    return replace(found, samples=samples, provenance={**found.provenance, "claims": claims})


def test_the_headings_stand_in_their_order(run: RunFolder) -> None:
    assert [section["name"] for section in leakage_report(run)["sections"]] == SECTIONS


def test_the_worst_off_stand_apart_from_the_mean(run: RunFolder) -> None:
    found = {each["method"]: each for each in leakage_report(run)["measured"]["risks"]}
    assert found["blur"]["worst_off"]["0.05"]["value"] == 2
    assert found["blur"]["success"]["value"] == pytest.approx(0.3)
    assert found["full-mask"]["worst_off"]["0.01"]["value"] == 0


def test_each_risk_has_a_table_that_both_controls_open(run: RunFolder) -> None:
    (table,) = leakage_report(run)["sections"][3]["tables"]
    assert table["title"] == "Inference of digit"
    assert table["columns"] == [
        "method",
        "hidden",
        "advantage %",
        "worst 1 %, bits",
        "worst 5 %, bits",
        "attack",
        "pictures",
    ]
    assert [row[0] for row in table["rows"]] == ["raw (control)", "full-mask (control)", "blur"]
    assert [text.split(" [")[0] for text in table["rows"][2][2:5]] == ["30.0", "2.00", "2.00"]


def test_what_matching_finds_stands_beside_a_guess() -> None:
    found = {"attack_kind": "matching", "label": "", "chosen": "visible-pixels"}
    rows = [_row("blur", **found, metric="rank_1"), _row("blur", **found, metric="naive_rank_1", value=0.004)]
    (table,) = leakage_report(planted_run(rows))["sections"][3]["tables"]
    assert table["title"] == "Singling out: whose release is this? A guess is right once in 250."


def test_a_control_is_no_attack(run: RunFolder) -> None:
    cells = pd.concat([run.cells, run.cells.tail(1).assign(attack="permuted", status="ok")])
    attacks = leakage_report(replace(run, cells=cells))["sections"][2]["tables"][0]["rows"]
    assert [row[0] for row in attacks] == ["missing"]


def test_groups_are_the_classes_of_the_sensitive_label(run: RunFolder) -> None:
    blur = [each for each in leakage_report(run)["measured"]["groups"] if each["method"] == "blur"]
    assert [each["class"] for each in blur] == list("abcd")
    assert blur[0]["recognized"]["value"] == 1  # whatever is not known is called "a"
    assert blur[1]["recognized"]["value"] == pytest.approx(1 / 25)


def test_attacks_that_did_not_run_stand_there_with_their_reason(run: RunFolder) -> None:
    attacks = leakage_report(run)["sections"][2]
    assert ["missing", "inference", "nothing", "0 of 1", "it has no weights"] in attacks["tables"][0]["rows"]
    assert any("No matching attack was run" in sentence for sentence in attacks["sentences"])


def test_a_claim_stands_beside_what_an_attack_proves(run: RunFolder) -> None:
    claim = leakage_report(run)["measured"]["epsilon"][0]
    assert claim["epsilon"] == 0.5
    assert claim["measured"] is not None


def test_a_perfect_attack_proves_that_a_small_epsilon_does_not_hold() -> None:
    assert (measured_epsilon(_samples("raw", IMAGES)) or 0) > 2
    assert measured_epsilon(_samples("full-mask", 0)) == 0
    assert measured_epsilon(_samples("raw", 0).iloc[:0]) is None


def test_the_most_exposed_are_at_least_one_picture() -> None:
    assert worst_off(np.array([0.0, 3.0, 1.0]), 0.01).value == 3
    assert math.isnan(worst_off(np.empty(0), 0.01).value)


def test_it_gives_no_clearance(run: RunFolder) -> None:
    text = as_markdown(leakage_report(run)).lower()
    assert not any(word in text for word in ("anonym", " safe", "secure", "nan"))


def test_it_is_written_as_data_and_as_text(run: RunFolder, tmp_path: Path) -> None:
    write_leakage_report(run, tmp_path)
    assert json.loads((tmp_path / "leakage-report.json").read_text()) == json.loads(json.dumps(leakage_report(run)))
    assert (tmp_path / "leakage-report.md").read_text().startswith("# Leakage report: faces\n\n## 1. The release")


def test_a_run_without_outcomes_of_pictures_is_reported(run: RunFolder) -> None:
    bare = planted_run([_row("raw"), _row("blur")])
    assert leakage_report(bare)["measured"]["groups"] == []
    assert "–" in as_markdown(leakage_report(bare))
