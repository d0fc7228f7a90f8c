"""The columns of ``cells`` and ``samples``, and the names that mean something in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from maskbench.data.parties import Split
from maskbench.plugins.reserved import ORACLE, STRONGEST

SCHEMA_VERSION = 3
"""Of a run folder. 3: samples hold all that cells are made of; the strongest attack is called so; ``learns_from``."""

THREAT_MODEL = {"name": "adaptive", "version": 2}
"""What attackers are given, as ``docs/threat-model.md`` says it; results of different ones are not compared."""

RELEASES = "releases"
"""In ``threat_model``: how many releases of each picture attackers have, where that is more than one."""


def threat_model(releases: int) -> dict[str, Any]:
    """What ``run.json`` says of attackers who have so many releases of each picture."""
    return dict(THREAT_MODEL) if releases == 1 else {**THREAT_MODEL, RELEASES: releases}


def threat_model_name(found: Mapping[str, Any]) -> str:
    """The same in words: name, version, and the number of releases where it is more than one."""
    releases = f", {found[RELEASES]} releases of each picture" if RELEASES in found else ""
    return f"{found['name']}, version {found['version']}{releases}"


DERIVED = (STRONGEST, ORACLE)
"""What is made of the outcomes of several attacks."""

SCORED_SPLITS: tuple[Split, ...] = ("owner_train", "owner_test")
"""Where a cell is reported."""

VALIDATION = "validation"
"""The split of ``samples`` that holds what attacks were compared on: pictures whose labels the attacker has."""

METHOD = ("method", "params", "ratio")
"""The columns that tell methods apart."""

CELL = (*METHOD, "attack", "attack_kind", "label", "aux_share")
"""The columns that tell cells apart, seeds aside."""

COLUMNS: dict[str, Literal["string", "float64", "Int64"]] = {
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
"""Column of ``cells`` → type, in the order they are written. Text is empty, not missing, where it does not apply."""

PROBABILITIES = "probabilities"
"""Column of ``samples``: what the attack believes of each class of the label, float32; empty for other cells."""


def score_for(split: str) -> str:
    """Column of ``samples``: how well an attack does on validation pictures, as its kind is scored, for a split."""
    return f"score_{split}"


def gain_for(split: str) -> str:
    """Column of ``samples``: hits beyond the prior on validation pictures, by which inferences are chosen first."""
    return f"gain_{split}"


CHOSEN_BY = (*map(score_for, SCORED_SPLITS), *map(gain_for, SCORED_SPLITS))
"""Columns of ``samples`` that only validation rows have."""


def typed(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows → the table of cells, with every column and its type."""
    cells = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).assign(schema_version=SCHEMA_VERSION)
    for name, kind in COLUMNS.items():
        cells[name] = cells[name].astype(kind)
        if kind == "string":
            cells[name] = cells[name].fillna("")
    return cells
