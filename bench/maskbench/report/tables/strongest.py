"""The strongest attack of each kind and split: realizable, oracle, and both against the null control."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.metric import Family
from maskbench.plugins.reserved import ORACLE, PERMUTED, STRONGEST
from maskbench.report.captions import run_caption
from maskbench.report.hidden import hidden_shares
from maskbench.report.parts import Table
from maskbench.report.text import decimal, percent, plain
from maskbench.results.reading import Value, methods, pooled, read
from maskbench.results.schema import SCORED_SPLITS
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Realizable: the attack, in brackets, was chosen on attacker-validation. Oracle: the best attack for each image, "
    "chosen by someone who knows the answer; a bound that no attacker reaches, and above chance even where nothing "
    "leaks. Null: the same attacks, judged alike, on fully masked images, where the hole is the whole image. Over "
    "null: the difference on the same images and seeds. For the oracle it takes off what guessing with so many attacks "
    "gives, which is too much where the attacks agree. Shuffled: attacks that train no network, together, on the same "
    "release, with the attacker's sensitive labels shuffled among pictures of one task label."
)


def _build(run: RunFolder) -> pd.DataFrame:
    hidden = hidden_shares(run.cells)
    shown: dict[Family, tuple[str, Callable[[Value | None], str]]] = {
        "restoration": ("hole SSIM", decimal),
        "inference": (f"advantage on {run.inferred} %", percent),
        "matching": ("rank 1 among raw pictures %", percent),
        "linkage": ("rank 1 among releases %", percent),
        "person-linkage": ("rank 1 among persons %", percent),
    }
    rows = pooled(run.cells)
    built = []
    for (kind, (metric, write)), split in product(shown.items(), SCORED_SPLITS):
        part = rows[(rows["attack_kind"] == kind) & (rows["split"] == split)]
        for method, ratio, mine in methods(part):
            strongest, oracle = (mine[mine["attack"] == name] for name in (STRONGEST, ORACLE))
            realizable, over = read(strongest, MAIN[kind]), read(strongest, f"{MAIN[kind]}_over_null")
            built.append(
                {
                    "method": method,
                    "hidden": hidden(method, ratio),
                    "strongest": metric,
                    "split": split.replace("_", "-"),
                    "realizable": write(realizable),
                    "oracle": write(plain(read(oracle, MAIN[kind]))),
                    "null": write(_chance(realizable, over)),
                    "shuffled": write(plain(read(mine[mine["attack"] == PERMUTED], MAIN[kind]))),
                    "over null": write(plain(over)),
                    "oracle over null": write(plain(read(oracle, f"{MAIN[kind]}_over_null"))),
                }
            )
    return pd.DataFrame(built)


def _chance(realizable: Value | None, over: Value | None) -> Value | None:
    """What the same attacks get on the null control; its own interval is in the row of the control."""
    return Value(realizable.value - over.value, float("nan"), float("nan")) if realizable and over else None


TABLE = Table("strongest", _build, lambda run: run_caption(run) + _CAPTION)
