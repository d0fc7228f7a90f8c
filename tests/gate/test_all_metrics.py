"""Every metric that both runs hold is compared, or named with the reason why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maskbench.gate.baseline import update
from maskbench.gate.compare import ComparedRuns, compare
from maskbench.gate.outcomes import CellKey
from maskbench.gate.report import as_json, markdown
from maskbench.gate.tolerances import Tolerances, relative
from maskbench.gate.uncompared import NO_PROBABILITIES, OF_ORACLE, RELATIVE
from maskbench.metrics.catalogue import FAMILIES
from maskbench.runfolder.folder import RunFolder
from numpy.typing import NDArray
from planted_pairs import lower, run, stated

SOME: dict[str, Any] = {"methods": ("raw", "full-mask", "mine"), "attacks": ("adaptive", "mask-only")}
BY_CLASS = ("worst_class_auc", "worst_class_tpr")


@pytest.fixture(scope="module")
def baseline() -> RunFolder:
    """Twelve seeds of attacks that state probabilities."""
    return run(range(100, 112), state=stated, **SOME)


def told(cell: dict[str, Any], values: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """One attack knows the members of a class that nobody told before; it guesses no better."""
    if (cell["method"], cell["attack"]) != ("mine", "mask-only"):
        return values
    more = values.copy()
    more[:, 2] += 0.4 * (truth == 2)
    return more / more.sum(axis=1, keepdims=True)


def alarms(found: ComparedRuns) -> set[tuple[str, str, str]]:
    """Method, attack and metric of every regression."""
    return {(each.row.key.method, each.row.key.attack, each.row.metric.name) for each in found.regressed}


def measured(folder: RunFolder, **values: float) -> RunFolder:
    """The run, whose cells of ``mine`` × ``mask-only`` report these metrics."""
    rows = folder.cells[(folder.cells["method"] == "mine") & (folder.cells["attack"] == "mask-only")]
    one = rows.iloc[[0]].assign(seed=pd.NA, split="owner_train")
    more = [one.assign(metric=name, value=value) for name, value in values.items()]
    return replace(folder, cells=pd.concat([folder.cells, *more], ignore_index=True))


def test_a_class_that_is_told_better_is_a_regression_though_no_guess_changes(baseline: RunFolder) -> None:
    found = compare(baseline, run(state=told, **SOME))
    assert alarms(found) == {("mine", "mask-only", name) for name in BY_CLASS}
    assert found.exit_code == 1


def test_stated_probabilities_of_the_same_code_are_no_regression(baseline: RunFolder) -> None:
    found = compare(baseline, run(state=stated, **SOME))
    assert not found.regressed
    rows = [each for each in found.judged if each.row.metric.name in BY_CLASS]
    # Four attacks with the strongest, on three methods; each with an interval and the drop that it can see.
    assert len(rows) == 2 * (2 * 3 + 3)
    assert all(np.isfinite([each.low, each.high]).all() for each in rows)
    # A rate of a tenth cannot drop by two: of raw pictures, no drop of it is stated as one that is caught.
    no_drop = {(each.row.key.method, each.row.metric.name) for each in rows if not np.isfinite(each.smallest)}
    assert no_drop == {("raw", "worst_class_tpr")}
    # A class chosen over 12 seeds would look better than one chosen over 5: each seed chooses its own.
    gaps = [each.change / (each.high - each.low) for each in rows if each.row.metric.name == "worst_class_auc"]
    assert abs(np.mean(gaps)) < 0.5


def test_a_committed_baseline_holds_what_the_comparison_of_classes_needs(baseline: RunFolder, tmp_path: Path) -> None:
    baseline.write(tmp_path / "run")
    update(tmp_path / "run", tmp_path / "baseline", "the first")
    assert alarms(compare(tmp_path / "baseline", run(state=told, **SOME))) == {
        ("mine", "mask-only", name) for name in BY_CLASS
    }
    same = compare(tmp_path / "baseline", baseline)
    assert {each.verdict for each in same.judged} == {"unchanged"}, "rounding is no change"


def test_metrics_of_matching_are_compared() -> None:
    options: dict[str, Any] = {"methods": ("raw", "full-mask", "mine"), "attacks": ("matcher",)}
    known = run(range(100, 108), change=lower("mine", "matcher", 0.25), **options)
    found = compare(known, run(**options))
    assert alarms(found) == {("mine", "matcher", metric) for metric in ("rank_1", "matching_auc", "matching_tpr")}


def test_what_is_not_compared_is_named(baseline: RunFolder) -> None:
    current = measured(run(state=stated, **SOME), worst_class_auc=0.6, advantage=0.2, advantage_over_null=0.1)
    oracle = current.cells.iloc[[-1]].assign(attack="oracle", metric="advantage")
    current = replace(current, cells=pd.concat([current.cells, oracle], ignore_index=True))
    found = compare(run([100, 101], **SOME), current)
    assert {(each.what, each.cells, each.reason) for each in found.uncompared} == {
        ("worst_class_auc", 1, NO_PROBABILITIES),
        ("advantage_over_null", 1, RELATIVE),
        ("oracle", 1, OF_ORACLE),
    }
    assert "### Not compared" in markdown(found) and NO_PROBABILITIES in markdown(found)
    assert '"not_compared"' in as_json(found)
    assert {each.what for each in compare(baseline, current).uncompared} == {"advantage_over_null", "oracle"}


def test_every_result_has_a_tolerance_or_is_relative() -> None:
    allowed, cell = Tolerances(), CellKey("mine", "", None, "none", "none", "target", 1.0)
    for family, metrics in FAMILIES.items():
        compared = allowed.metrics(family)
        results = {metric.name for metric in metrics if metric.compared and not relative(metric.name)}
        assert results == {each.name for each in compared}
        assert any(allowed.leads(metric) for metric in compared)
        assert all(allowed.of(metric, cell) > 0 for metric in compared)


def test_a_tolerance_of_the_leading_metric_holds_for_those_that_it_leads() -> None:
    options: dict[str, Any] = {"methods": ("mine",), "attacks": ()}
    worse = run(change=lower("mine", "none", 0.15), **options)
    old = run(range(100, 112), **options)
    assert compare(old, worse, tolerances=["accuracy=30"]).exit_code == 0
    named = compare(old, worse, tolerances=["accuracy=30", "balanced_accuracy=1"])
    assert alarms(named) == {("mine", "none", "balanced_accuracy")}
