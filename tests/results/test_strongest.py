"""The strongest attack, realizable and by an oracle, and both beyond the null control."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from maskbench.results.measure import measure, planned_of
from maskbench.results.strongest import FAILED, NONE_RAN, Validated, best_of, chosen
from planted import (
    ADAPTIVE,
    CLASSES,
    IMAGES,
    MASK_ONLY,
    NULL,
    PIXELATE,
    RANDOM,
    RELEASED,
    RESTORER,
    REVERSE,
    TELEA,
    inferred,
    missing,
    restored,
    tables,
    value,
)

HALF = np.arange(IMAGES) < IMAGES // 2


def test_the_attack_is_chosen_by_validation_not_by_what_it_got() -> None:
    found = tables([restored(RANDOM, TELEA, 0.3, validation=0.9), restored(RANDOM, RESTORER, 0.8, validation=0.1)])
    chosen = value(found, "ssim_hole", attack="strongest")
    assert (chosen["value"], chosen["chosen"]) == (pytest.approx(0.3), "telea")


def told(gains: object, bits: float) -> Validated:
    return Validated(np.full(100, bits), np.asarray(gains, dtype=float))


def test_inferences_are_chosen_by_what_they_are_judged_by() -> None:
    """More bits count only among attacks whose hits do not tell them apart."""
    right = (np.arange(100) < 60).astype(float)
    others = (np.arange(100) >= 40).astype(float)
    assert chosen({"hits": told(right, 0.1), "bits": told(np.roll(right, 50) * 0.0, 0.9)}) == "hits"
    assert chosen({"hits": told(right, 0.1), "bits": told(others * right, 0.9)}) == "hits"
    behind = right.copy()
    behind[:3], behind[60:62] = 0.0, 1.0  # behind by one of a hundred, and they differ in five
    assert chosen({"hits": told(right, 0.1), "bits": told(behind, 0.2)}) == "bits"
    assert chosen({"first": told(right, 0.2), "second": told(right, 0.1)}) == "first"


def test_without_hits_attacks_are_chosen_by_their_score() -> None:
    """Restorations have none, nor have the runs of before."""
    kept = {"hits": told(np.ones(100), 0.1), "bits": Validated(np.full(100, 0.2))}
    assert chosen(kept) == "bits"
    assert chosen({"a": Validated(np.array([0.1, np.nan])), "b": Validated(np.array([0.2, np.nan]))}) == "b"


def test_each_seed_names_its_own_choice() -> None:
    found = tables(
        [
            restored(RANDOM, TELEA, 0.3, validation=0.9, seed=0),
            restored(RANDOM, RESTORER, 0.8, validation=0.1, seed=0),
            restored(RANDOM, TELEA, 0.3, validation=0.1, seed=1),
            restored(RANDOM, RESTORER, 0.8, validation=0.9, seed=1),
        ]
    )
    assert [value(found, "psnr", attack="strongest", seed=seed)["chosen"] for seed in (0, 1)] == ["telea", "restorer"]
    pooled = value(found, "ssim_hole", attack="strongest")
    assert pooled["chosen"] == "telea, restorer"
    assert pooled["value"] == pytest.approx(0.55)


@pytest.mark.parametrize("metric", ["ssim_hole", "psnr_hole", "ssim", "psnr"])
def test_the_oracle_restores_each_image_with_its_best_attack(metric: str) -> None:
    first, second = np.where(HALF, 0.2, 0.8), np.where(HALF, 0.6, 0.4)
    found = tables([restored(RANDOM, TELEA, first, validation=1), restored(RANDOM, RESTORER, second)])
    unit = 100 if metric.startswith("psnr") else 1
    oracle = value(found, metric, attack="oracle")
    assert oracle["value"] == pytest.approx(unit * 0.7)
    assert oracle["ci_low"] < oracle["value"] < oracle["ci_high"]
    assert oracle["n"] == IMAGES


def test_the_oracle_infers_what_any_attack_infers_against_the_same_prior() -> None:
    found = tables([inferred(RANDOM, ADAPTIVE, HALF, validation=1), inferred(RANDOM, REVERSE, ~HALF)])
    assert value(found, "accuracy", attack="oracle")["value"] == 1
    assert value(found, "advantage", attack="oracle")["value"] == 1
    realizable = value(found, "advantage", attack="strongest")["value"]
    assert realizable == pytest.approx((0.5 - 0.25) / 0.75)
    # The best of several distributions is no distribution: it would bound no information.
    assert found.cells[(found.cells["attack"] == "oracle") & (found.cells["metric"] == "bits")].empty


def test_the_oracle_takes_the_side_that_the_owner_does_not_want() -> None:
    number = np.arange(2)
    # LPIPS falls when a restoration gets better.
    distances = [{"number": number, "lpips": np.array(each)} for each in ([0.2, 0.9], [0.5, 0.1])]
    assert best_of(distances)["lpips"].tolist() == [0.2, 0.1]
    holes = [
        {"number": number, "psnr": np.array([np.nan, np.nan])},
        {"number": number, "psnr": np.array([5.0, np.nan])},
    ]
    np.testing.assert_array_equal(best_of(holes)["psnr"], [5.0, np.nan])


def test_without_an_attack_that_failed_no_strongest_attack_is_known() -> None:
    found = tables([restored(RANDOM, TELEA, 0.3), missing(RANDOM, RESTORER, "failed")])
    rows = found.cells[found.cells["attack"].isin(["strongest", "oracle"])]
    assert rows["attack"].tolist() == ["strongest", "oracle"]
    assert (rows["status"] == "failed").all()
    assert (rows["reason"] == FAILED).all()


def test_an_attack_that_cannot_run_here_is_left_out() -> None:
    found = tables([restored(RANDOM, TELEA, 0.3), missing(RANDOM, RESTORER, "unavailable")])
    assert value(found, "ssim_hole", attack="oracle")["value"] == pytest.approx(0.3)
    found = tables([missing(RANDOM, TELEA, "unavailable")])
    rows = found.cells[found.cells["attack"].isin(["strongest", "oracle"])]
    assert set(rows["status"]) == {"unavailable"} and set(rows["reason"]) == {NONE_RAN}


@pytest.mark.parametrize("status", ["failed", "unavailable"])
def test_where_no_attack_of_a_kind_ran_the_cells_give_themselves_again(status: str) -> None:
    """``maskbench verify`` reads what was planned off rows with numbers."""
    found = tables([inferred(RANDOM, ADAPTIVE, HALF), missing(RANDOM, TELEA, status)])
    again = measure(planned_of(found.cells), found.samples, CLASSES)
    pd.testing.assert_frame_equal(again, found.cells, check_exact=True)


def test_attackers_with_less_data_are_never_the_strongest() -> None:
    found = tables([restored(RANDOM, RESTORER, 0.4), restored(RANDOM, RESTORER, 0.9, validation=1, share=0.5)])
    assert value(found, "ssim_hole", attack="strongest")["value"] == pytest.approx(0.4)
    assert value(found, "ssim_hole", attack="oracle")["value"] == pytest.approx(0.4)


def test_more_data_is_compared_with_the_next_smaller_share_on_the_same_images() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, IMAGES)
    found = tables(
        [
            restored(RANDOM, RESTORER, 0.5 + noise + gain, share=share)
            for share, gain in ((0.2, 0), (0.5, 0.1), (1, 0.15))
        ]
    )
    rise = value(found, "ssim_hole_over_less_data", attack="restorer")
    assert rise["value"] == pytest.approx(0.05)
    # Paired: the images differ by far more than the gain, and its interval is a point all the same.
    assert rise["ci_high"] - rise["ci_low"] < 1e-9
    smallest = found.cells[(found.cells["aux_share"] == 0.2) & (found.cells["metric"] == "ssim_hole_over_less_data")]
    assert smallest.empty


def test_the_null_over_itself_is_exactly_nothing() -> None:
    generator = np.random.default_rng(0)
    found = []
    for seed in (0, 1):
        found += [restored(NULL, attack, generator.random(IMAGES), seed=seed) for attack in (TELEA, RESTORER)]
        found += [inferred(NULL, attack, generator.random(IMAGES) < 0.3, seed=seed) for attack in (ADAPTIVE, REVERSE)]
    cells = tables(found).cells
    over = cells[cells["metric"].isin(["ssim_hole_over_null", "advantage_over_null"])]
    assert {"telea", "restorer", "adaptive", "reverse", "strongest", "oracle"} == set(over["attack"])
    assert (over[["value", "ci_low", "ci_high"]] == 0).all(axis=None)


def test_over_null_is_the_difference_on_the_same_images() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, IMAGES)
    found = tables([restored(RANDOM, TELEA, 0.6 + noise), restored(NULL, TELEA, 0.2 + noise)])
    for attack in ("telea", "strongest", "oracle"):
        over = value(found, "ssim_hole_over_null", attack=attack, method="random")
        assert over["value"] == pytest.approx(0.4)
        assert over["ci_high"] - over["ci_low"] < 1e-9
        assert over["direction"] == "lower"


def test_guessing_attacks_make_an_oracle_strong_but_not_over_the_null() -> None:
    attacks = (ADAPTIVE, REVERSE, MASK_ONLY)
    generator = np.random.default_rng(0)
    found = tables(
        [
            inferred(method, attack, generator.random(IMAGES) < 0.25, validation=generator.random(), seed=seed)
            for method in (RANDOM, NULL)
            for attack in attacks
            for seed in (0, 1, 2)
        ]
    )
    oracle = value(found, "advantage", attack="oracle", method="random")
    assert oracle["ci_low"] > 0.2
    over = value(found, "advantage_over_null", attack="oracle", method="random")
    assert over["ci_low"] <= 0 <= over["ci_high"]


def test_the_null_faces_the_same_attacks_as_the_method() -> None:
    # The mask-only attack does not run on a method without masks; on the null it is planted to be right always.
    found = tables(
        [
            inferred(PIXELATE, ADAPTIVE, HALF),
            inferred(NULL, ADAPTIVE, HALF),
            inferred(NULL, MASK_ONLY, 1, validation=1),
        ]
    )
    for attack in ("strongest", "oracle"):
        assert value(found, "advantage_over_null", attack=attack, method="pixelate")["value"] == 0


def test_where_the_null_is_not_known_nothing_is_said_over_it() -> None:
    found = tables([restored(RANDOM, TELEA, 0.6), missing(NULL, TELEA, "failed"), restored(RANDOM, RELEASED, 0.1)])
    cells = found.cells[found.cells["method"] == "random"]
    assert cells[cells["metric"].str.endswith("_over_null")].empty
    assert value(found, "ssim_hole", attack="oracle", method="random")["value"] == pytest.approx(0.6)


@pytest.mark.parametrize("seed", range(5))
def test_oracle_at_least_realizable_at_least_nothing_else_chosen(seed: int) -> None:
    generator = np.random.default_rng(seed)
    results = [
        inferred(RANDOM, attack, generator.random(IMAGES) < 0.4, validation=generator.random(), seed=each)
        for attack in (ADAPTIVE, REVERSE, MASK_ONLY)
        for each in (0, 1)
    ]
    results += [
        restored(RANDOM, attack, generator.random(IMAGES), validation=generator.random(), seed=each)
        for attack in (TELEA, RESTORER)
        for each in (0, 1)
    ]
    found = tables(results)
    for metric in ("advantage", "accuracy", "ssim_hole", "psnr"):
        for split in ("owner_train", "owner_test"):
            every = found.cells[
                (found.cells["metric"] == metric) & (found.cells["split"] == split) & found.cells["seed"].isna()
            ]
            every = every[every["attack_kind"] != "none"].set_index("attack")["value"]
            assert every["oracle"] >= every.drop("oracle").max()
            assert every["oracle"] > every["strongest"]


def test_chosen_attacks_with_different_outcomes_can_be_taken_together() -> None:
    ranks = np.ones(IMAGES)
    found = tables(
        [
            inferred(RANDOM, ADAPTIVE, HALF, seed=0, validation=1, rank1=ranks),
            inferred(RANDOM, REVERSE, HALF, seed=0),
            inferred(RANDOM, ADAPTIVE, HALF, seed=1, rank1=ranks),
            inferred(RANDOM, REVERSE, HALF, seed=1, validation=1),
        ]
    )
    assert value(found, "advantage", attack="strongest")["chosen"] == "adaptive, reverse"
