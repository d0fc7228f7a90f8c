"""Running suites, from Python and for the command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from maskbench.artifacts.occupancy import occupied
from maskbench.artifacts.store import Store
from maskbench.artifacts.store_folder import store_folder
from maskbench.data.load import refuse_inside
from maskbench.executors.choose import choose_executor
from maskbench.executors.executor import Executor, Observer, Silent
from maskbench.executors.hardware import choose_device
from maskbench.executors.local import LocalExecutor
from maskbench.executors.progress import RunProgress
from maskbench.numerics import Numerics
from maskbench.planning.overrides import Overrides, all_typed
from maskbench.planning.sharding import Shard
from maskbench.planning.suite import Suite, validate
from maskbench.planning.suite import load as load_suite
from maskbench.plugins.base import Plugin
from maskbench.plugins.files import add_file
from maskbench.report.terminal import print_provisional
from maskbench.report.write import write_report_and_figures, write_tables
from maskbench.results.collect import collect
from maskbench.results.examples import examples
from maskbench.results.execute import execute
from maskbench.results.execution import Execution
from maskbench.results.flags.find import find_flags
from maskbench.results.measure import measure
from maskbench.results.provenance import provenance
from maskbench.results.timings import timings
from maskbench.runfolder.claim import claimed
from maskbench.runfolder.folder import RunFolder
from maskbench.runs import Run


def run(
    suite: str | Path | Mapping[str, Any] | Suite = "quick",
    *,
    methods: Iterable[str | Plugin | type[Plugin]] | None = None,
    attacks: Iterable[str | Plugin | type[Plugin]] | None = None,
    ratios: Iterable[float] | None = None,
    seeds: int | None = None,
    first_seed: int | None = None,
    data: str | Path | None = None,
    target: str | None = None,
    sensitive: str | None = None,
    labels: str | Path | None = None,
    bins: Iterable[str] | None = None,
    size: int | None = None,
    limit: int | None = None,
    recognizer: str | None = None,
    device: str = "auto",
    plugins: Iterable[str | Path] = (),
    out: str | Path | None = None,
    store: str | Path | None = None,
    pictures: bool = True,
    progress: bool = True,
    shard: str | None = None,
    jobs: int | None = None,
    exclusive_timing: bool = False,
    precision: str = "bfloat16",
    deterministic: bool = False,
    ray: str | None = None,
    gpus_per_stage: float | None = None,
) -> Run:
    """Run every method of a suite against every attack, and write the results; what was done before is found again.

    Args:
        suite: name of a built-in suite, a YAML file, or its content.
        methods, attacks: instead of the suite's: as typed at the command, instances, or classes, also of a notebook.
            A list with ``"+"`` in it, or of ``"+NAME"`` alone, is added to the suite's.
        ratios: shares hidden, in [0, 1], instead of the suite's.
        seeds: how many; they are 0, 1, …, or count up from ``first_seed``, for a rerun under other ones.
        data: built-in name, folder, or ``hf:NAME``; ``target`` and ``sensitive`` name its label columns.
        labels: CSV file with the labels of a folder: the file's name, then any columns.
        bins: classes made of numbers, such as ``age=18,40,65``.
        size: side in pixels; ``limit``: at most this many images over all splits.
        recognizer: as ``maskbench list recognizers`` shows them.
        device: auto, cpu, cuda or cuda:N.
        plugins: Python files with plug-ins.
        out: folder for the results. Default: ``runs/SUITE-DATE``.
        store: folder of stored artifacts. Default: ``MASKBENCH_STORE``, or the user's cache folder.
        pictures: whether a few example images lie in the results.
        progress: whether progress is shown.
        shard: ``I/N`` runs the I-th of N parts of the suite alone; see :func:`maskbench.merge`.
        jobs: stages at work at once, each in a process of its own; 0: in this process, for debuggers. Default: as many
            as there are cores and room in memory; 1 on a GPU. Results are the same.
        exclusive_timing: whether the stages whose time is reported run while nothing else does.
        precision: of training on a GPU: bfloat16, tf32 or float32. All else is float32.
        deterministic: whether a GPU gives the same bits again, by slower kernels; the CPU always does.
        ray: address of a Ray cluster that makes the stages, ``auto`` or ``HOST:PORT``. Its machines share the store.
        gpus_per_stage: GPUs of the cluster for each stage; 0.25 lets four stages share one.

    Raises:
        UsageError: something that does not exist or does not fit was asked for.
    """
    numerics = Numerics.chosen(precision, deterministic)
    part = None if shard is None else Shard.parse(shard)
    for file in plugins:
        add_file(Path(file))
    chosen = load_suite(str(suite)) if isinstance(suite, str | Path) else suite
    chosen = chosen if isinstance(chosen, Suite) else validate({"name": "run", **chosen}, "The suite")
    overrides = Overrides(
        methods=all_typed("method", methods),
        attacks=all_typed("attack", attacks),
        ratios=None if ratios is None else tuple(ratios),
        seeds=seeds,
        first_seed=first_seed,
        recognizer=recognizer,
        source=data,
        target=target,
        sensitive=sensitive,
        labels=labels,
        bins=None if bins is None else tuple(bins),
        size=size,
        limit=limit,
    )
    chosen = overrides.applied(chosen)
    refuse_places(chosen, _path(out), store)
    executor = choose_executor(
        Store(store_folder(store)),
        choose_device(device),
        jobs,
        exclusive_timing=exclusive_timing,
        ray=ray,
        gpus_per_stage=gpus_per_stage,
    )
    console = Console()
    with RunProgress(console) if progress else nullcontext(Silent()) as observer:
        command = "maskbench.run(…)"
        return run_suite(
            chosen,
            executor,
            observer,
            out=_path(out),
            command=command,
            pictures=pictures,
            show_provisional=partial(print_provisional, console=console) if progress else None,
            shard=part,
            numerics=numerics,
        )


def run_suite(
    suite: Suite,
    executor: Executor,
    observer: Observer,
    *,
    out: Path | None,
    command: str,
    pictures: bool = True,
    show: Callable[[RunFolder], None] = lambda results: None,
    show_provisional: Callable[[RunFolder], None] | None = None,
    shard: Shard | None = None,
    numerics: Numerics | None = None,
) -> Run:
    """Run a suite and write its results: the folder is claimed first, and holds them all or nothing.

    Args:
        show: told the results as soon as the tables are written, before the page is and the figures are drawn.
        show_provisional: told those of the first seed alone once it is done, in another thread, while others are made
            in other processes.
        shard: the part of the suite to run; None: all of it.
        numerics: how a GPU rounds; None: the defaults.
    """
    named = suite.name if shard is None else f"{suite.name}-shard-{shard.number}-of-{shard.of}"
    with claimed(out, named) as claim, occupied(executor.store.root):
        first: Callable[[Execution], None] | None = None
        # A thread beside a stage in this process would meet what is pinned around it.
        if show_provisional is not None and not isinstance(executor, LocalExecutor):
            tell = show_provisional
            first = lambda done: tell(results_of(done, command, pictures=False))  # noqa: E731
        execution = execute(suite, executor, observer, shard, first, numerics)
        results_of(execution, command, pictures).write(claim.aside)
        # Read again: what people see comes from the folder, and can be made from it again.
        results = RunFolder.read(claim.aside)
        try:
            write_tables(results, claim.aside)
            show(results)
            write_report_and_figures(results, claim.aside)
        finally:
            # What was found is whole, whatever becomes of a table: it can be made again from the folder.
            claim.finish()
    return Run(results, claim.folder)


def results_of(execution: Execution, command: str = "", pictures: bool = True) -> RunFolder:
    """Everything that an executed suite found, as a run folder holds it."""
    found = collect(execution)
    cells = measure(found.planned, found.samples, execution.classes)
    return RunFolder(
        cells=cells,
        samples=found.samples,
        timings=timings(execution),
        flags=tuple(find_flags(cells)),
        provenance=provenance(execution, cells, command),
        pictures=tuple(examples(execution)) if pictures else (),
        failures=execution.failures,
    )


def refuse_places(suite: Suite, out: Path | None, store: str | Path | None) -> None:
    """Refuse results and a store in the data of the suite, before anything is made there.

    Raises:
        UsageError: one of them would lie in the data, or there are no such data.
    """
    places = {"The results (--out)": out or Path("runs"), "The store (--store)": store_folder(store)}
    refuse_inside(suite.data, places)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
