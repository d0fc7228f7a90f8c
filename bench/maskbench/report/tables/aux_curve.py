"""Every attack with a curve: its main metric at each share of the attacker's pictures."""

from __future__ import annotations

import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.report.captions import run_caption
from maskbench.report.hidden import by_method
from maskbench.report.parts import Table
from maskbench.report.text import NOT_MEASURED, decimal, plain
from maskbench.results.reading import ATTACKS, HEADLINE_SPLIT, grouped, read
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Leakage against the share of its training pictures that the attacker uses: of the attacks that learn from its own "
    "pictures alone, on owner-train (inference of the target on owner-test). Where it still rises, more data leak more."
)


def _build(run: RunFolder) -> pd.DataFrame:
    rows = run.cells
    rows = rows[rows["seed"].isna() & (rows["status"] == "ok") & rows["attack_kind"].isin(ATTACKS)]
    rows = rows[rows["split"] == rows["label"].map(HEADLINE_SPLIT)]
    built = []
    for named, mine in by_method(run.cells, rows):
        for (kind, attack, label), part in grouped(mine, "attack_kind", "attack", "label"):
            if part["aux_share"].nunique() == 1:
                continue
            row = {**named, "attack": attack, "metric": MAIN[kind]}
            row["infers"] = label or "pixels"
            for (share,), at in grouped(part.sort_values("aux_share"), "aux_share"):
                row[f"{share:.3g} of aux"] = decimal(plain(read(at, MAIN[kind])))
            built.append(row)
    return pd.DataFrame(built).fillna(NOT_MEASURED)


TABLE = Table("aux-curve", _build, lambda run: run_caption(run) + _CAPTION)
