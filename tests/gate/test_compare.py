"""Two runs are compared: verdicts, their words, and the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from maskbench.cli.main import app
from maskbench.errors import UsageError
from maskbench.gate.compare import ComparedRuns, compare, row_name
from maskbench.gate.report import as_json, junit, markdown, verdict
from maskbench.gate.verdicts import NOISE_UNKNOWN, Judged
from planted_pairs import lower, run
from typer.testing import CliRunner

BASELINE = run(range(100, 112))


def one(found: ComparedRuns, method: str, attack: str, metric: str) -> Judged:
    """The row of a metric of a cell."""
    (row,) = (
        each
        for each in found.judged
        if (each.row.key.method, each.row.key.attack, each.row.metric.name) == (method, attack, metric)
    )
    return row


def test_the_same_code_with_other_seeds_is_no_regression() -> None:
    found = compare(BASELINE, run())
    assert found.exit_code == 0, found.causes
    assert {each.verdict for each in found.judged} <= {"unchanged", "inconclusive"}


def test_a_drop_of_accuracy_is_found_in_its_cell_and_nowhere_else() -> None:
    found = compare(BASELINE, run(change=lower("mine", "none", 0.15)))
    assert found.exit_code == 1
    assert [row_name(each) for each in found.regressed] == [
        "mine 75% × recognition, accuracy",
        "mine 75% × recognition, balanced_accuracy",
    ]
    row = found.regressed[0]
    assert row.low < -0.12 < row.high < 0
    assert "mine 75% × recognition, accuracy" in verdict(found)


def test_more_leakage_is_a_regression_and_less_is_an_improvement() -> None:
    weak = run(change=lower("random", "adaptive", 0.25))
    assert one(compare(weak, run(range(20, 32))), "random", "adaptive", "advantage").verdict == "regressed"
    assert one(compare(BASELINE, weak), "random", "adaptive", "advantage").verdict == "improved"
    assert compare(BASELINE, weak).exit_code == 0


def test_less_leakage_of_raw_pictures_says_that_the_attack_is_broken() -> None:
    found = compare(BASELINE, run(change=lower("raw", "adaptive", 0.3)))
    row = one(found, "raw", "adaptive", "advantage")
    assert row.verdict == "regressed"
    assert "attack broken?" in row.note
    assert found.exit_code == 1


def test_a_tolerance_lets_pass_what_is_within_it() -> None:
    worse = run(change=lower("mine", "none", 0.15))
    assert compare(BASELINE, worse, tolerances=["accuracy=30"]).exit_code == 0
    assert compare(BASELINE, worse, tolerances=["accuracy@mine=30"]).exit_code == 0
    assert compare(BASELINE, worse, tolerances=["accuracy@random=30"]).exit_code == 1


WRONG = ("accuracy", "accuracy=x", "accuracy=-1", "nothing=1", "utility=1", "accuracy@nobody=1", "=1")


@pytest.mark.parametrize("text", WRONG)
def test_a_tolerance_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        compare(BASELINE, run(), tolerances=[text])


def test_a_baseline_of_exactly_zero_is_compared_in_points() -> None:
    """A change in per cent of 0 is not defined."""

    def none_right(cell: dict[str, Any], values: np.ndarray) -> np.ndarray:
        return 0 * values if cell["method"] == "mine" and cell["attack"] == "mask-only" else values

    found = compare(run(range(100, 112), change=none_right), run())
    row = one(found, "mine", "mask-only", "advantage")
    assert (row.verdict, found.exit_code) == ("regressed", 1)
    assert row.change > 0.3


def test_one_seed_in_each_run_says_what_it_cannot_know() -> None:
    found = compare(run([0]), run([1], change=lower("mine", "none", 0.2)))
    assert {each.verdict for each in found.judged} == {"inconclusive"}
    assert {each.note for each in found.judged} == {NOISE_UNKNOWN}
    assert found.exit_code == 0
    assert NOISE_UNKNOWN in markdown(found)
    assert compare(run([0]), run([1]), strict=True).exit_code == 4


def test_seeds_of_the_baseline_alone_tell_the_noise() -> None:
    found = compare(BASELINE, run([0], change=lower("mine", "none", 0.3)))
    assert one(found, "mine", "none", "accuracy").verdict == "regressed"


def test_an_open_row_says_what_would_decide_it() -> None:
    open_rows = compare(BASELINE, run()).inconclusive
    assert open_rows
    assert all("seeds" in each.note or "images" in each.note for each in open_rows)
    assert all(0 < each.smallest < 1 or each.row.metric.unit != "share" for each in open_rows)


def test_the_same_keys_are_proved_unchanged_and_cost_no_test() -> None:
    found = compare(run(range(12), key="a"), run(key="a"))
    assert {each.verdict for each in found.judged} == {"unchanged"}
    cells = [each for each in found.judged if each.row.key.attack not in ("strongest", "all")]
    assert {each.note for each in cells} == {"proved: same code and keys"}
    assert all(np.isnan(each.chance) for each in found.judged)


def test_the_same_keys_do_not_hide_other_outcomes() -> None:
    found = compare(run(range(12), key="a"), run(key="a", change=lower("mine", "none", 0.2)))
    assert one(found, "mine", "none", "accuracy").verdict == "regressed"


def test_a_failed_cell_is_not_left_out() -> None:
    found = compare(BASELINE, run(failed=[("mine", "adaptive")]))
    assert found.exit_code == 4
    assert found.causes["failed"] == ["mine 75% × adaptive (sensitive): it broke"]


def test_a_cell_that_failed_in_the_baseline_is_missing_and_not_inconclusive() -> None:
    found = compare(run(range(100, 112), failed=[("mine", "adaptive")]), run())
    assert found.exit_code == 4
    assert "failed in the baseline" in found.causes["missing"][0]


def test_an_attack_that_vanished_is_missing() -> None:
    """The run names it, and has no cell of it: skipped silently."""
    gone = run(attacks=("telea", "mask-only"))
    named = {**gone.provenance, "attacks": list(BASELINE.provenance["attacks"])}
    found = compare(BASELINE, replace(gone, provenance=named))
    assert found.exit_code == 4
    assert any("adaptive" in text for text in found.causes["missing"])


def test_a_partial_run_is_compared_on_its_cells_and_the_rest_is_not_missing() -> None:
    found = compare(BASELINE, run(methods=("raw", "full-mask", "mine"), attacks=("telea",)))
    assert found.exit_code == 0
    assert {match.state for match in found.unmatched} == {"not run"}
    assert {each.row.key.method for each in found.judged} == {"raw", "full-mask", "mine"}


def test_a_regression_comes_before_missing_cells() -> None:
    worse = run(failed=[("mine", "telea")], change=lower("mine", "none", 0.2))
    found = compare(BASELINE, worse)
    assert found.exit_code == 1
    assert {"regressed", "failed"} <= found.causes.keys()


def test_a_comparison_that_measured_nothing_does_not_pass() -> None:
    found = compare(run(methods=("random",)), run(methods=("mine",)))
    assert found.exit_code == 3
    assert "Nothing was compared" in verdict(found)
    controls = ("raw", "full-mask")
    apart = compare(run([0, 1], methods=(*controls, "random")), run([2, 3], methods=(*controls, "mine")))
    assert apart.exit_code == 3 and apart.causes["nothing to compare"], "controls are in common, and no method is"
    assert compare(run([0, 1], methods=controls), run([2, 3], methods=controls)).exit_code == 0


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("threat_model", {"name": "adaptive", "version": 99}, "threat model"),
        ("data", {**BASELINE.provenance["data"], "fingerprint": "e" * 64}, "data content"),
        ("data", {**BASELINE.provenance["data"], "sizes": {"owner_train": 3}}, "sizes of the splits"),
        ("suite", {"settings": {"recognizer": {"name": "other"}}}, "recognizer"),
    ],
)
def test_what_differs_too_much_is_not_comparable(name: str, value: Any, word: str) -> None:
    found = compare(BASELINE, run(**{name: value}))
    assert found.exit_code == 3
    assert word in verdict(found)


def test_requirements_need_the_whole_interval_on_the_right_side() -> None:
    fine = compare(BASELINE, run(), require=["accuracy@random>=70", "advantage<=80"])
    assert fine.exit_code == 0, fine.causes
    value = 100 * one(fine, "random", "none", "accuracy").row.found.current
    at_the_value = compare(BASELINE, run(), require=[f"accuracy@random>={value:.1f}"])
    assert at_the_value.exit_code == 1
    assert "requirement not met" in at_the_value.causes
    assert compare(BASELINE, run(), require=["accuracy@nobody>=1"]).exit_code == 1
    for text in ("accuracy=80", "accuracy>80", "nothing>=1", "accuracy>=x"):
        with pytest.raises(UsageError):
            compare(BASELINE, run(), require=[text])


def test_a_report_is_written_in_all_forms_also_when_it_fails(tmp_path: Path) -> None:
    BASELINE.write(tmp_path / "old")
    run(change=lower("mine", "none", 0.15), failed=[("random", "telea")]).write(tmp_path / "new")
    files = {form: tmp_path / f"report.{form}" for form in ("markdown", "json", "junit")}
    options = [text for form, file in files.items() for text in (f"--{form}", str(file))]
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "old"), str(tmp_path / "new"), *options])
    assert done.exit_code == 1, done.output
    page = files["markdown"].read_text(encoding="utf-8")
    assert page == done.stdout
    assert "c" * 40 in page and "a processor" in page
    told = json.loads(files["json"].read_text(encoding="utf-8"))
    assert told["exit_code"] == 1
    assert told["causes"]["failed"] and told["causes"]["regressed"]
    suite = ElementTree.fromstring(files["junit"].read_text(encoding="utf-8"))
    assert int(suite.get("failures", 0)) == len(told["causes"]["regressed"])
    assert int(suite.get("errors", 0)) == len(told["causes"]["failed"])


def test_the_command_tells_a_missing_baseline_from_a_regression(tmp_path: Path) -> None:
    run().write(tmp_path / "new")
    # Wrong use is an error of its own; the command's entry point makes it exit code 2.
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "nothing"), str(tmp_path / "new")])
    assert isinstance(done.exception, UsageError)


def test_a_baseline_of_another_schema_is_not_comparable(tmp_path: Path) -> None:
    BASELINE.write(tmp_path / "old")
    about = json.loads((tmp_path / "old" / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "old" / "run.json").write_text(json.dumps({**about, "schema_version": 1}), encoding="utf-8")
    found = compare(tmp_path / "old", run())
    assert found.exit_code == 3
    assert "schema" in verdict(found)


def test_every_form_is_well_formed_where_nothing_could_be_compared() -> None:
    found = compare(BASELINE, run(threat_model={"name": "other"}))
    assert json.loads(as_json(found))["exit_code"] == 3
    assert ElementTree.fromstring(junit(found)).get("failures") == "1"


def test_an_accepted_regression_passes_until_it_gets_worse(tmp_path: Path) -> None:
    BASELINE.write(tmp_path / "old")
    entry = "- {method: mine, ratio: 0.75, attack: none, label: target, metric: accuracy, up_to: 18, reason: a trade}\n"
    (tmp_path / "old" / "accepted.yaml").write_text(entry, encoding="utf-8")
    known = compare(tmp_path / "old", run(change=lower("mine", "none", 0.15)))
    assert known.exit_code == 0
    assert "a trade" in markdown(known)
    assert compare(tmp_path / "old", run(change=lower("mine", "none", 0.3))).exit_code == 1
    assert any("accepted.yaml" in note for note in compare(tmp_path / "old", run()).notes)
    (tmp_path / "old" / "accepted.yaml").write_text("- {method: mine}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"accepted\.yaml"):
        compare(tmp_path / "old", run())
