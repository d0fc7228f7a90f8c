"""Attacks that read the sensitive label though the labels that they learned from were shuffled.

Pictures that look alike get the same answer, so by chance one shuffle may be right for all of these at once. Images
cannot tell that from knowledge; other seeds, which shuffle anew, can.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import t as student

from maskbench.plugins.reserved import PERMUTED
from maskbench.results.flags.kind import Finding, FlagKind, Judged, percent
from maskbench.results.reading import HEADLINE_SPLIT, read

_SEEDS = 3
_TAIL = 0.025


def _find(judged: Judged) -> Iterator[Finding]:
    rows = judged.leaks[judged.leaks["attack"] == PERMUTED]
    value = read(rows, "advantage")
    if value is None or not value.low > 0:
        return
    label = rows["label"].iloc[0]
    cells = judged.cells
    single = cells[
        (cells["attack"] == PERMUTED)
        & (cells["metric"] == "advantage")
        & (cells["split"] == HEADLINE_SPLIT[label])
        & cells["seed"].notna()
    ]["value"].to_numpy(np.float64)
    if len(single) < _SEEDS:
        return
    half = student.isf(_TAIL, len(single) - 1) * single.std(ddof=1) / np.sqrt(len(single))
    if single.mean() > half:
        yield PERMUTED, label, f"advantage {percent(value)} with shuffled labels, over {len(single)} seeds"


FLAGS = (
    FlagKind(
        "shuffled-labels",
        "H",
        "warning",
        "attacks get beyond the prior though the labels that they learned from were shuffled",
        "The attacker's prior does not fit the owner's images, or answers reach attacks some other way. Read every "
        "advantage of this run as too high. Of many methods, one in forty has this flag by chance.",
        _find,
        roles=("method", "raw"),
    ),
)
