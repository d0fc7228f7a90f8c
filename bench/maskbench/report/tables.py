"""The tables of a run, each built from its tidy tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from maskbench.plugins.reserved import FIND_MASKS, ORACLE, STRONGEST
from maskbench.report.cell_text import NOT_MEASURED, decimal, hidden, percent
from maskbench.report.flags import FLAGS_CAPTION, flag_table, legend
from maskbench.report.judgement import Judgement
from maskbench.results.by_target import by_target
from maskbench.results.estimates import MAIN
from maskbench.results.reading import HEADLINE_SPLIT, Value, methods, pooled, read
from maskbench.results.schema import SPLITS


@dataclass(frozen=True)
class Table:
    """A table of a run: its file name, its caption, and how it is built. Without rows it is not written."""

    name: str
    caption: Callable[[Judgement], str]
    build: Callable[[Judgement], pd.DataFrame]


def headline(judgement: Judgement) -> pd.DataFrame:
    """One row a method."""
    return pd.DataFrame(
        [
            {
                "method": row.method,
                "hidden": hidden(row.ratio),
                "accuracy %": percent(row.accuracy),
                "utility %": percent(row.utility),
                "shape alone %": percent(row.shape),
                "worst hole SSIM": decimal(row.restoration),
                "its PSNR dB": decimal(_plain(row.psnr), 1),
                f"worst advantage on {judgement.inferred} %": percent(row.inference),
                "over null %": percent(_plain(row.over_null)),
                "cells": f"{row.ok}/{row.total}",
                "flags": row.marks,
            }
            for row in judgement.summary
        ]
    )


def run_caption(judgement: Judgement) -> str:
    """What every table is about: the data, the sizes, and how values are written."""
    cells = judgement.cells
    first = cells.iloc[0]
    seeds = int(cells["seeds"].max()) if cells["seeds"].notna().any() else 0
    ran = cells[(cells["status"] == "ok") & (cells["split"] != "")]
    of = np.where(ran["attack_kind"] == "none", "accuracy", "attacks")
    sizes = ran.assign(of=of).groupby(["of", "split"])["n"].max()
    sensitive = f", sensitive label {first['sensitive']}" if first["sensitive"] else ", no sensitive label"
    scored = ", ".join(f"{of} on {split} up to n = {size}" for (of, split), size in sizes.items()).replace("_", "-")
    return (
        f"{first['dataset']}: target {first['target']}{sensitive}; recognizer {first['recognizer']}; "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}; "
        f"{scored}. "
        "Value [95 % interval, bootstrap over images and seeds]. "
    )


def headline_caption(judgement: Judgement) -> str:
    """What the headline table says, on what."""
    marks = legend(judgement.flags)
    return (
        run_caption(judgement) + "Accuracy is on owner-test, leakage on owner-train "
        "(inference of the target on owner-test). The worst case is realizable: the attack, in brackets, was chosen on "
        "pictures that it is not scored on. Higher leakage is worse. "
        "Over null: the worst advantage minus that of the same attacks on fully masked images. "
        "Shape alone: accuracy of a classifier that sees nothing but the masks."
    ) + (f" Flags: {marks}." if marks else "")


def attacks(judgement: Judgement) -> pd.DataFrame:
    """Every attack on every method: the main metrics on both splits, over seeds."""
    rows = pooled(judgement.cells)
    shown = rows[rows["attack_kind"].isin(MAIN)]
    names = {
        "restoration": ("ssim_hole", "psnr_hole", "psnr", "gain"),
        "inference": ("advantage", "bits", "accuracy"),
    }
    built = []
    keys = ["attack_kind", "attack", "label", "split"]
    for method, ratio, mine in methods(shown):
        for values, part in mine.groupby(keys, sort=False):
            kind, attack, label, split = values
            chosen = part["chosen"].iloc[0]
            row = {
                "method": method,
                "hidden": hidden(ratio),
                "attack": f"{attack} ({chosen})" if chosen else attack,
                "infers": label or "pixels",
                "split": split.replace("_", "-"),
            }
            for metric in names["restoration"] + names["inference"]:
                row[metric] = decimal(_plain(read(part, metric))) if metric in names[kind] else NOT_MEASURED
            row["over null"] = decimal(_plain(read(part, f"{MAIN[kind]}_over_null")))
            built.append(row)
    return pd.DataFrame(built)


def worst_cases(judgement: Judgement) -> pd.DataFrame:
    """For each kind of attack and split: realizable, oracle, and both against the same attacks on the null control."""
    shown = {"restoration": ("hole SSIM", decimal), "inference": (f"advantage on {judgement.inferred} %", percent)}
    rows = pooled(judgement.cells)
    built = []
    for (kind, (metric, write)), split in product(shown.items(), SPLITS):
        part = rows[(rows["attack_kind"] == kind) & (rows["split"] == split)]
        for method, ratio, mine in methods(part):
            worst, oracle = (mine[mine["attack"] == name] for name in (STRONGEST, ORACLE))
            realizable, over = read(worst, MAIN[kind]), read(worst, f"{MAIN[kind]}_over_null")
            built.append(
                {
                    "method": method,
                    "hidden": hidden(ratio),
                    "worst": metric,
                    "split": split.replace("_", "-"),
                    "realizable": write(realizable),
                    "oracle": write(_plain(read(oracle, MAIN[kind]))),
                    "null": write(_chance(realizable, over)),
                    "over null": write(_plain(over)),
                    "oracle over null": write(_plain(read(oracle, f"{MAIN[kind]}_over_null"))),
                }
            )
    return pd.DataFrame(built)


def aux_curve(judgement: Judgement) -> pd.DataFrame:
    """Every attack with a curve: its main metric at each share of the attacker's pictures."""
    rows = judgement.cells
    rows = rows[rows["seed"].isna() & (rows["status"] == "ok") & rows["attack_kind"].isin(MAIN)]
    rows = rows[rows["split"] == rows["label"].map(HEADLINE_SPLIT)]
    built = []
    for method, ratio, mine in methods(rows):
        for (kind, attack, label), part in mine.groupby(["attack_kind", "attack", "label"], sort=False):
            if part["aux_share"].nunique() == 1:
                continue
            row = {"method": method, "hidden": hidden(ratio), "attack": attack, "metric": MAIN[kind]}
            row["infers"] = label or "pixels"
            for share, at in part.sort_values("aux_share").groupby("aux_share"):
                row[f"{share:.3g} of aux"] = decimal(_plain(read(at, MAIN[kind])))
            built.append(row)
    return pd.DataFrame(built).fillna(NOT_MEASURED)


def found_masks(judgement: Judgement) -> pd.DataFrame:
    """How well masks that were withheld are found."""
    rows = pooled(judgement.cells)
    rows = rows[rows["attack"] == FIND_MASKS]
    return pd.DataFrame(
        [
            {
                "method": method,
                "hidden": hidden(ratio),
                "split": split.replace("_", "-"),
                "pixels rightly told %": percent(read(part, "mask_accuracy")),
                "kept pixels, intersection over union %": percent(read(part, "mask_iou")),
            }
            for method, ratio, mine in methods(rows)
            for split, part in mine.groupby("split", sort=False)
        ]
    )


def _chance(realizable: Value | None, over: Value | None) -> Value | None:
    """What the same attacks get on the null control; its own interval is in the row of the control."""
    return Value(realizable.value - over.value, float("nan"), float("nan")) if realizable and over else None


def _plain(value: Value | None) -> Value | None:
    """A value without the name of its attack, which stands elsewhere in the row."""
    return value and Value(value.value, value.low, value.high)


def _by_target(judgement: Judgement) -> pd.DataFrame:
    frame = by_target(judgement.cells, judgement.tables.samples)
    if frame.empty:
        return frame
    return pd.DataFrame(
        [
            {
                "method": method,
                "hidden": hidden(ratio),
                judgement.cells["target"].iloc[0]: row["target_class"],
                "attack": row["attack"],
                "n": row["n"],
                "prior %": f"{100 * row['prior']:.1f}",
                "accuracy %": f"{100 * row['accuracy']:.1f}",
                "advantage %": percent(Value(row["advantage"], row["ci_low"], row["ci_high"])),
            }
            for method, ratio, mine in methods(frame)
            for _, row in mine.iterrows()
        ]
    )


_WORST_CASES = (
    "Realizable: the attack, in brackets, was chosen on attacker-validation. Oracle: the best attack for each image, "
    "chosen by someone who knows the answer; a bound that no attacker reaches, and above chance even where nothing "
    "leaks. Null: the same attacks, judged alike, on fully masked images, where the hole is the whole image. Over "
    "null: the difference on the same images and seeds. For the oracle it takes off what guessing with so many attacks "
    "gives, which is too much where the attacks agree."
)

_BY_TARGET = (
    "Who is hit: the realizable worst case of the inference of the sensitive label on owner-train, target class by "
    "target class. The prior is that of the class. The attack was chosen for all classes together."
)

_AUX_CURVE = (
    "Leakage against the share of its training pictures that the attacker uses: of the attacks that learn from its own "
    "pictures alone, on owner-train (inference of the target on owner-test). Where it still rises, more data leak more."
)

_MASKS = (
    "Masks that were not released, found from the released images by a network that learned on the attacker's own. "
    "Every attack on these methods works with the masks that were found."
)

_ATTACKS = (
    "Every attack on every method, over seeds. Worst-case and oracle are made of the others; over null is ssim_hole or "
    "advantage minus that of the same attack on fully masked images."
)

TABLES = (
    Table("summary", headline_caption, headline),
    Table("worst-case", lambda judgement: run_caption(judgement) + _WORST_CASES, worst_cases),
    Table("attacks", lambda judgement: run_caption(judgement) + _ATTACKS, attacks),
    Table("aux-curve", lambda judgement: run_caption(judgement) + _AUX_CURVE, aux_curve),
    Table("masks", lambda judgement: run_caption(judgement) + _MASKS, found_masks),
    Table("by-target", lambda judgement: run_caption(judgement) + _BY_TARGET, _by_target),
    Table("flags", lambda judgement: FLAGS_CAPTION, lambda judgement: flag_table(judgement.flags)),
)
