"""Cells that are compared together get what each gets alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from maskbench.gate.differences import differences
from maskbench.gate.outcomes import CellOutcomes
from maskbench.gate.tolerances import Tolerances
from maskbench.metrics.catalogue import FAMILIES, metric_of
from maskbench.metrics.metric import Family

IMAGES, CLASSES = 60, 3
SHARES = ("correct", "prior_correct", "information", "ssim", "ssim_hole", "psnr", "rank_1", "matching_auc", "rank1")


def cell(seed: int, seeds: range) -> CellOutcomes:
    """Drawn outcomes of one cell; every cell has the same true classes."""
    rng = np.random.default_rng(seed)
    shape = (len(seeds), IMAGES)
    columns = {name: (rng.random(shape) < 0.6).astype(float) for name in SHARES}
    stated = rng.dirichlet(np.ones(CLASSES), size=shape)
    truth = np.tile(np.repeat(np.arange(CLASSES), (30, 20, 10)), (len(seeds), 1))
    return CellOutcomes(tuple(seeds), np.arange(IMAGES), columns | {"truth": truth, "probabilities": stated})


def without(one: CellOutcomes, name: str, images: slice) -> CellOutcomes:
    """The cell, where an outcome is not defined for some images."""
    values = one.columns[name].astype(float)
    values[:, images] = np.nan
    return replace(one, columns={**one.columns, name: values})


@pytest.mark.parametrize("family", ["recognition", "restoration", "inference", "matching"])
def test_cells_together_get_what_each_gets_alone(family: Family) -> None:
    pairs = [(cell(place, range(4)), cell(50 + place, range(4, 7))) for place in range(5)]
    pairs[1] = pairs[1][0], pairs[1][1].of(np.arange(10, 45))
    pairs[2] = pairs[2][0], without(pairs[2][1], "information", slice(0, 20))
    pairs[3] = pairs[3][0], pairs[3][0]
    metrics = Tolerances().metrics(family)
    together = differences(pairs, metrics, CLASSES)
    assert together[0]
    for pair, found in zip(pairs, together, strict=True):
        (alone,) = differences([pair], metrics, CLASSES)
        assert found.keys() == alone.keys()
        for name, each in found.items():
            for field in fields(each):
                assert np.allclose(getattr(each, field.name), getattr(alone[name], field.name)), (name, field.name)
    assert all(each.same for each in together[3].values()) and not any(each.same for each in together[0].values())


def test_only_shared_images_for_which_a_metric_is_defined_count() -> None:
    one, other = cell(0, range(4)), cell(1, range(4, 7))
    metrics = [metric for metric in FAMILIES["inference"] if metric.name in ("accuracy", "bits")]
    (part,) = differences([(one, without(other, "information", slice(0, 20)))], metrics, CLASSES)
    assert (part["accuracy"].images, part["bits"].images) == (60, 40)
    (apart,) = differences([(one.of(np.arange(5)), other.of(np.arange(30, 60)))], metrics, CLASSES)
    assert not apart


def test_a_drop_of_a_class_falls_on_the_members_of_the_class_that_most_seeds_name() -> None:
    """Those of class 1 are told by five seeds of six; members differ in how near the top they are."""
    told = cell(0, range(6))
    stated = told.columns["probabilities"].astype(float)
    stated[:5, told.columns["truth"][0] == 1, 1] += 0.5
    told = replace(told, columns={**told.columns, "probabilities": stated})
    (found,) = differences([(told, told)], [metric_of("inference", "worst_class_auc")], CLASSES)
    each = found["worst_class_auc"]
    assert each.counted == 20
    # Not even: some members are at the top already, so what is left is less than one and unlike.
    assert 1 - each.baseline_seeds[:5].mean() < each.slope < 1
