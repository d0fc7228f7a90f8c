"""Words that several tables share."""

from __future__ import annotations

import numpy as np

from maskbench.runfolder.folder import RunFolder


def run_caption(run: RunFolder) -> str:
    """What every table is about: the data, the sizes, and how values are written."""
    cells = run.cells
    first = cells.iloc[0]
    seeds = int(cells["seeds"].max()) if cells["seeds"].notna().any() else 0
    ran = cells[(cells["status"] == "ok") & (cells["split"] != "")]
    of = np.where(ran["attack_kind"] == "none", "accuracy", "attacks")
    sizes = ran.assign(of=of).groupby(["of", "split"], as_index=False)["n"].max()
    sensitive = f", sensitive label {first['sensitive']}" if first["sensitive"] else ", no sensitive label"
    scored = ", ".join(
        f"{of} on {split} up to n = {size}" for of, split, size in sizes.itertuples(index=False)
    ).replace("_", "-")
    return (
        f"{first['dataset']}: target {first['target']}{sensitive}; recognizer {first['recognizer']}; "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}; "
        f"{scored}. "
        "Value [95 % interval, bootstrap over images and seeds]. "
    )
