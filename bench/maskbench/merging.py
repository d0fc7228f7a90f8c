"""Merging the shards of a run, from Python and for the command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskbench.errors import UsageError
from maskbench.report.write import write_report_and_figures, write_tables
from maskbench.runfolder.claim import claimed
from maskbench.runfolder.folder import RunFolder
from maskbench.runfolder.merging import NamedShard, merged
from maskbench.runs import Run


def merge(
    runs: Iterable[str | Path],
    *,
    out: str | Path | None = None,
    partial: bool = False,
    command: str = "maskbench.merge(…)",
) -> Run:
    """Join the shards of a run: one folder, with every number computed again, as one run of the whole suite writes it.

    Args:
        runs: the folders that ``maskbench run --shard I/N`` wrote, in any order.
        out: folder for the results. Default: ``runs/SUITE-DATE``.
        partial: whether shards may be missing. The results then say which.
        command: what ``run.json`` says was typed.

    Raises:
        UsageError: a folder is no shard, two are of different runs, one is there twice, or one is missing.
    """
    if isinstance(runs, str | Path):
        # Its letters would be taken one by one.
        raise UsageError(f"merge({str(runs)!r}): write a list of run folders.")
    shards = [NamedShard.of(str(run), RunFolder.read(Path(run))) for run in runs]
    joined = merged(shards, command, partial)
    with claimed(None if out is None else Path(out), str(joined.provenance["suite"]["name"])) as claim:
        joined.write(claim.aside)
        results = RunFolder.read(claim.aside)
        try:
            write_tables(results, claim.aside)
            write_report_and_figures(results, claim.aside)
        finally:
            claim.finish()
    return Run(results, claim.folder)
