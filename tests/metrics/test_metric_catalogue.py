"""Each declared direction is true: what helps the owner moves the metric the way it says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
import torch
from maskbench.metrics import membership
from maskbench.metrics.catalogue import FAMILIES, MAIN, estimates, require_distinct
from maskbench.metrics.classification import accuracy
from maskbench.metrics.identification import identification
from maskbench.metrics.image import MS_SSIM_SIDE, gain, ms_ssim, psnr, psnr_hole, ssim, ssim_hole
from maskbench.metrics.leakage import advantage, bits, information, utility
from maskbench.metrics.masks import mask_accuracy, mask_iou
from maskbench.metrics.matching import outcomes
from maskbench.metrics.metric import Family, Metric, Outcomes
from maskbench.metrics.perceptual import lpips
from maskbench.plugins.judging import hidden_share
from maskbench.training.losses import late_fall
from sklearn.metrics import balanced_accuracy_score
from torch import Tensor

_generator = torch.Generator().manual_seed(0)
RAW = torch.rand(4, 3, 24, 24, generator=_generator)
MASKS = (torch.rand(4, 1, 24, 24, generator=_generator) < 0.25).float()
NOISE = torch.rand(RAW.shape, generator=_generator)
LABELS = torch.arange(40) % 4
PRIOR_ROWS = torch.full((40, 4), 0.25).log()


def restoration(skill: float) -> Tensor:
    """Return what an attacker of this skill makes of the hole: from noise (0) to the raw image (1)."""
    return torch.where(MASKS == 1, RAW, skill * RAW + (1 - skill) * NOISE)


LARGE = torch.rand(2, 1, MS_SSIM_SIDE, MS_SSIM_SIDE, generator=_generator)
LARGE_NOISE = torch.rand(LARGE.shape, generator=_generator)


PEOPLE = 50
LIKENESS = torch.randn(400, PEOPLE, generator=_generator)


def recognized(skill: float, outcome: str) -> float:
    """Share of 400 probes of 50 people that an attacker of this skill gets right, by one of the outcomes."""
    truth = torch.arange(400) % PEOPLE
    scores = LIKENESS + 2 * skill * torch.nn.functional.one_hot(truth, PEOPLE)
    return identification(scores, truth)[outcome].mean().item()


def remembered(skill: float, metric: str) -> float:
    """A metric of 300 members and as many others, by an attacker who sees members at this skill."""
    members, others = LIKENESS[:300, 0] + 2 * skill, LIKENESS[:300, 1]
    found = membership.outcomes(members, others)
    columns = {**found, "control_member_auc": found["member_auc"]}
    seeds = {name: values.numpy()[None] for name, values in columns.items()}
    return estimates("membership", Outcomes(seeds))[metric].value


def matched(skill: float, family: Family, metric: str) -> float:
    """A metric of 400 releases and their candidates, by a matching attacker of this skill.

    What it does not see: how few candidates there are, and whether control pictures are drawn to releases.
    """
    pool, control = LIKENESS[:, : int(PEOPLE * (1.1 - skill))], LIKENESS[:, :10].flip(0)
    own = torch.arange(400) % pool.shape[1]
    if metric.endswith("control_rank_1"):
        control = control + 2 * skill
    else:
        pool = pool + 2 * skill * torch.nn.functional.one_hot(own, pool.shape[1])
    columns = {name: values.numpy()[None] for name, values in outcomes(pool, own, control).items()}
    null = {name: np.zeros((1, 400)) for name in columns}
    return estimates(family, Outcomes(columns, references={"null": Outcomes(null)}))[metric].value


@cache
def perceptual_network() -> torch.nn.Module:
    """LPIPS with the published heads on a backbone of random weights."""
    torch.manual_seed(0)
    return pytest.importorskip("torchmetrics.functional.image.lpips")._NoTrainLpips(net="squeeze", pnet_rand=True)


NOISE_SSIM = ssim_hole(restoration(0.0), RAW, MASKS)


def guesses(share: float) -> Tensor:
    """Return logits that get this share of the labels right."""
    answered = torch.where(torch.arange(40) < share * 40, LABELS, (LABELS + 1) % 4)
    return 3.0 * torch.nn.functional.one_hot(answered, 4).float()


def share_right(skill: float) -> float:
    return accuracy(guesses(skill), LABELS).item()


def found(skill: float) -> Tensor:
    """Masks of which so large a share of pixels is told rightly."""
    told = torch.rand(MASKS.shape, generator=torch.Generator().manual_seed(3)) < skill
    return torch.where(told, MASKS, 1 - MASKS)


def told(skill: float, metric: str) -> float:
    """A metric of class probabilities, by an attacker who sees the class through noise."""
    truth = torch.arange(400) % 4
    seen = 6 * skill * torch.nn.functional.one_hot(truth, 4) + 2 * LIKENESS[:, :4]
    names = ("correct", "prior_correct")  # of the other metrics, which are not looked at
    columns = {name: np.zeros((1, 400)) for name in names}
    columns |= {"truth": truth.numpy()[None], "probabilities": seen.softmax(1).numpy()[None]}
    return estimates("inference", Outcomes(columns, 4))[metric].value


def efficiency_beside(logits: Tensor, best: Tensor) -> float:
    """Efficiency of an attack's answers, beside those of the best possible attack."""

    def outcomes(answers: Tensor, **references: Outcomes) -> Outcomes:
        learned = information(answers.log_softmax(1), PRIOR_ROWS, LABELS)
        names = ("correct", "prior_correct", "truth")  # of the other metrics, which are not looked at
        rest = {name: LABELS.numpy()[None] * (name == "truth") for name in names}
        columns = {"number": np.arange(len(LABELS))[None], "information": learned.numpy()[None], **rest}
        return Outcomes(columns, 4, references)

    return estimates("inference", outcomes(logits, optimum=outcomes(best)))["efficiency"].value


def hiding(skill: float) -> float:
    """The share that an owner of this skill hides."""
    kept = torch.rand(MASKS.shape, generator=torch.Generator().manual_seed(3)) >= skill
    return hidden_share(kept.float()).mean().item()


def hurried(skill: float) -> float:
    """How late the loss still falls for an attacker who learns at this rate, in four epochs."""
    return late_fall([[(1 - skill / 2) ** epoch for epoch in range(4)]]) or 0.0


MATCHING: tuple[Family, ...] = ("matching", "linkage", "person-linkage")

# Family → metric → recognition by a recognizer of this skill, or leakage to an attacker of this skill.
MEASURED: dict[str, dict[str, Callable[[float], float]]] = {
    "recognition": {
        "accuracy": share_right,
        "balanced_accuracy": lambda skill: balanced_accuracy_score(LABELS, guesses(skill).argmax(1)),
        "utility": lambda skill: float(utility(share_right(skill), 0.25, 0.95)),
        "hidden": hiding,
    },
    "inference": {
        "accuracy": share_right,
        "balanced_accuracy": lambda skill: balanced_accuracy_score(LABELS, guesses(skill).argmax(1)),
        "advantage": lambda skill: float(advantage(share_right(skill), 0.25)),
        "bits": lambda skill: float(bits(information(guesses(skill).log_softmax(1), PRIOR_ROWS, LABELS).mean())),
        "efficiency": lambda skill: efficiency_beside(guesses(skill), guesses(1.0)),
        "worst_class_auc": partial(told, metric="worst_class_auc"),
        "worst_class_tpr": partial(told, metric="worst_class_tpr"),
        "late_fall": hurried,
        **{name: partial(recognized, outcome=name) for name in ("rank1", "rank5", "tar")},
        "advantage_over_null": lambda skill: float(advantage(share_right(skill), 0.25) - advantage(0.3, 0.25)),
        "advantage_over_less_data": lambda skill: float(advantage(share_right(skill), 0.25) - advantage(0.5, 0.25)),
    },
    "restoration": {
        "late_fall": hurried,
        "psnr": lambda skill: psnr(restoration(skill), RAW).mean().item(),
        "psnr_hole": lambda skill: psnr_hole(restoration(skill), RAW, MASKS).mean().item(),
        "ssim": lambda skill: ssim(restoration(skill), RAW).mean().item(),
        "ssim_hole": lambda skill: ssim_hole(restoration(skill), RAW, MASKS).mean().item(),
        "ssim_hole_best": lambda skill: ssim_hole(restoration(skill), RAW, MASKS).max().item(),
        "gain": lambda skill: gain(restoration(skill), RAW * MASKS, RAW, MASKS).mean().item(),
        "ms_ssim": lambda skill: ms_ssim(skill * LARGE + (1 - skill) * LARGE_NOISE, LARGE).mean().item(),
        "lpips": lambda skill: lpips(restoration(skill), RAW, perceptual_network()).mean().item(),
        "ssim_hole_over_null": lambda skill: (ssim_hole(restoration(skill), RAW, MASKS) - NOISE_SSIM).mean().item(),
        "ssim_hole_over_less_data": lambda skill: (
            (ssim_hole(restoration(skill), RAW, MASKS) - NOISE_SSIM).mean().item()
        ),
    },
    **{
        family: {metric.name: partial(matched, family=family, metric=metric.name) for metric in FAMILIES[family]}
        for family in MATCHING
    },
    "membership": {metric.name: partial(remembered, metric=metric.name) for metric in FAMILIES["membership"]},
    "masks": {
        "mask_accuracy": lambda skill: mask_accuracy(found(skill), MASKS).mean().item(),
        "mask_iou": lambda skill: mask_iou(found(skill), MASKS).mean().item(),
    },
}
DECLARED = [metric for metrics in FAMILIES.values() for metric in metrics]


def test_every_declared_metric_is_measured_here() -> None:
    declared = {family: {metric.name for metric in metrics} for family, metrics in FAMILIES.items()}
    assert declared == {family: set(metrics) for family, metrics in MEASURED.items()}
    assert all(metric.unit and metric.description for metric in DECLARED)
    main = {"recognition": "accuracy", "restoration": "ssim_hole", "inference": "advantage"}
    found = {"matching": "rank_1", "linkage": "link_rank_1", "person-linkage": "person_rank_1"}
    assert {**main, **found} == MAIN


@pytest.mark.parametrize("metric", DECLARED, ids=lambda metric: f"{metric.family}-{metric.name}")
def test_direction_is_what_the_owner_wants(metric: Metric) -> None:
    poor, fair, good = (MEASURED[metric.family][metric.name](skill) for skill in (0.6, 0.8, 0.95))
    rises, falls = poor < fair < good, poor > fair > good
    assert rises or falls, (poor, fair, good)
    assert metric.direction == ("higher" if rises == (metric.family == "recognition") else "lower")


def test_a_name_is_declared_once_and_in_its_own_family() -> None:
    psnr_, accuracy_ = FAMILIES["restoration"][0], FAMILIES["recognition"][0]
    with pytest.raises(ValueError, match="restoration declares the metric 'psnr' twice"):
        require_distinct({"restoration": (psnr_, psnr_)})
    with pytest.raises(ValueError, match="'accuracy' says that its family is recognition, not restoration"):
        require_distinct({"restoration": (accuracy_,)})


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FAMILIES["recognition"] = ()  # type: ignore[index]


def test_what_the_outcomes_do_not_hold_is_not_measured() -> None:
    columns = {"psnr": np.full((2, 30), 20.0)}
    assert set(estimates("restoration", Outcomes(columns))) == {"psnr"}
    columns = {"correct": np.ones((1, 30)), "prior_correct": np.zeros((1, 30)), "truth": np.zeros((1, 30), dtype=int)}
    assert set(estimates("recognition", Outcomes(columns, 2))) == {"accuracy", "balanced_accuracy"}
    beside = Outcomes(columns, 2, {"raw": Outcomes(columns, 2), "null": Outcomes(columns, 2)})
    assert estimates("recognition", beside)["utility"].value == 1.0
    assert estimates("inference", beside)["advantage_over_null"].value == 0.0
