"""Writing the tables and figures of a run folder into it."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from maskbench.errors import MaskbenchError, PartFailed
from maskbench.report import figures as figures_folder
from maskbench.report import tables as tables_folder
from maskbench.report.parts import Figure, Table
from maskbench.report.text import to_markdown
from maskbench.runfolder.folder import RunFolder

Part = TypeVar("Part", Table, Figure)


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Every table, by its name: a module of ``tables`` sets ``TABLE``."""
    found = {module.__name__: (module.TABLE,) for module in _modules(tables_folder, "TABLE")}
    return _by_name(found)


@lru_cache(maxsize=1)
def figures() -> tuple[Figure, ...]:
    """Every figure, by its name: a module of ``figures`` sets ``FIGURES``. Loads matplotlib."""
    found = {module.__name__: module.FIGURES for module in _modules(figures_folder, "FIGURES")}
    return _by_name(found)


def write_tables(run: RunFolder, folder: Path) -> None:
    """Write every table that has rows, as Markdown and CSV, into ``tables/``.

    Raises:
        PartFailed: one or more of them raised; all others are written.
    """
    place = folder / "tables"
    place.mkdir(parents=True, exist_ok=True)
    _each((table.name, partial(_write_table, table, run, place)) for table in tables())


def write_figures(run: RunFolder, folder: Path) -> None:
    """Draw every figure that has something to show, as PNG and SVG, into ``figures/``.

    Raises:
        PartFailed: one or more of them raised; all others are drawn.
    """
    place = folder / "figures"
    place.mkdir(parents=True, exist_ok=True)
    _each((figure.name, partial(_write_figure, figure, run, place)) for figure in figures())


def _write_table(table: Table, run: RunFolder, place: Path) -> None:
    frame = table.build(run)
    if len(frame):
        path = place / table.name
        path.with_suffix(".md").write_text(f"{table.caption(run)}\n\n{to_markdown(frame)}\n", encoding="utf-8")
        frame.to_csv(path.with_suffix(".csv"), index=False)


def _write_figure(figure: Figure, run: RunFolder, place: Path) -> None:
    from matplotlib import rc_context  # takes a second to import

    drawing = figure.draw(run)
    if drawing is None:
        return
    path = place / figure.name
    drawing.savefig(path.with_suffix(".png"), dpi=150)
    # Without the date, and with ids that are no random numbers: the same folder gives the same file.
    with rc_context({"svg.hashsalt": figure.name}):
        drawing.savefig(path.with_suffix(".svg"), metadata={"Date": None})


def _each(parts: Iterable[tuple[str, Callable[[], None]]]) -> None:
    failed: dict[str, Exception] = {}
    for name, write in parts:
        try:
            write()
        except Exception as error:  # noqa: BLE001 - hours of work must not be lost to a table; raised below
            failed[name] = error
    if failed:
        reasons = "; ".join(f"{name}: {_reason(error)}" for name, error in failed.items())
        raise PartFailed(
            f"Not written: {reasons}. Everything else that the run found is in its folder. Mend this, then "
            "`maskbench report RUN` writes it; --debug shows the traceback."
        ) from next(iter(failed.values()))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MaskbenchError) else f"{type(error).__name__}: {error}"


def _by_name(found: dict[str, tuple[Part, ...]]) -> tuple[Part, ...]:
    owner: dict[str, str] = {}
    for module, parts in found.items():
        for part in parts:
            if part.name in owner:
                raise ValueError(f"{owner[part.name]} and {module} both write '{part.name}'. Rename one.")
            owner[part.name] = module
    return tuple(sorted((part for parts in found.values() for part in parts), key=lambda part: part.name))


def _modules(package: ModuleType, sets: str) -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(package.__path__, prefix=f"{package.__name__}.")]
    found = [import_module(name) for name in names]
    for module in found:
        if not hasattr(module, sets):
            raise ValueError(f"{module.__name__} sets no {sets}: every module of this folder does.")
    return found
