"""Results with outcomes that are set by hand, and the table of cells that comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from maskbench.plugins.reserved import RECOGNITION
from maskbench.results.collect import Collected
from maskbench.results.measure import measure
from maskbench.results.schema import CELL, SCORED_SPLITS, VALIDATION, score_for

IMAGES = 200
"""Of each split. The sensitive label has 4 classes and a prior that is right for every 4th image."""

CLASSES = {"target": 2, "sensitive": 4}
NUMBERS = {"owner_train": np.arange(IMAGES), "owner_test": np.arange(IMAGES, 2 * IMAGES)}
TARGET_CLASSES = np.array(["even", "odd"])


@dataclass(frozen=True)
class Method:
    """The columns that tell a method."""

    method: str
    ratio: float = np.nan
    role: str = "method"


@dataclass(frozen=True)
class Attack:
    """The columns that tell an attack."""

    attack: str
    attack_kind: str
    learns_from: str = ""


RAW = Method("raw", role="raw")
NULL = Method("full-mask", 1.0, "null")
RANDOM = Method("random", 0.75)
PIXELATE = Method("pixelate")

RELEASED = Attack("released", "restoration")
TELEA = Attack("telea", "restoration")
RESTORER = Attack("restorer", "restoration", "pairs")
ADAPTIVE = Attack("adaptive", "inference", "releases")
REVERSE = Attack("reverse", "inference", "raw")
MASK_ONLY = Attack("mask-only", "inference", "masks")
_NONE = Attack(RECOGNITION, "none")


@dataclass(frozen=True)
class Planted:
    """A cell under one seed: its row, and its samples where it ran."""

    row: dict[str, Any]
    samples: pd.DataFrame | None = None


def restored(
    method: Method, attack: Attack, ssim: Any, *, seed: int = 0, validation: float = 0.0, share: float = 1.0
) -> Planted:
    """A restoration whose SSIM, in the hole and over all, is ``ssim`` for each image; PSNR is a hundred times that."""
    values = np.broadcast_to(np.asarray(ssim, dtype=np.float64), IMAGES)
    columns = {name: values for name in ("ssim", "ssim_hole")}
    columns |= {name: 100 * values for name in ("psnr", "psnr_hole", "gain")}
    return _ran(method, attack, "", seed, share, columns, validation)


def inferred(
    method: Method,
    attack: Attack,
    correct: Any,
    *,
    seed: int = 0,
    validation: float = 0.0,
    share: float = 1.0,
    **more: Any,
) -> Planted:
    """An inference of the sensitive label that is right where ``correct`` is."""
    right = np.broadcast_to(np.asarray(correct, dtype=np.float64), IMAGES)
    truth = np.arange(IMAGES) % 4
    columns = {
        "truth": truth,
        "guess": np.where(right == 1, truth, (truth + 1) % 4),
        "correct": right,
        "prior_correct": (truth == 0).astype(float),
        "information": right,
        **more,
    }
    return _ran(method, attack, "sensitive", seed, share, columns, validation)


def recognized(method: Method, correct: Any = 1.0, *, seed: int = 0) -> Planted:
    """Recognition of the target label on owner-test."""
    right = np.broadcast_to(np.asarray(correct, dtype=np.float64), IMAGES)
    truth = np.arange(IMAGES) % 2
    columns = {"truth": truth, "guess": truth, "correct": right, "prior_correct": (truth == 0).astype(float)}
    return _ran(method, _NONE, "target", seed, 1.0, columns, None, ("owner_test",))


def missing(method: Method, attack: Attack, status: str, *, seed: int = 0) -> Planted:
    """A cell that did not run."""
    label = "" if attack.attack_kind == "restoration" else "sensitive"
    return Planted(_row(method, attack, label, seed, 1.0) | {"status": status, "reason": f"{attack.attack} {status}"})


def _row(method: Method, attack: Attack, label: str, seed: int, share: float) -> dict[str, Any]:
    base = {"suite": "planted", "dataset": "planted", "target": "parity", "sensitive": "digit", "recognizer": "small"}
    known = {"params": "", "label": label, "aux_share": share, "seed": seed, "status": "ok", "reason": ""}
    return {**base, **vars(method), **vars(attack), **known, "stage_key": "key"}


def _ran(
    method: Method,
    attack: Attack,
    label: str,
    seed: int,
    share: float,
    columns: dict[str, Any],
    validation: float | None,
    splits: Sequence[str] = SCORED_SPLITS,
) -> Planted:
    row = _row(method, attack, label, seed, share)
    parts = [pd.DataFrame({"number": NUMBERS[split], **columns, "split": split}) for split in splits]
    if validation is not None:
        scores = {score_for(split): [validation] for split in SCORED_SPLITS}
        parts.append(pd.DataFrame({"number": [0], "split": VALIDATION, **scores}))
    frame = pd.concat(parts, ignore_index=True)
    frame["target_class"] = TARGET_CLASSES[frame["number"] % 2]
    return Planted(row, frame.assign(**{name: row[name] for name in (*CELL, "seed")}))


@dataclass(frozen=True)
class Tables:
    """What planted results give."""

    cells: pd.DataFrame
    samples: pd.DataFrame


def collected(found: Sequence[Planted]) -> Collected:
    """Planted results as a run would have collected them."""
    samples = [each.samples for each in found if each.samples is not None]
    columns = [*CELL, "seed", "split", "number", "target_class"]
    joined = pd.concat(samples, ignore_index=True) if samples else pd.DataFrame(columns=columns)
    return Collected(pd.DataFrame([each.row for each in found]), joined)


def tables(found: Sequence[Planted]) -> Tables:
    """The tidy tables of planted results."""
    all_of_it = collected(found)
    return Tables(measure(all_of_it.planned, all_of_it.samples, CLASSES), all_of_it.samples)


def value(found: Tables, metric: str, *, seed: int | None = None, split: str = "owner_train", **where: str) -> Any:
    """The row of a metric, over seeds unless one is named."""
    cells = found.cells
    rows = cells[(cells["metric"] == metric) & (cells["split"] == split) & (cells["aux_share"] == 1)]
    rows = rows[rows["seed"].isna() if seed is None else rows["seed"] == seed]
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1, rows
    return rows.iloc[0]
