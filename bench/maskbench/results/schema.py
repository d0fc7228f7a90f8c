"""The columns of ``cells``, and the names that mean something in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from maskbench.plugins.reserved import ORACLE, STRONGEST

SCHEMA_VERSION = 2
"""2: oracle rows, metrics relative to the fully masked control; columns role, learns_from and aux_share."""

DERIVED = (STRONGEST, ORACLE)
"""What is made of the outcomes of several attacks."""

SPLITS = ("owner_train", "owner_test")
"""Where a cell is reported; attacker-validation is the attacker's own and only serves to choose an attack."""

COLUMNS = {
    "suite": "string",
    "dataset": "string",
    "target": "string",
    "sensitive": "string",
    "recognizer": "string",
    "method": "string",
    "params": "string",
    "ratio": "float64",
    "role": "string",
    "attack": "string",
    "attack_kind": "string",
    "label": "string",
    "probe": "string",
    "learns_from": "string",
    "aux_share": "float64",
    "seed": "Int64",
    "split": "string",
    "metric": "string",
    "direction": "string",
    "value": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "n": "Int64",
    "seeds": "Int64",
    "status": "string",
    "reason": "string",
    "chosen": "string",
    "stage_key": "string",
    "schema_version": "Int64",
}
"""Column → type, in the order they are written. Text is empty, not missing, where it does not apply."""


def typed(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows → the table of cells, with every column and its type."""
    cells = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).assign(schema_version=SCHEMA_VERSION)
    for name, kind in COLUMNS.items():
        cells[name] = cells[name].astype(kind)
        if kind == "string":
            cells[name] = cells[name].fillna("")
    return cells
