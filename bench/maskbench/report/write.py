"""Writing the tables, the figures and the page of a run folder into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from maskbench.errors import MaskbenchError, PartFailed
from maskbench.report import leakage_report
from maskbench.report.discovery import figures, tables
from maskbench.report.latex import to_latex
from maskbench.report.parts import Figure, Table
from maskbench.report.text import to_markdown
from maskbench.runfolder.folder import RunFolder


def write_tables(run: RunFolder, folder: Path) -> None:
    """Write every table that has rows, as Markdown, CSV and LaTeX, into ``tables/``.

    Raises:
        PartFailed: one or more of them raised; all others are written.
    """
    place = folder / "tables"
    place.mkdir(parents=True, exist_ok=True)
    _each((table.name, partial(_write_table, table, run, place)) for table in tables())


def write_report_and_figures(run: RunFolder, folder: Path) -> None:
    """Write ``report.html`` and the leakage report into the folder, and draw the figures.

    Raises:
        PartFailed: one or more of them raised; all others are written.
    """
    place = folder / "figures"
    place.mkdir(parents=True, exist_ok=True)
    # The page first: it is what most people open, and drawing takes longer.
    parts: list[tuple[str, Callable[[], object]]] = [
        ("report.html", partial(_write_page, run, folder)),
        (leakage_report.NAME, partial(leakage_report.write_leakage_report, run, folder)),
    ]
    parts += [(figure.name, partial(_write_figure, figure, run, place)) for figure in figures()]
    _each(parts)


def _write_page(run: RunFolder, folder: Path) -> None:
    """The import is part of what may fail: a machine without plotly has its figures all the same."""
    from maskbench.report.html.page import write_report  # loads jinja2 and plotly

    write_report(run, folder)


def _write_table(table: Table, run: RunFolder, place: Path) -> None:
    frame = table.build(run)
    if len(frame):
        path = place / table.name
        path.with_suffix(".md").write_text(f"{table.caption(run)}\n\n{to_markdown(frame)}\n", encoding="utf-8")
        frame.to_csv(path.with_suffix(".csv"), index=False)
        path.with_suffix(".tex").write_text(to_latex(frame, table.caption(run), table.name), encoding="utf-8")


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


def _each(parts: Iterable[tuple[str, Callable[[], object]]]) -> None:
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
