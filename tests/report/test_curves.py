"""Curves against the attacker's data and against the ratio: which attack they are of, and that they are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maskbench.report.curves import aux_curves, draw_curves, ratio_curves
from maskbench.report.judgement import Judgement
from maskbench.report.tables import aux_curve
from maskbench.results.assemble import Tables
from maskbench.results.schema import typed
from PIL import Image


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
def cells() -> pd.DataFrame:
    rows = [row(value, aux_share=share) for share, value in ((0.25, 0.3), (0.5, 0.35), (1.0, 0.4))]
    rows += [row(value, aux_share=share, attack="mask-only") for share, value in ((0.25, 0.6), (1.0, 0.1))]
    rows += [row(0.9, attack="naive")]  # has no curve
    rows += [row(0.99, aux_share=share, split="owner_test") for share in (0.25, 1.0)]
    rows += [row(value, ratio=ratio, attack="strongest") for ratio, value in ((0.9, 0.2), (0.75, 0.4), (0.5, 0.6))]
    rows += [row(0.5, method="raw", role="raw", ratio=np.nan, attack="strongest")]
    return typed(rows)


def test_the_strongest_attack_with_all_data_gives_the_curve(cells: pd.DataFrame) -> None:
    (curve,) = aux_curves(cells, "inference")
    assert curve.label == "random 75%: adaptive"
    assert curve.points["x"].tolist() == [0.25, 0.5, 1.0]
    assert curve.points["value"].tolist() == [0.3, 0.35, 0.4]
    assert aux_curves(cells, "restoration") == []


def test_methods_with_one_ratio_have_no_curve_over_ratios(cells: pd.DataFrame) -> None:
    (curve,) = ratio_curves(cells, "inference")
    assert curve.label == "random"
    assert curve.points["x"].tolist() == [0.5, 0.75, 0.9]
    assert curve.points["value"].tolist() == [0.6, 0.4, 0.2]


def test_figures_are_written_where_there_is_a_curve(cells: pd.DataFrame, tmp_path: Path) -> None:
    draw_curves(cells, tmp_path)
    names = {f"leakage-against-{what}.{kind}" for what in ("aux", "ratio") for kind in ("png", "svg")}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert Image.open(tmp_path / "leakage-against-aux.png").getextrema() != ((255, 255),) * 4


def test_nothing_is_written_without_one(cells: pd.DataFrame, tmp_path: Path) -> None:
    draw_curves(cells[(cells["aux_share"] == 1) & (cells["ratio"] == 0.75)], tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_table_has_every_attack_with_a_curve(cells: pd.DataFrame) -> None:
    table = aux_curve(Judgement(Tables(cells, lambda: cells)))
    assert table["attack"].tolist() == ["adaptive", "mask-only"]
    assert table["0.25 of aux"].tolist() == ["0.300 [0.250, 0.350]", "0.600 [0.550, 0.650]"]
    assert table["0.5 of aux"].tolist() == ["0.350 [0.300, 0.400]", "–"]
