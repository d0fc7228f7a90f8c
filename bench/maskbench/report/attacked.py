"""Which methods were attacked at all: one that no attack applied to is not one that leaks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd

from maskbench.plugins.attack import Attack
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.reserved import BESIDE
from maskbench.runfolder.folder import RunFolder

Status = Literal["attacked", "not attacked", "failed", "unavailable"]
"""Of a method and a kind of attack. Failed: one that failed could have been the strongest, so that is not known.
Unavailable: the method itself cannot run here."""

NO_LEAKAGE: Mapping[Status, str] = {
    "not attacked": "not attacked",
    "failed": "an attack failed",
    "unavailable": "not run",
}
"""What tables write in the place of a leakage that is not known, never a dash: it would read as none."""

_MOST = 3  # attacks that are named


def status_of(planned: pd.DataFrame, kind: str, label: str) -> Status:
    """Whether a method was attacked by what sees the released pixels, not by its masks' shape alone.

    Args:
        planned: its cells that were planned.
        kind: of the attacks; ``label``: what they infer, empty where they infer nothing.
    """
    tried = planned[
        (planned["attack_kind"] == kind)
        & (planned["label"] == label)
        & (planned["aux_share"] == 1)
        & ~planned["attack"].isin(BESIDE)
    ]
    if (planned["status"] == "unavailable").all() and len(planned):
        return "unavailable"
    if (tried["status"] == "failed").any():
        return "failed"
    saw_pixels = tried[(tried["status"] == "ok") & (tried["learns_from"] != "masks")]
    return "attacked" if len(saw_pixels) else "not attacked"


def shape_recognizes(run: RunFolder, row: Mapping[str, Any]) -> bool:
    """Whether a flag says that the shape of a method's masks alone tells the target label.

    Args:
        row: of the summary.
    """
    return any(
        flag.name == "shape-recognizes" and flag.method == row["method"] and flag.ratio == row["ratio"]
        for flag in run.flags
    )


def attacks_to_add(kind: str) -> tuple[str, ...]:
    """Attacks of a kind that apply to every method and learn from its releases: what to add to a run without any."""
    found: list[type[Attack]] = [
        each
        for each in catalogue().classes("attack")
        if each.kind == kind
        and each.learns_from in ("releases", "pairs")
        and not (each.needs_masks or each.needs_key or each.needs_restorations or each.needs_method)
    ]
    # What a name adds to another's with a hyphen is a variant of it.
    return tuple(sorted((each.name for each in found), key=lambda name: ("-" in name, name))[:_MOST])
