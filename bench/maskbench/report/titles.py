"""What a figure is of: the data, how many pictures, how many seeds."""

from __future__ import annotations

from maskbench.runfolder.folder import RunFolder


def about(run: RunFolder) -> str:
    """``digits · n = 150 · 2 seeds``; n is the largest number of pictures that any cell is scored on."""
    cells = run.cells
    counted = cells[(cells["status"] == "ok") & cells["n"].notna()]
    pictures = int(counted["n"].max()) if len(counted) else 0
    seeds = int(counted["seeds"].max()) if counted["seeds"].notna().any() else 0
    return f"{cells['dataset'].iloc[0]} · n = {pictures} · {seeds} {'seed' if seeds == 1 else 'seeds'}"
