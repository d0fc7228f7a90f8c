"""The tables of a run, each built from the tidy cells; and how a table is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.report.summary import Row, Value
from bench.results.assemble import WORST_CASE

NOT_MEASURED = "–"


@dataclass(frozen=True)
class Table:
    """A table that every run has: its file name, its caption, and how it is built from cells and summary."""

    name: str
    caption: Callable[[pd.DataFrame], str]
    build: Callable[[pd.DataFrame, Sequence[Row]], pd.DataFrame]


def headline(cells: pd.DataFrame, summary: Sequence[Row]) -> pd.DataFrame:
    """One row a method."""
    inferred = "sensitive" if (cells["sensitive"] != "").any() else "target"
    return pd.DataFrame(
        [
            {
                "method": row.method,
                "hidden": NOT_MEASURED if pd.isna(row.ratio) else f"{row.ratio:.0%}",
                "accuracy %": percent(row.accuracy),
                "utility %": percent(row.utility),
                "shape alone %": percent(row.shape),
                "worst hole SSIM": decimal(row.restoration),
                "its PSNR dB": decimal(row.psnr, 1),
                f"worst advantage on {inferred} %": percent(row.inference),
                "cells": f"{row.ok}/{row.total}",
            }
            for row in summary
        ]
    )


def headline_caption(cells: pd.DataFrame) -> str:
    """What the headline table says, on what."""
    first = cells.iloc[0]
    seeds = int(cells["seeds"].max()) if cells["seeds"].notna().any() else 0
    sizes = cells[cells["status"] == "ok"].groupby("split")["n"].max()
    sensitive = f", sensitive label {first['sensitive']}" if first["sensitive"] else ", no sensitive label"
    scored = ", ".join(f"{split.replace('_', '-')} up to n = {size}" for split, size in sizes.items() if split)
    return (
        f"{first['dataset']}: target {first['target']}{sensitive}; recognizer {first['recognizer']}; "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}; "
        f"{scored}. "
        "Value [95 % interval, bootstrap over images and seeds]. Accuracy is on owner-test, leakage on owner-train "
        "(inference of the target on owner-test). The worst case is realizable: the attack, in brackets, was chosen on "
        "attacker-validation. Higher leakage is worse. "
        "Shape alone: accuracy of a classifier that sees nothing but the masks."
    )


def attacks(cells: pd.DataFrame, summary: Sequence[Row]) -> pd.DataFrame:
    """Every attack on every method: the main metrics on both splits, over seeds."""
    shown = cells[cells["seed"].isna() & (cells["attack_kind"] != "none") & (cells["status"] == "ok")]
    names = {
        "restoration": ("ssim_hole", "psnr_hole", "psnr", "gain"),
        "inference": ("advantage", "bits", "accuracy"),
    }
    rows = []
    keys = ["method", "params", "ratio", "attack_kind", "attack", "label", "split"]
    for values, part in shown.groupby(keys, sort=False, dropna=False):
        found = dict(zip(keys, values, strict=True))
        by_metric = part.set_index("metric")
        row = {
            "method": f"{found['method']}:{found['params']}" if found["params"] else found["method"],
            "hidden": NOT_MEASURED if pd.isna(found["ratio"]) else f"{found['ratio']:.0%}",
            "attack": found["attack"] + (f" ({part['chosen'].iloc[0]})" if found["attack"] == WORST_CASE else ""),
            "infers": found["label"] or "pixels",
            "split": found["split"].replace("_", "-"),
        }
        for metric in names["restoration"] + names["inference"]:
            applies = metric in names[found["attack_kind"]] and metric in by_metric.index
            row[metric] = decimal(_read(by_metric.loc[metric])) if applies else NOT_MEASURED
        rows.append(row)
    return pd.DataFrame(rows)


def _read(row: pd.Series) -> Value | None:
    return None if pd.isna(row["value"]) else Value(row["value"], row["ci_low"], row["ci_high"])


TABLES = (
    Table("summary", headline_caption, headline),
    Table("attacks", lambda cells: "Every attack on every method. " + headline_caption(cells), attacks),
)


def percent(value: Value | None) -> str:
    """``95.2 [93.0, 96.9]``, in percent."""
    if value is None:
        return NOT_MEASURED
    return decimal(Value(100 * value.value, 100 * value.low, 100 * value.high, value.attack), 1)


def decimal(value: Value | None, digits: int = 3) -> str:
    """``0.412 [0.398, 0.425] (restorer)``."""
    if value is None:
        return NOT_MEASURED
    text = f"{value.value:.{digits}f}"
    if not pd.isna(value.low):
        text += f" [{value.low:.{digits}f}, {value.high:.{digits}f}]"
    return text + (f" ({value.attack})" if value.attack else "")


def to_markdown(frame: pd.DataFrame) -> str:
    """A GitHub table; numbers to the right."""
    header = [str(name) for name in frame.columns]
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *frame.astype(str).values.tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
