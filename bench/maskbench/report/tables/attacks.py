"""Every attack on every method: the metrics that stand in this table, on both splits, over seeds."""

from __future__ import annotations

import pandas as pd

from maskbench.metrics.catalogue import FAMILIES, MAIN
from maskbench.metrics.metric import Family
from maskbench.report.captions import run_caption
from maskbench.report.hidden import hidden_shares
from maskbench.report.parts import Table
from maskbench.report.text import NOT_MEASURED, decimal, plain
from maskbench.results.reading import ATTACKS, grouped, methods, pooled, read
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Every attack on every method, over seeds. Strongest and oracle are made of the others; over null is ssim_hole or "
    "advantage minus that of the same attack on fully masked images; for matching attacks, rank 1 minus that."
)

_FOUND: dict[Family, str] = {"matching": "raw picture", "linkage": "other release"}
"""Kind of a matching attack → what it finds. Only runs with one have columns for it."""


def _build(run: RunFolder) -> pd.DataFrame:
    hidden = hidden_shares(run.cells)
    rows = pooled(run.cells)
    families = [family for family in ATTACKS if family not in _FOUND or (rows["attack_kind"] == family).any()]
    built = []
    for method, ratio, mine in methods(rows[rows["attack_kind"].isin(ATTACKS)]):
        for (kind, attack, label, split), part in grouped(mine, "attack_kind", "attack", "label", "split"):
            chosen = part["chosen"].iloc[0]
            row = {
                "method": method,
                "hidden": hidden(method, ratio),
                "attack": f"{attack} ({chosen})" if chosen else attack,
                "infers": label or _FOUND.get(kind, "pixels"),
                "split": split.replace("_", "-"),
            }
            for family in families:
                for metric in (metric for metric in FAMILIES[family] if metric.shown):
                    own = plain(read(part, metric.name)) if family == kind else None
                    row[metric.name] = decimal(own) if family == kind else NOT_MEASURED
            row["over null"] = decimal(plain(read(part, f"{MAIN[kind]}_over_null")))
            built.append(row)
    table = pd.DataFrame(built)
    rare = [metric.name for family in families for metric in FAMILIES[family] if metric.shown and metric.needs]
    return table.drop(columns=[name for name in rare if name in table and (table[name] == NOT_MEASURED).all()])


TABLE = Table("attacks", _build, lambda run: run_caption(run) + _CAPTION)
