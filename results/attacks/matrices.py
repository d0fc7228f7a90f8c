"""The tables of docs/results-attacks.md, from what ``maskbench run attacks`` left: ``python matrices.py RUN …``.

For each run what every attack gets from every method: hole SSIM of restorations on owner-train, and the advantage of
inferences on the sensitive label on owner-train, or on the target label on owner-test where there is no sensitive one.
Bold is the attack that gets most. The first row is the strongest attack, with its interval.
"""

from __future__ import annotations

import sys
from pathlib import Path

import maskbench
import pandas as pd
from maskbench.metrics.catalogue import MAIN
from maskbench.plugins.reserved import STRONGEST
from maskbench.report.text import NOT_MEASURED, to_markdown
from maskbench.results.reading import headline, methods, read
from maskbench.results.schema import DERIVED

_SCALE = {"restoration": (1, 3), "inference": (100, 1)}
_TITLE = {"restoration": "Restoration, SSIM in the hole", "inference": "Inference, advantage in points"}


def matrix(cells: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Attacks in rows, methods in columns."""
    rows = headline(cells)
    rows = rows[rows["attack_kind"] == kind]
    label = "sensitive" if (rows["label"] == "sensitive").any() else "target"
    rows = rows[(rows["label"] == "") | (rows["label"] == label)]
    factor, digits = _SCALE[kind]
    columns = {}
    for method, _, mine in methods(rows):
        values = {attack: read(part, MAIN[kind]) for attack, part in mine.groupby("attack", sort=False)}
        own = {attack: value for attack, value in values.items() if attack not in DERIVED and value}
        best = max(own, key=lambda attack: own[attack].value, default=None)
        column = {attack: f"{factor * value.value:.{digits}f}" for attack, value in own.items()}
        if best:
            column[best] = f"**{column[best]}**"
        strongest = values.get(STRONGEST)
        if strongest:
            low, value, high = (
                f"{factor * part:.{digits}f}" for part in (strongest.low, strongest.value, strongest.high)
            )
            column = {STRONGEST: f"{value} [{low}, {high}]", **column}
        columns[method] = column
    table = pd.DataFrame(columns).rename_axis("attack")
    order = [STRONGEST, *(attack for attack in rows["attack"].unique() if attack not in DERIVED)]
    return table.reindex(order).fillna(NOT_MEASURED).reset_index()


def shapes(cells: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on the target label, of the recognizer and of a classifier that sees masks alone; points of 100."""
    rows = cells[cells["seed"].isna() & (cells["status"] == "ok") & (cells["split"] == "owner_test")]
    rows = rows[(rows["label"] == "target") & (rows["metric"] == "accuracy")]
    built = []
    for method, _, mine in methods(rows):
        row = {"method": method}
        for name, part in (
            ("accuracy", mine["attack_kind"] == "none"),
            ("shape alone", mine["learns_from"] == "masks"),
        ):
            value = read(mine[part], "accuracy")
            row[name] = (
                f"{100 * value.value:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}]" if value else NOT_MEASURED
            )
        built.append(row)
    return pd.DataFrame(built)


def main() -> None:
    """Print a caption and the tables of each run."""
    for folder in map(Path, sys.argv[1:]):
        run = maskbench.load(folder)
        found, cells = run.provenance, run.cells
        data = found["data"]
        print(f"\n### {data['name']}, target {data['target']}, sensitive {data['sensitive'] or '–'}")
        print(f"\nSplits: {data['sizes']}; {found['suite']['seeds']} seeds; device {found['device']}.")
        for kind, title in _TITLE.items():
            if not (cells["attack_kind"] == kind).any():
                continue  # the run had none
            print(f"\n{title}\n\n{to_markdown(matrix(cells, kind))}")
        print(f"\nRecognition, accuracy in percent\n\n{to_markdown(shapes(cells))}")


if __name__ == "__main__":
    main()
