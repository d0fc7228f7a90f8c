"""Run folders in which methods keep and leak what a test says, on the same images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from maskbench.plugins.reserved import RECOGNITION
from maskbench.results.flags.find import find_flags
from maskbench.results.measure import measure
from maskbench.results.reading import HEADLINE_SPLIT
from maskbench.results.schema import CELL, VALIDATION, score_for
from maskbench.results.timings import COLUMNS
from maskbench.runfolder.folder import RunFolder
from numpy.typing import NDArray
from planted_runs import PROVENANCE

IMAGES = 400
"""Of each split: shares of them that differ by 10 points are told apart, by 1 point are not."""


@dataclass(frozen=True)
class Planted:
    """A method, with shares of images.

    Attributes:
        accuracy: that the recognizer gets right; None: the recognizer failed.
        advantage: of the inference on the sensitive label, whose prior is never right; None: it is not attacked so.
        ssim: in the hole, of the restoration; None: it is not attacked so.
        shape: that a classifier of masks alone gets right; None: it has no masks.
        traced: that a matching attack finds the raw picture of; None: it is not attacked so.
        status: of its attacks.
    """

    name: str
    accuracy: float | None
    advantage: float | None
    ssim: float | None = 0.5
    ratio: float = np.nan
    shape: float | None = None
    traced: float | None = None
    role: str = "method"
    params: str = ""
    status: str = "ok"


RAW = Planted("raw", 0.95, 0.9, 1.0, role="raw")
NULL = Planted("full-mask", 0.5, 0.0, 0.1, ratio=1.0, shape=0.5, role="null")


@cache
def planted(
    *methods: Planted, seeds: int = 1, sensitive: bool = True, raw: float = 0.95, raw_leaks: float = 0.9
) -> RunFolder:
    """The run folder of both controls and some methods; the same one whenever it is asked for.

    Args:
        raw, raw_leaks: accuracy and advantage on raw images.
    """
    cells = [
        cell
        for method in (replace(RAW, accuracy=raw, advantage=raw_leaks), NULL, *methods)
        for cell in _cells(method, seeds, sensitive)
    ]
    rows = pd.DataFrame([row for row, _ in cells])
    samples = pd.concat([part for _, part in cells if part is not None], ignore_index=True)
    measured = measure(rows, samples, {"target": 2, "sensitive": 4 if sensitive else 0})
    data = {**PROVENANCE["data"], "target": "parity", "sensitive": "digit" if sensitive else None}
    timings = pd.DataFrame(columns=list(COLUMNS))
    return RunFolder(measured, samples, timings, tuple(find_flags(measured)), PROVENANCE | {"data": data})


def _cells(method: Planted, seeds: int, sensitive: bool) -> Iterator[tuple[dict[str, Any], pd.DataFrame | None]]:
    recognized = method.accuracy is not None
    label = "sensitive" if sensitive else "target"
    for seed in range(seeds):
        share = method.accuracy if recognized else 0.0
        status = "ok" if recognized else "failed"
        yield _cell(method, RECOGNITION, "none", "target", "", seed, status, right=share)
        if method.ssim is not None:
            yield _cell(method, "restorer", "restoration", "", "pairs", seed, method.status, ssim=method.ssim)
        if method.advantage is not None:
            yield _cell(method, "adaptive", "inference", label, "releases", seed, method.status, right=method.advantage)
        if method.traced is not None:
            yield _cell(method, "visible-pixels", "matching", "", "", seed, method.status, traced=method.traced)
        if method.shape is not None:
            yield _cell(method, "mask-only", "inference", "target", "masks", seed, "ok", right=method.shape)


def _cell(
    method: Planted,
    attack: str,
    kind: str,
    label: str,
    learns_from: str,
    seed: int,
    status: str,
    *,
    right: float | None = None,
    ssim: float = 0.0,
    traced: float | None = None,
) -> tuple[dict[str, Any], pd.DataFrame | None]:
    row = {
        "suite": "planted",
        "dataset": "planted",
        "target": "parity",
        "sensitive": "digit",
        "recognizer": "small",
        "method": method.name,
        "params": method.params,
        "ratio": method.ratio,
        "role": method.role,
        "attack": attack,
        "attack_kind": kind,
        "label": label,
        "learns_from": learns_from,
        "aux_share": 1.0,
        "seed": seed,
        "status": status,
        "reason": "" if status == "ok" else "planted",
        "stage_key": "key",
    }
    if status != "ok":
        return row, None
    split = HEADLINE_SPLIT[label]
    if traced is not None:
        outcomes: Mapping[str, NDArray[np.float64]] = {"rank_1": (_hardness(split) < traced).astype(float)}
    elif right is not None:
        outcomes = _told(right, split, prior=0.5 if label == "target" else 0.0)
    else:
        outcomes = _restored(ssim, split)
    parts = [pd.DataFrame({"number": _NUMBERS[split], **outcomes, "split": split})]
    if kind != "none":
        parts.append(pd.DataFrame({"number": [0], "split": VALIDATION, score_for(split): [0.0]}))
    samples = pd.concat(parts, ignore_index=True).assign(target_class="even")
    return row, samples.assign(**{name: row[name] for name in (*CELL, "seed")})


_NUMBERS = {"owner_train": np.arange(IMAGES), "owner_test": np.arange(IMAGES, 2 * IMAGES)}


def _restored(ssim: float, split: str) -> Mapping[str, NDArray[np.float64]]:
    values = np.clip(ssim + 0.02 * (_hardness(split) - 0.5), 0, 1)
    return {"ssim_hole": values, "psnr": 100 * values}


def _told(share: float, split: str, prior: float) -> Mapping[str, NDArray[np.float64]]:
    """The images that a weaker attack gets right, a stronger one does too."""
    correct, by_prior = (_hardness(split) < share).astype(float), (_hardness(split) < prior).astype(float)
    truth = np.zeros(IMAGES)
    return {"truth": truth, "guess": 1 - correct, "correct": correct, "prior_correct": by_prior}


@cache
def _hardness(split: str) -> NDArray[np.float64]:
    """Evenly spread over [0, 1), so that a share is met exactly; in an order of its own for each split."""
    order = np.random.default_rng(len(split)).permutation(IMAGES)
    return order / IMAGES
