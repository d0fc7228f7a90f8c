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
        f"{_part(run)}{first['dataset']}: target {first['target']}{sensitive}; recognizer {first['recognizer']}; "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}; "
        f"{scored}. "
        "Value [95 % interval, bootstrap over images and seeds]. "
    )


def _part(run: RunFolder) -> str:
    """That a run is not of the whole suite, where it is not."""
    if "shard" in run.provenance:
        shard = run.provenance["shard"]
        return (
            f"Shard {shard['number']} of {shard['of']} alone: {len(shard['trials'])} of {shard['trials_in_all']} "
            "trials, without what they are measured against where it is in another shard. "
        )
    missing = run.provenance["shards"]["missing"] if "shards" in run.provenance else []
    return f"Shards {', '.join(map(str, missing))} of {run.provenance['shards']['of']} are missing. " if missing else ""
