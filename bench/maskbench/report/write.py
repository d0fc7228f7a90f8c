"""Writing the tables and figures of a run folder into it."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from maskbench.report import figures as figures_folder
from maskbench.report import tables as tables_folder
from maskbench.report.parts import Figure, Table
from maskbench.report.text import to_markdown
from maskbench.runfolder.folder import RunFolder


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Every table, by its name."""
    return tuple(sorted((module.TABLE for module in _modules(tables_folder)), key=lambda table: table.name))


def figures() -> tuple[Figure, ...]:
    """Every figure, by its name; loads matplotlib."""
    found = [figure for module in _modules(figures_folder) for figure in module.FIGURES]
    return tuple(sorted(found, key=lambda figure: figure.name))


def write_tables(run: RunFolder, folder: Path) -> None:
    """Write every table that has rows, as Markdown and CSV, into ``tables/``."""
    place = folder / "tables"
    place.mkdir(parents=True, exist_ok=True)
    for table in tables():
        frame = table.build(run)
        if len(frame):
            path = place / table.name
            path.with_suffix(".md").write_text(f"{table.caption(run)}\n\n{to_markdown(frame)}\n", encoding="utf-8")
            frame.to_csv(path.with_suffix(".csv"), index=False)


def write_figures(run: RunFolder, folder: Path) -> None:
    """Draw every figure that has something to show, as PNG and SVG, into ``figures/``."""
    place = folder / "figures"
    place.mkdir(parents=True, exist_ok=True)
    for figure in figures():
        drawing = figure.draw(run)
        if drawing is not None:
            for suffix in (".png", ".svg"):
                drawing.savefig((place / figure.name).with_suffix(suffix), dpi=150)


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(package.__path__, prefix=f"{package.__name__}.")]
    return [import_module(name) for name in names]
