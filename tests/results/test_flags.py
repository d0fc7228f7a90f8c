"""Each flag goes up on a planted frame, and none on a clean one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from maskbench.results.flags.find import find_flags
from maskbench.results.flags.kind import Flag
from maskbench.results.schema import typed

Row = dict[str, Any]


def rows(
    method: str,
    attack: str,
    value: float,
    metric: str = "ssim_hole",
    *,
    half: float = 0.02,
    label: str = "",
    kind: str = "",
    role: str = "method",
    learns_from: str = "",
    aux_share: float = 1.0,
    **more: Any,
) -> list[Row]:
    """A cell's row for one seed and the one over seeds, with an interval of ± ``half``."""
    base = {
        "sensitive": "digit",
        "method": method,
        "ratio": np.nan if role == "raw" else 0.75,
        "role": role,
        "attack": attack,
        "attack_kind": kind or ("inference" if label else "restoration"),
        "label": label,
        "learns_from": learns_from,
        "aux_share": aux_share,
        "split": "owner_test" if label == "target" else "owner_train",
        "metric": metric,
        "value": value,
        "ci_low": value - half,
        "ci_high": value + half,
        "status": "ok",
        **more,
    }
    return [{**base, "seed": 0}, base]


def missing(method: str, attack: str, status: str, reason: str = "kaboom", **more: Any) -> list[Row]:
    return [{**rows(method, attack, 0.0, **more)[0], "metric": None, "value": None, "status": status, "reason": reason}]


def clean() -> list[Row]:
    """A run with nothing to remark: every control as it should be, every method leaking beyond the null."""
    return [
        *rows("raw", "released", 100.0, "psnr", role="raw", half=0),
        *rows("raw", "restorer", 55.0, "psnr", role="raw", learns_from="pairs"),
        *rows("raw", "adaptive", 0.9, "advantage", label="sensitive", role="raw", learns_from="releases"),
        # On fully masked images nothing is learned, and that is no news.
        *rows("full-mask", "telea", 0.2, role="null"),
        *rows("full-mask", "restorer", 0.1, role="null", learns_from="pairs"),
        *rows("full-mask", "adaptive", -0.1, "advantage", label="sensitive", role="null", learns_from="releases"),
        *rows("full-mask", "naive", 0.1, "advantage", label="sensitive", role="null", learns_from="raw"),
        *rows("full-mask", "strongest", 0.0, "advantage_over_null", label="sensitive", role="null", half=0),
        *rows("full-mask", "strongest", 0.1, "advantage", label="sensitive", role="null"),
        *rows("raw", "none", 0.51, "accuracy", kind="none", role="raw", label="target"),
        *rows("raw", "none", 1.0, "utility", kind="none", role="raw", label="target"),
        *rows("random", "telea", 0.5),
        *rows("random", "lama:enlarge=0", 0.45),
        *rows("random", "restorer", 0.7, learns_from="pairs"),
        *rows("random", "restorer", 0.01, "ssim_hole_over_less_data", learns_from="pairs"),
        *rows("random", "restorer", 0.69, learns_from="pairs", aux_share=0.5),
        *rows("random", "adaptive", 0.4, "advantage", label="sensitive", learns_from="releases"),
        *rows("random", "naive", 0.1, "advantage", label="sensitive", learns_from="raw"),
        *rows("random", "mask-only", 0.01, "advantage", label="sensitive", learns_from="masks"),
        *rows("random", "mask-only", 0.01, "advantage", label="target", learns_from="masks"),
        *rows("random", "strongest", 0.4, "advantage_over_null", label="sensitive"),
        *rows("random", "strongest", 0.6, "advantage", label="sensitive"),
        *rows("random", "permuted", 0.01, "advantage", label="sensitive"),
        *rows("random", "strongest", 0.7),
        *rows("random", "oracle", 0.0, "advantage_over_null", label="sensitive"),
        *rows("random", "none", 0.8, "accuracy", kind="none", split="owner_test"),
    ]


def replaced(method: str, attack: str, metric: str, value: float, label: str = "") -> list[Row]:
    """The clean run with another value, and its interval, in one place."""
    found = clean()
    hit = 0
    for row in found:
        same = (row["method"], row["attack"], row["metric"], row["label"]) == (method, attack, metric, label)
        if same and row["aux_share"] == 1:
            half = row["ci_high"] - row["value"]
            row.update(value=value, ci_low=value - half, ci_high=value + half)
            hit += 1
    assert hit == 2, "the clean run has no such cell"
    return found


def flags(found: list[Row]) -> list[Flag]:
    return find_flags(typed(found))


def test_a_clean_run_has_no_flag() -> None:
    assert flags(clean()) == []


PLANTED: dict[str, tuple[tuple[str, str, str, float, str], str, str, str]] = {
    # What is replaced in the clean run; the flag it raises, on which attack, and what the finding names.
    "restoration distorts raw images": (
        ("raw", "restorer", "psnr", 30.0, ""), "fails-on-raw", "restorer", "30.0 dB"
    ),
    "inference learns nothing from raw images": (
        ("raw", "adaptive", "advantage", 0.01, "sensitive"), "fails-on-raw", "adaptive", "1.0 [-1.0"
    ),
    "learned below classical": (
        ("random", "restorer", "ssim_hole", 0.4, ""), "learned-below-classical", "restorer", "telea"
    ),
    "adaptive below naive": (
        ("random", "naive", "advantage", 0.5, "sensitive"), "adaptive-below-naive", "adaptive", "naive"
    ),
    "the worst inference was not chosen": (
        ("random", "adaptive", "advantage", 0.7, "sensitive"), "strongest-missed", "adaptive", "strongest 60.0"
    ),
    "the worst restoration was not chosen": (
        ("random", "restorer", "ssim_hole", 0.9, ""), "strongest-missed", "restorer", "strongest 0.700"
    ),
    "shape leaks the sensitive label": (
        ("random", "mask-only", "advantage", 0.1, "sensitive"), "shape-leaks", "mask-only", "10.0"
    ),
    "shape tells the target label": (
        ("random", "mask-only", "advantage", 0.1, "target"), "shape-recognizes", "mask-only", "10.0"
    ),
    "raw images tell no more than the prior": (
        ("raw", "none", "utility", np.nan, "target"), "raw-at-prior", "", "51.0"
    ),
    "an attack on fully masked images was not chosen": (
        ("full-mask", "naive", "advantage", 0.2, "sensitive"), "strongest-missed", "naive", "strongest 10.0"
    ),
    "still rising": (
        ("random", "restorer", "ssim_hole_over_less_data", 0.1, ""), "more-data", "restorer", "50%"
    ),
    "not above the null": (
        ("random", "strongest", "advantage_over_null", 0.01, "sensitive"), "not-above-null", "", "over the null"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_flagged_and_nothing_else(name: str) -> None:
    where, kind, attack, seen = PLANTED[name]
    (raised,) = flags(replaced(*where))
    assert raised.name == kind
    assert (raised.method, raised.attack) == (where[0], attack)
    assert seen in raised.finding
    assert raised.action


def test_without_weights_from_elsewhere_a_note_says_so() -> None:
    (raised,) = flags([row for row in clean() if row["attack"] != "lama:enlarge=0"])
    assert (raised.name, raised.level, raised.method) == ("no-pretrained", "note", "")
    found = clean()
    for row in found:
        if row["attack"] == "lama:enlarge=0":
            row["attack"] = "fourier-restorer:weights=a.pt"
    assert flags(found) == []


@pytest.mark.parametrize(
    ("reached", "flagged"), [((0.05, 0.06, 0.07), True), ((0.05, 0.07), False), ((-0.1, 0.06, 0.3), False)]
)
def test_shuffled_labels_that_are_read_under_every_seed_are_flagged(reached: tuple[float, ...], flagged: bool) -> None:
    """By chance, one shuffle may be right for all pictures that look alike."""
    found = [row for row in clean() if row["attack"] != "permuted"]
    for seed, value in enumerate(reached):
        found.append({**rows("random", "permuted", value, "advantage", label="sensitive")[0], "seed": seed})
    found.append(rows("random", "permuted", float(np.mean(reached)), "advantage", label="sensitive")[1])
    assert [(each.name, each.attack) for each in flags(found)] == [("shuffled-labels", "permuted")] * flagged


@pytest.mark.parametrize(("reached", "flagged"), [(0.5, True), (0.41, False)])
def test_networks_below_what_trains_none_are_flagged(reached: float, flagged: bool) -> None:
    linear = rows("random", "linear", reached, "advantage", label="sensitive", learns_from="releases")
    raised = flags([*clean(), *linear])
    assert [(each.name, each.attack) for each in raised] == [("linear-above-networks", "adaptive")] * flagged


@pytest.mark.parametrize(
    ("attack", "fall", "flagged"),
    [
        ("adaptive", 0.3, True),
        ("adaptive", 0.2, False),
        ("restorer", 0.3, True),
        ("restorer", 0.0, False),
        # Nothing but their own pictures by heart; after one epoch nobody knows.
        ("mask-only", 0.3, False),
        ("mask-only", 1.0, True),
    ],
)
def test_a_training_that_ended_too_soon_is_flagged(attack: str, fall: float, flagged: bool) -> None:
    label = "" if attack == "restorer" else "sensitive"
    raised = flags([*clean(), *rows("random", attack, fall, "late_fall", label=label, half=0)])
    assert [(each.name, each.attack) for each in raised] == [("loss-still-falling", attack)] * flagged


@pytest.mark.parametrize(("apart", "flagged"), [(0.2, True), (0.01, False)])
def test_seeds_that_differ_more_than_images_are_flagged(apart: float, flagged: bool) -> None:
    found = [
        row for row in clean() if (row["method"], row["attack"], row["metric"]) != ("random", "strongest", "advantage")
    ]
    for seed, value in enumerate((0.6 - apart, 0.6, 0.6 + apart)):
        found.append({**rows("random", "strongest", value, "advantage", label="sensitive")[0], "seed": seed})
    found.append(rows("random", "strongest", 0.6, "advantage", label="sensitive")[1])
    raised = flags(found)
    assert [(each.name, each.attack) for each in raised] == [("seeds-differ", "strongest")] * flagged
    if flagged:
        # Student's t with 2 degrees of freedom: 4.303 · 0.2 / √3 is 49.7 points; images know a little better.
        assert "[10.9, 100.0]" in raised[0].finding and "3 seeds" in raised[0].finding


def test_restorations_together_are_none_that_learned_nothing() -> None:
    found = flags([*clean(), *rows("random", "stacked", 0.75)])
    assert "learned-below-classical" not in {flag.name for flag in found}
    classical = flags([*clean(), *rows("random", "telea-of-another-kind", 0.75)])
    assert "learned-below-classical" in {flag.name for flag in classical}


def test_a_failed_cell_and_the_coverage_are_flagged() -> None:
    raised = flags([*clean(), *missing("random", "lama", "failed"), *missing("random", "navier", "failed")])
    assert [each.name for each in raised] == ["failed", "coverage"]
    assert (raised[0].method, raised[0].attack, raised[0].finding) == ("random", "lama, navier", "2 × kaboom")
    assert raised[1].method == ""
    assert "2 failed, 0 unavailable" in raised[1].finding


def test_a_restoration_that_equals_what_was_hidden_is_flagged() -> None:
    found = clean()
    for row in found:
        if row["method"] == "random" and row["metric"] == "ssim_hole" and row["attack"] in ("restorer", "strongest"):
            row.update(value=1.0, ci_low=1.0, ci_high=1.0)
    assert ("exact-restoration", "restorer") in [(each.name, each.attack) for each in flags(found)]


def test_smooth_pictures_may_come_back_nearly_exactly() -> None:
    found = clean()
    for row in found:
        if row["method"] == "random" and row["metric"] == "ssim_hole" and row["attack"] in ("restorer", "strongest"):
            row.update(value=0.9995, ci_low=0.9994, ci_high=0.9996)
    assert "exact-restoration" not in [each.name for each in flags(found)]


def test_what_was_not_hidden_may_come_back_exactly() -> None:
    found = [*clean(), *rows("scramble", "owner-key", 1.0, half=0, ratio=np.nan)]
    assert flags(found) == []


def test_what_cannot_run_here_is_a_matter_of_coverage_alone() -> None:
    (raised,) = flags([*clean(), *missing("random", "lama", "unavailable")])
    assert raised.name == "coverage"
    assert "0 failed, 1 unavailable" in raised.finding


def test_within_the_interval_of_the_other_is_not_below_it() -> None:
    assert flags(replaced("random", "restorer", "ssim_hole", 0.49)) == []
    assert flags(replaced("random", "naive", "advantage", 0.41, "sensitive")) == []


def test_a_naive_attack_that_learned_nothing_shows_nobody_up() -> None:
    found = replaced("random", "naive", "advantage", 0.01, "sensitive")
    for row in found:
        if row["method"] == "random" and row["attack"] == "adaptive":
            row.update(value=-0.2, ci_low=-0.22, ci_high=-0.18)
    assert flags(found) == []


def test_any_attack_that_adapts_will_do() -> None:
    found = replaced("random", "naive", "advantage", 0.5, "sensitive")
    found += rows("random", "other", 0.6, "advantage", label="sensitive", learns_from="restorations")
    assert flags(found) == []


@pytest.mark.parametrize(("accuracy", "flagged"), [(0.7, True), (0.77, False), (0.9, False)])
def test_a_recognizer_that_attackers_do_not_reach_is_flagged(accuracy: float, flagged: bool) -> None:
    probes = rows("random", "adaptive", accuracy, "accuracy", label="target", learns_from="releases")
    weaker = rows("random", "linear", accuracy - 0.2, "accuracy", label="target", learns_from="releases")
    raised = flags([*clean(), *probes, *weaker])
    assert [(each.name, each.attack) for each in raised] == [("recognizer-beats-attacks", "adaptive")] * flagged


def test_single_values_without_an_interval_raise_nothing() -> None:
    found = replaced("random", "strongest", "advantage_over_null", 0.01, "sensitive")
    for row in found:
        row.update(ci_low=np.nan, ci_high=np.nan)
    assert flags(found) == []


def test_a_flag_survives_json() -> None:
    for row in (
        replaced("random", "mask-only", "advantage", 0.1, "sensitive"),
        replaced("raw", "restorer", "psnr", 3, ""),
    ):
        (raised,) = flags(row)
        again = Flag.of_record(json.loads(json.dumps(raised.record())))
        assert again == raised or np.isnan(again.ratio)
        assert (again.name, again.finding) == (raised.name, raised.finding)
