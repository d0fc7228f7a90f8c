"""Run folders whose outcomes are drawn: every image and seed has its own luck, and a fault can be planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from maskbench.plugins.reserved import STRONGEST
from maskbench.results.schema import CELL, SCHEMA_VERSION, THREAT_MODEL, VALIDATION, score_for, typed
from maskbench.results.timings import COLUMNS
from maskbench.runfolder.folder import RunFolder
from numpy.typing import NDArray

IMAGES = 400
METHODS: Mapping[str, tuple[float, str, float]] = {
    "raw": (np.nan, "raw", 0.95),
    "full-mask": (1.0, "null", 0.5),
    "random": (0.75, "method", 0.8),
    "mine": (0.75, "method", 0.7),
}
"""Method → ratio, role, accuracy."""

ATTACKS = ("telea", "adaptive", "mask-only")
Change = Callable[[dict[str, Any], NDArray[np.float64]], NDArray[np.float64]]
"""A cell's columns and its outcomes, (images,) → its outcomes with a fault planted."""

State = Callable[[dict[str, Any], NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]
"""A cell's columns, the probabilities that it states, (images, classes), and the true classes → those with a fault."""


def same(cell: dict[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """No fault."""
    return values


def lower(method: str, attack: str, by: float) -> Change:
    """Outcomes of one cell lower by a share: hits turn into misses on the same images under every seed."""

    def change(cell: dict[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
        if (cell["method"], cell["attack"]) != (method, attack):
            return values
        if cell["attack_kind"] == "restoration":
            return values - by
        hit = np.random.default_rng(5).random(len(values)) < by / max(values.mean(), 1e-9)
        return np.where(hit, 0.0, values)

    return change


def stated(cell: dict[str, Any], values: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """No fault, but probabilities are there."""
    return values


def run(
    seeds: Sequence[int] = range(5),
    *,
    methods: Sequence[str] = tuple(METHODS),
    attacks: Sequence[str] = ATTACKS,
    change: Change = same,
    state: State | None = None,
    key: str = "",
    failed: Sequence[tuple[str, str]] = (),
    **provenance: Any,
) -> RunFolder:
    """A run with these methods, attacks and seeds.

    Args:
        change: plants a fault.
        state: plants one in probabilities; None: attacks state none.
        key: begins the keys of stages; two runs with the same have the same keys. Empty: no keys.
        failed: (method, attack) of cells that failed under the first seed.
    """
    planned, samples = [], []
    for method in methods:
        for attack in ("none", *attacks):
            for seed in seeds:
                cell = _cell(method, attack, seed, key)
                bad = (method, attack) in failed and seed == min(seeds)
                planned.append({**cell, "status": "failed" if bad else "ok", "reason": "it broke" if bad else ""})
                if not bad:
                    samples.append(_samples(cell, change, state))
    joined = pd.concat(samples, ignore_index=True)
    timings = pd.DataFrame(columns=list(COLUMNS))
    about = _provenance(methods, attacks, seeds) | provenance
    return RunFolder(_cells(planned, joined), joined, timings, (), about)


def _cells(planned: Sequence[dict[str, Any]], samples: pd.DataFrame) -> pd.DataFrame:
    """The rows that a comparison reads. Those of a real run have intervals by bootstrap, which takes long."""
    rows = [{**cell, "metric": "accuracy", "split": "owner_test"} for cell in planned]
    scored = samples[samples["correct"].notna()].groupby(["method", "attack"])[["correct", "prior_correct"]].mean()
    for cell in planned:
        if cell["attack"] == "none":
            value = float(scored.loc[(cell["method"], "none"), "correct"])
            rows.append(cell | _pooled("accuracy", "owner_test", value))
        elif cell["attack"] == "adaptive" and cell["status"] == "ok":
            right, prior = scored.loc[(cell["method"], "adaptive")]
            strongest = cell | {
                "attack": STRONGEST,
                "chosen": "adaptive",
                "split": "owner_train",
                "metric": "advantage",
            }
            rows += [strongest, strongest | _pooled("advantage", "owner_train", (right - prior) / (1 - prior))]
    return typed(rows).drop_duplicates(ignore_index=True)


def _pooled(metric: str, split: str, value: float) -> dict[str, Any]:
    interval = {"value": value, "ci_low": value - 0.02, "ci_high": value + 0.02}
    return {"metric": metric, "split": split, "seed": None, "status": "ok", "reason": "", "stage_key": "", **interval}


def _cell(method: str, attack: str, seed: int, key: str) -> dict[str, Any]:
    ratio, role, _ = METHODS[method]
    kind = {"none": "none", "telea": "restoration", "matcher": "matching"}.get(attack, "inference")
    label = {"none": "target", "inference": "sensitive"}.get(kind, "")
    base = {"suite": "planted", "dataset": "planted", "target": "parity", "sensitive": "digit", "recognizer": "small"}
    own = {"method": method, "params": "", "ratio": ratio, "role": role, "attack": attack, "attack_kind": kind}
    stage = f"{key}-{method}-{attack}-{seed}".ljust(64, "0") if key else ""
    return {**base, **own, "label": label, "learns_from": "", "aux_share": 1.0, "seed": seed, "stage_key": stage}


def _samples(cell: dict[str, Any], change: Change, state: State | None) -> pd.DataFrame:
    """Each image is hard or easy under every seed, and each seed is a little better or worse than the others."""
    _, role, accuracy = METHODS[cell["method"]]
    image, seed = (
        np.random.default_rng([*map(ord, cell["method"] + cell["attack"]), part]) for part in (0, 1 + cell["seed"])
    )
    luck = 0.012 * seed.standard_normal()
    truth = np.arange(IMAGES) % (2 if cell["label"] == "target" else 4)
    prior = (truth == 0).astype(float)
    if cell["attack_kind"] == "restoration":
        values = change(cell, 0.5 + 0.2 * image.standard_normal(IMAGES) + luck + 0.03 * seed.standard_normal(IMAGES))
        columns = {name: values for name in ("ssim", "ssim_hole", "psnr", "psnr_hole", "gain")}
    else:
        level = {"none": accuracy, "adaptive": 0.35 if role == "null" else 0.6}.get(cell["attack"], 0.4)
        easy = np.clip(level + luck + np.where(image.random(IMAGES) < level, 1 - level, -level) * 0.7, 0, 1)
        values = change(cell, (seed.random(IMAGES) < easy).astype(float))
        columns = {"truth": truth, "guess": np.where(values == 1, truth, (truth + 1) % 4), "correct": values}
        columns |= {"prior_correct": prior}
        columns |= {} if cell["label"] == "target" else {"information": 2 * values - 1}
        if cell["attack_kind"] == "matching":
            columns = {"rank_1": values, "matching_auc": 0.5 + values / 2, "matching_tpr": values * 0.5}
        elif cell["attack"] != "none" and state is not None:
            sure = seed.random((IMAGES, 4)) + 0.5 * np.eye(4)[columns["guess"]]
            sure = state(cell, sure / sure.sum(axis=1, keepdims=True), truth)
            columns["probabilities"] = list(sure.astype(np.float32))
    split = "owner_test" if cell["label"] == "target" else "owner_train"
    frame = pd.DataFrame({"number": np.arange(IMAGES), **columns, "split": split})
    if cell["attack"] != "none":
        scores = {score_for(each): [float(values.mean())] for each in ("owner_train", "owner_test")}
        frame = pd.concat([frame, pd.DataFrame({"number": [0], "split": VALIDATION, **scores})], ignore_index=True)
    frame["target_class"] = "even"
    return frame.assign(**{name: cell[name] for name in (*CELL, "seed")})


def _provenance(methods: Sequence[str], attacks: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "threat_model": THREAT_MODEL,
        "maskbench": "0",
        "finished": "2026-01-01T00:00:00+00:00",
        "suite": {"name": "planted", "seeds": len(seeds), "settings": {"recognizer": {"name": "small"}}},
        "data": {
            "name": "planted",
            "fingerprint": "f" * 64,
            "target": "parity",
            "sensitive": "digit",
            "target_classes": ["even", "odd"],
            "sensitive_classes": list("abcd"),
            "sizes": {"owner_train": IMAGES, "owner_test": IMAGES},
        },
        "methods": list(methods),
        "attacks": list(attacks),
        "coverage": {"ok": 1, "failed": 0, "unavailable": 0},
        "git": {"commit": "c" * 40, "changed": False},
        "device": "a processor",
    }
