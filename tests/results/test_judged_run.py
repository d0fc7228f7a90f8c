"""Judgement of a real run in small: digits, both controls, one masked and one unmasked method."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import tiny
from maskbench.planning.suite import validate
from maskbench.report.write import write_report_and_figures, write_tables
from maskbench.results.by_target import by_target
from maskbench.runfolder.folder import RunFolder

FAST = {"epochs": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Attacks of both kinds; the mask-only attack runs on the null but not on a method without masks."""
    suite = validate(
        {
            "name": "judged",
            "data": {"source": "digits", "limit": 300},
            "methods": ("random", "pixelate"),
            "attacks": ("released", "telea", "restorer", "adaptive", "mask-only"),
            "aux_shares": (0.5,),
            "seeds": 2,
            "settings": {"scored": 32, "recognition": FAST, "attack": FAST, "restoration": FAST},
        },
        "judged",
    )
    return tiny.run(suite, tmp_path_factory.mktemp("store"))[0].folder


@pytest.mark.slow
def test_the_full_mask_over_the_null_is_exactly_nothing(run: RunFolder) -> None:
    cells = run.cells
    over = cells[(cells["method"] == "full-mask") & cells["metric"].str.endswith("_over_null")]
    assert {"strongest", "oracle", "telea", "adaptive"} <= set(over["attack"])
    assert (over[["value", "ci_low", "ci_high"]] == 0).all(axis=None)


@pytest.mark.slow
def test_the_oracle_is_at_least_every_attack_on_the_same_split(run: RunFolder) -> None:
    cells = run.cells
    full = cells[cells["seed"].isna() & (cells["aux_share"] == 1)]
    judged = 0
    for metric in ("ssim_hole", "psnr_hole", "psnr", "ssim", "advantage"):
        of_metric = full[(full["metric"] == metric) & (full["label"] != "target")]
        for _, part in of_metric.groupby(["method", "split"]):
            values = part.set_index("attack")["value"]
            # Sums of float32 outcomes differ in their last digits.
            assert values["oracle"] >= values.drop("oracle").max() - 1e-9
            assert values["strongest"] in values.drop(["strongest", "oracle"]).tolist() or metric == "advantage"
            judged += 1
    assert judged == 4 * 2 * 5


@pytest.mark.slow
def test_by_target_adds_up_to_the_strongest(run: RunFolder) -> None:
    frame = by_target(run.cells, run.samples)
    cells = run.cells
    worst = cells[(cells["attack"] == "strongest") & (cells["metric"] == "accuracy") & cells["seed"].isna()]
    worst = worst[(worst["label"] == "sensitive") & (worst["split"] == "owner_train")].set_index("method")["value"]
    assert set(frame["method"]) == {"raw", "full-mask", "random", "pixelate"}
    for method, part in frame.groupby("method"):
        assert part["n"].sum() == 32
        assert (part["accuracy"] * part["n"]).sum() / 32 == pytest.approx(worst[method])


@pytest.mark.slow
def test_it_is_all_written(run: RunFolder, tmp_path: Path) -> None:
    run.write(tmp_path)
    write_tables(run, tmp_path)
    write_report_and_figures(run, tmp_path)
    flags = json.loads((tmp_path / "flags.json").read_text())
    table = pd.read_csv(tmp_path / "tables" / "flags.csv")
    assert len(table) == len(flags) > 0, "one epoch is too little for anything not to be flagged"
    assert {"name", "level", "method", "finding", "action"} <= set(flags[0])
    for name in ("summary", "strongest", "attacks-restoration", "attacks-inference", "by-target", "flags"):
        assert (tmp_path / "tables" / f"{name}.md").read_text()
    unfinished = {(each["method"], each["attack"]) for each in flags if each["name"] == "loss-still-falling"}
    assert unfinished >= {(method, attack) for method in ("random", "pixelate") for attack in ("restorer", "adaptive")}
    assert not {attack for _, attack in unfinished} & {"released", "telea"}, "they train nothing"
    marks = pd.read_csv(tmp_path / "tables" / "summary.csv")["flags"].fillna("")
    assert set(" ".join(marks).split()) == set(table.loc[table["method"] != "all", "flag"])
