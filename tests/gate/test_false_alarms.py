"""How often the gate is wrong, on outcomes of real runs: false alarms without a change, and drops that it misses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from maskbench.gate.causes import Causes
from maskbench.gate.matching import Match, matched
from maskbench.gate.outcomes import CellOutcomes, outcomes
from maskbench.gate.rows import rows
from maskbench.gate.tolerances import Tolerances
from maskbench.gate.verdicts import Judged, judged
from maskbench.runfolder.folder import RunFolder
from scipy.stats import binomtest
from simulated import BY_CLASS, CLASSES, Drop, pair

BASELINE = Path(__file__).parents[2] / "results" / "baseline" / "ci"
PAIRS = 500
DROPS = 120


def alarmed(found: list[Judged]) -> bool:
    """Whether a comparison says "regressed" anywhere."""
    return any(each.verdict == "regressed" for each in found)


@pytest.mark.slow
@pytest.mark.parametrize(("baseline", "current"), [(20, 4), (3, 3)])
@pytest.mark.parametrize("dataset", CLASSES)
def test_whole_comparisons_of_the_same_code_rarely_alarm(dataset: str, baseline: int, current: int) -> None:
    rng = np.random.default_rng(100 * baseline + current)
    count = sum(alarmed(pair(dataset, baseline, current, rng, resample=False)) for _ in range(PAIRS))
    assert binomtest(count, PAIRS).proportion_ci(method="wilson").high < 0.05, f"{count} of {PAIRS}"


CASES = {
    "recognition": ("none", "target", "none", "accuracy"),
    "one attack": ("inference", "sensitive", "adaptive", "advantage"),
    "all attacks": ("inference", "sensitive", "", "advantage"),
    "one restoration": ("restoration", "", "restorer", "ssim_hole"),
    "all restorations": ("restoration", "", "", "ssim_hole"),
    "AUC of one attack": ("inference", "sensitive", "adaptive", "worst_class_auc"),
    "TPR of one attack": ("inference", "sensitive", "adaptive", "worst_class_tpr"),
}
"""Kind, label, attack (empty: all of the kind) and metric of the drop."""


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dataset", ["digits", "utkface64"])
def test_the_drop_that_is_said_to_be_caught_4_times_in_5_is_caught_so(dataset: str, case: str) -> None:
    """In 72 to 88 %, give or take what the simulations leave open; of metrics of single classes in more."""
    caught, _ = caught_of(DROPS, dataset, 20, 4, *CASES[case])
    interval = binomtest(caught, DROPS).proportion_ci(method="wilson")
    assert interval.high > 0.72, f"{caught} of {DROPS}"
    assert interval.low < 0.88 or CASES[case][3] in BY_CLASS, f"{caught} of {DROPS}"


def caught_of(
    pairs: int, dataset: str, baseline: int, current: int, kind: str, label: str, attack: str, metric: str
) -> tuple[int, float]:
    """In how many pairs the drop that is said to be caught 4 times in 5 is caught, and how large it is."""
    rng = np.random.default_rng(0)
    before = [_row(pair(dataset, baseline, current, rng), kind, label, attack, metric).smallest for _ in range(30)]
    drop = Drop("random", kind, label, attack, float(np.median(before)), metric)
    found = (pair(dataset, baseline, current, rng, drop=drop) for _ in range(pairs))
    return sum(_row(each, kind, label, attack, metric).verdict == "regressed" for each in found), drop.size


def _row(found: list[Judged], kind: str, label: str, attack: str, metric: str) -> Judged:
    (row,) = (each for each in found if _named(each) == ("random", kind, label, attack or "all", metric))
    return row


def _named(each: Judged) -> tuple[str, ...]:
    key = each.row.key
    return key.method, key.attack_kind, key.label, key.attack, each.row.metric.name


def test_a_fault_is_found_in_a_few_simulated_pairs() -> None:
    """The quick one: a large drop is always found, and its absence is not."""
    rng = np.random.default_rng(3)
    drop = Drop("random", "none", "target", "none", 0.3)
    assert all(
        _row(pair("digits", 15, 5, rng, drop=drop), "none", "target", "none", "accuracy").verdict == "regressed"
        for _ in range(5)
    )
    assert sum(alarmed(pair("digits", 15, 5, rng)) for _ in range(5)) <= 1


@pytest.mark.slow
def test_reruns_of_the_suite_ci_with_other_seeds_are_no_regressions() -> None:
    """Ten pairs of disjoint seeds of the committed baseline, which is a real run of 20."""
    if not BASELINE.is_dir():
        pytest.skip("results/baseline/ci is not there: maskbench run ci --seeds 20, then maskbench baseline update")
    run = RunFolder.read(BASELINE, with_pictures=False)
    cells = outcomes(run.cells, run.samples)
    matches = [match for match in matched(run, run) if match.state == "compare"]
    rng = np.random.default_rng(0)
    count = 0
    for _ in range(10):
        order = rng.permutation(20)
        old, new = ({key: _seeds(cell, part) for key, cell in cells.items()} for part in (order[:15], order[15:]))
        bare = [_without_keys(match) for match in matches]
        count += alarmed(judged(rows(bare, old, new, Tolerances(), Causes({}, {}), run.classes)))
    assert count <= 1


def _without_keys(match: Match) -> Match:
    """The keys of the two parts are those of one run, and would prove them the same."""
    assert match.baseline is not None and match.current is not None
    return replace(match, baseline=replace(match.baseline, keys={}), current=replace(match.current, keys={}))


def _seeds(cell: CellOutcomes, chosen: np.ndarray) -> CellOutcomes:
    places = [place for place, seed in enumerate(cell.seeds) if seed in set(chosen.tolist())]
    columns = {name: values[places] for name, values in cell.columns.items()}
    return CellOutcomes(tuple(cell.seeds[place] for place in places), cell.numbers, columns)
