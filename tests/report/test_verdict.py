"""The answer of a run: what it says of planted results, and that it says no more than their intervals allow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from maskbench.errors import UsageError
from maskbench.report.equal_leakage import AtReference, at_equal_leakage, curve_points
from maskbench.report.frontier import frontier
from maskbench.report.tables.equal_leakage import TABLE
from maskbench.report.verdict import verdict
from maskbench.runfolder.folder import RunFolder
from planted_methods import Planted, planted

GOOD = Planted("good", 0.9, 0.2)
BAD = Planted("bad", 0.7, 0.6)


def said(run: RunFolder) -> str:
    """All sentences, in small letters: what a sentence begins with depends on what else is said."""
    found = verdict(run)
    return " ".join((*found.sentences, *found.findings)).lower()


def test_a_clear_winner_comes_first_and_what_it_beats_is_named() -> None:
    found = verdict(planted(GOOD, BAD, seeds=2))
    first, last = found.sentences
    assert first == (
        "No other method keeps more accuracy or leaks less than good (accuracy 90.0 %, advantage 20.0 %); leakage is "
        "the strongest inference of digit."
    )
    assert found.findings == ("Beaten in accuracy and leakage: bad.",)
    assert last.startswith("Measured with 2 seeds, 400 attacked images and 3 attacks; no flag warns")


def test_methods_that_all_leak_as_much_as_raw_are_said_to_do_so() -> None:
    first = verdict(planted(Planted("one", 0.9, 0.9), Planted("other", 0.8, 0.905))).sentences[0]
    assert first.startswith("Each of the 2 methods leaks no less than raw images")
    assert verdict(planted(Planted("one", 0.9, 0.9))).sentences[0].startswith("The method leaks no less than raw")


def test_attacks_that_get_nothing_of_raw_images_judge_no_method() -> None:
    found = verdict(planted(replace(GOOD, advantage=0.0), raw_leaks=0.0))
    assert found.sentences[0].startswith("The strongest inference of digit gets no more of raw images than of fully")
    assert not any("No less leakage" in finding for finding in found.findings)


def test_one_method_alone_stands_beside_raw_images() -> None:
    first = verdict(planted(GOOD)).sentences[0]
    assert first.startswith("One method was measured, good (accuracy 90.0 %, advantage 20.0 %), beside raw (accuracy ")
    assert first.endswith("; leakage is the strongest inference of digit.")


def test_one_that_leaks_as_much_as_raw_is_named_among_others() -> None:
    assert "no less leakage than raw images: leaky" in said(planted(GOOD, Planted("leaky", 0.8, 0.9)))


def test_of_the_frontier_one_that_leaks_as_much_as_raw_comes_last() -> None:
    first = said(planted(replace(GOOD, name="leaky", accuracy=0.94, advantage=0.895), GOOD)).split(";")[0]
    assert first.index("good (") < first.index("leaky (")


def test_methods_whose_releases_are_traced_to_their_pictures_are_named() -> None:
    """What hides a label may hide nothing of which picture it is."""
    seen = replace(GOOD, traced=0.98)
    assert "traced to its raw picture in 98.0 % of cases: good" in said(planted(seen, BAD))
    both = said(planted(seen, Planted("most", 0.93, 0.5, traced=0.6)))
    assert "traced to its raw picture in 60.0 % of cases or more: good and most" in both
    assert "traced" not in said(planted(replace(GOOD, traced=0.1), replace(BAD, traced=1.0)))


def test_a_tie_is_no_defeat() -> None:
    """A point less and a point more, on 400 images: the intervals hold 0."""
    run = planted(GOOD, Planted("close", 0.8975, 0.2025))
    assert [each.beaten_by for each in frontier(run)] == [(), (), (), ()]
    assert "not told apart from the frontier: close" in said(run)
    both = said(planted(GOOD, replace(GOOD, name="same")))
    assert both.startswith("on the frontier, where no other method keeps more and leaks less: good (")
    assert "and same (" in both


def test_without_samples_differences_are_judged_from_the_intervals_alone() -> None:
    """Images that are the same for all tell methods apart that intervals of single methods do not."""
    close = Planted("close", 0.88, 0.23)
    whole = planted(GOOD, close)
    bare = replace(whole, samples=whole.samples.iloc[:0])
    assert "beaten in accuracy and leakage: close" in said(whole)
    assert "not told apart from the frontier: close" in said(bare)
    assert "beaten in accuracy and leakage: bad" in said(replace(planted(GOOD, BAD), samples=bare.samples))
    assert any(caution.startswith("The folder holds no samples") for caution in verdict(bare).cautions)


def test_one_seed_is_said_to_be_one() -> None:
    found = verdict(planted(GOOD, BAD))
    assert "1 seed, 400 attacked images" in found.sentences[-1]
    assert "one seed does not tell how far another would differ" in found.sentences[-1]
    assert any(caution.startswith("One seed") for caution in found.cautions)


def test_a_method_that_an_attack_failed_on_is_not_compared() -> None:
    run = planted(GOOD, replace(BAD, status="failed"))
    found = verdict(run)
    assert "leakage not known, since an attack failed: bad" in said(run)
    assert "a cell failed" in found.sentences[-1]
    assert found.cautions[0].startswith("11 of 13 cells ran; 2 failed")
    alone = said(planted(replace(BAD, status="failed")))
    assert alone.startswith("no leakage is known, the strongest inference of digit: an attack failed")


def test_a_method_whose_recognizer_failed_is_left_out() -> None:
    run = planted(GOOD, replace(BAD, accuracy=None))
    assert [each.method for each in frontier(run)] == ["raw", "full-mask", "good"]
    assert "a cell failed" in said(run)


def test_without_a_sensitive_label_leakage_is_what_is_restored() -> None:
    run = planted(replace(GOOD, ssim=0.3), replace(BAD, ssim=0.8), sensitive=False)
    found = verdict(run)
    assert found.sentences[0] == (
        "No other method keeps more accuracy or leaks less than good (accuracy 90.0 %, hole SSIM 0.30); leakage is the "
        "strongest restoration."
    )
    assert found.findings == ("Beaten in accuracy and leakage: bad.",)


def test_a_method_that_nothing_attacked_is_named_with_what_to_add() -> None:
    run = planted(GOOD, replace(BAD, name="shy", advantage=None))
    found = verdict(run)
    assert "not attacked, add -a adaptive: shy" in said(run)
    assert found.cautions[0] == (
        "Not attacked by any inference that sees its pixels: shy. Add one of -a adaptive, -a convolutional and "
        "-a gaussian."
    )


def test_an_attack_on_the_shape_alone_is_none_on_the_pixels() -> None:
    only_shape = replace(GOOD, advantage=None, ssim=None, ratio=0.75, shape=0.6)
    run = planted(only_shape)
    cells = run.cells[~run.cells["attack"].isin(["adaptive", "restorer", "strongest", "oracle"])]
    assert said(replace(run, cells=cells)).startswith(
        "no leakage is known: no attack saw the released pixels; add one, -a adaptive."
    )


def test_accuracy_that_the_shape_of_the_masks_gives_is_named() -> None:
    by_shape, by_pixels = replace(GOOD, ratio=0.75, shape=0.9), replace(GOOD, name="seen", ratio=0.5, shape=0.8)
    assert "accuracy not told apart from that of the masks' shape alone: good 75%" in said(planted(by_shape, by_pixels))


def curve(name: str, accuracies: tuple[float, ...], advantages: tuple[float, ...], **more: float) -> list[Planted]:
    """A method that hides a half, three quarters and nine tenths."""
    points = zip((0.5, 0.75, 0.9), accuracies, advantages, strict=True)
    return [Planted(name, kept, leaked, ratio=ratio, **more) for ratio, kept, leaked in points]


CURVES = (
    *curve("random", (0.8, 0.7, 0.6), (0.6, 0.4, 0.2), shape=0.5),
    *curve("picky", (0.9, 0.8, 0.65), (0.5, 0.3, 0.1), shape=0.6),
    *curve("odd", (0.8, 0.9, 0.7), (0.5, 0.3, 0.1), shape=0.6),
    *curve("low", (0.9, 0.8, 0.75), (0.3, 0.2, 0.1), shape=0.6),
    Planted("blocks", 0.9, 0.5, params="size=2"),
    Planted("blocks", 0.8, 0.3),
    Planted("blocks", 0.7, 0.1, params="size=8"),
    Planted("blocks", 0.7, 0.1, params="size=8,how=other"),
)


def at_reference(method: str) -> AtReference:
    found = at_equal_leakage(planted(*CURVES))
    assert found is not None
    assert (found.reference, found.leakage, found.accuracy) == ("random 75%", 0.4, 0.7)
    return {each.method: each for each in found.methods}[method]


def test_a_curve_is_read_off_where_the_reference_leaks_as_much() -> None:
    """Half way between two points, whose accuracies are 0.9 and 0.8; the shape alone gives 0.6 everywhere."""
    picky = at_reference("picky")
    assert picky.accuracy is not None and picky.gain is not None and picky.shape is not None
    assert picky.accuracy.value == pytest.approx(0.85)
    assert picky.gain.value == pytest.approx(0.15)
    assert 0.1 < picky.gain.low < 0.15 < picky.gain.high < 0.2
    assert picky.shape.value == pytest.approx(0.6)
    assert picky.leakage is not None and picky.more is not None
    assert picky.leakage.value == pytest.approx(0.1 + 0.2 / 3)
    assert picky.more.value == pytest.approx(0.2 / 3 - 0.3)


def test_equal_leakage_opens_the_verdict() -> None:
    sentences = verdict(planted(*CURVES)).sentences
    assert len(sentences) == 3
    assert sentences[0].startswith("At the leakage of random 75% (advantage 40.0 %): ")
    assert "picky keeps 15.0 points [" in sentences[0]
    assert "85.0 % in all, where its masks' shape alone gives 60.0 %" in sentences[0]
    assert "leaks less at each of its 3 strengths: low" in sentences[0]


def test_the_points_of_the_curves_and_their_table() -> None:
    points = curve_points(planted(*CURVES))
    assert list(points[points["method"] == "picky"]["leakage"].round(3)) == [0.5, 0.3, 0.1]
    table = TABLE.build(planted(*CURVES)).set_index("method")
    assert table.loc["low", "accuracy % at its leakage"] == "leaks less at each of its 3 strengths"
    assert table.loc["picky", "shape alone % there"].startswith("60.0 [")


def test_a_curve_that_is_not_monotone_is_made_so() -> None:
    odd = at_reference("odd")
    assert odd.accuracy is not None and odd.accuracy.value == pytest.approx(0.85)


def test_nothing_is_extrapolated() -> None:
    low = at_reference("low")
    assert (low.accuracy, low.leakage) == (None, None)
    assert low.outside == "leaks less at each of its 3 strengths"
    assert low.outside_accuracy == "keeps more at each of its 3 strengths"


def test_strengths_may_be_of_any_parameter_and_its_default() -> None:
    blocks = at_reference("blocks")
    assert blocks.accuracy is not None and blocks.accuracy.value == pytest.approx(0.85)


def test_a_reference_can_be_chosen_and_has_to_be_there() -> None:
    chosen = at_equal_leakage(planted(*CURVES), "random 90%")
    assert chosen is not None and chosen.leakage == 0.2
    with pytest.raises(UsageError, match=r"no reference named 'randon 90%'.*random 90%"):
        at_equal_leakage(planted(*CURVES), "randon 90%")


def test_two_strengths_are_no_curve() -> None:
    assert at_equal_leakage(planted(*CURVES[:2], GOOD)) is None
