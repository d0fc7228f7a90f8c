"""Curves against the attacker's data and against the ratio: which attack they are of, and that they are drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from maskbench.report.curves import aux_curves, ratio_curves
from maskbench.report.figures.curves import against_aux, against_ratio
from maskbench.report.tables.aux_curve import TABLE
from maskbench.runfolder.folder import RunFolder
from planted_runs import planted_run


def row(value: float, **more: Any) -> dict[str, Any]:
    """A row over seeds: the adaptive attack on random masks, inferring the sensitive label."""
    return {
        "method": "random",
        "ratio": 0.75,
        "role": "method",
        "attack": "adaptive",
        "attack_kind": "inference",
        "label": "sensitive",
        "aux_share": 1.0,
        "split": "owner_train",
        "metric": "advantage",
        "value": value,
        "ci_low": value - 0.05,
        "ci_high": value + 0.05,
        "seeds": 2,
        "n": 64,
        "status": "ok",
        **more,
    }


@pytest.fixture
def run() -> RunFolder:
    rows = [row(value, aux_share=share) for share, value in ((0.25, 0.3), (0.5, 0.35), (1.0, 0.4))]
    rows += [row(value, aux_share=share, attack="mask-only") for share, value in ((0.25, 0.6), (1.0, 0.1))]
    rows += [row(0.9, attack="naive")]  # has no curve
    rows += [row(0.99, aux_share=share, split="owner_test") for share in (0.25, 1.0)]
    rows += [row(value, ratio=ratio, attack="strongest") for ratio, value in ((0.9, 0.2), (0.75, 0.4), (0.5, 0.6))]
    rows += [row(0.5, method="raw", role="raw", ratio=np.nan, attack="strongest")]
    return planted_run(rows)


def test_the_strongest_attack_with_all_data_gives_the_curve(run: RunFolder) -> None:
    (curve,) = aux_curves(run.cells, "inference")
    assert (curve.label, curve.attack) == ("random 75%", "adaptive")
    assert curve.points["x"].tolist() == [0.25, 0.5, 1.0]
    assert curve.points["value"].tolist() == [0.3, 0.35, 0.4]
    assert aux_curves(run.cells, "restoration") == []


def test_methods_with_one_ratio_have_no_curve_over_ratios(run: RunFolder) -> None:
    (curve,) = ratio_curves(run.cells, "inference")
    assert curve.label == "random"
    assert curve.points["x"].tolist() == [0.5, 0.75, 0.9]
    assert curve.points["value"].tolist() == [0.6, 0.4, 0.2]


def test_figures_are_drawn_where_there_is_a_curve(run: RunFolder) -> None:
    for drawing in (against_aux(run), against_ratio(run)):
        assert drawing is not None
        assert any(axes.get_lines() for axes in drawing.axes)


def test_nothing_is_drawn_without_one(run: RunFolder) -> None:
    flat = replace(run, cells=run.cells[(run.cells["aux_share"] == 1) & (run.cells["ratio"] == 0.75)])
    assert against_aux(flat) is None and against_ratio(flat) is None


def test_the_table_has_every_attack_with_a_curve(run: RunFolder) -> None:
    table = TABLE.build(run)
    assert table["attack"].tolist() == ["adaptive", "mask-only"]
    assert table["0.25 of aux"].tolist() == ["0.300 [0.250, 0.350]", "0.600 [0.550, 0.650]"]
    assert table["0.5 of aux"].tolist() == ["0.350 [0.300, 0.400]", "–"]
