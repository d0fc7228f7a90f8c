"""Running suites, from Python and for the command."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from maskbench.artifacts.default_store import default_store
from maskbench.artifacts.occupancy import occupied
from maskbench.artifacts.store import Artifact, Store
from maskbench.data.load import refuse_inside, resolve, source_name
from maskbench.errors import UsageError
from maskbench.executors.choose import choose_executor
from maskbench.executors.executor import MISSING, Executor, Observer, Silent, StageOutcome
from maskbench.executors.hardware import choose_device
from maskbench.executors.local import LocalExecutor
from maskbench.executors.progress import RunProgress
from maskbench.numerics import Numerics
from maskbench.planning.matrix import Matrix, expand
from maskbench.planning.plan import Plan
from maskbench.planning.sharding import Shard, part_of
from maskbench.planning.suite import Suite, validate
from maskbench.planning.suite import load as load_suite
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import add_file, catalogue
from maskbench.report.terminal import print_provisional
from maskbench.report.write import write_report_and_figures, write_tables
from maskbench.results.collect import collect
from maskbench.results.examples import examples
from maskbench.results.execution import Execution
from maskbench.results.flags.find import find_flags
from maskbench.results.measure import measure
from maskbench.results.provenance import command_line, provenance
from maskbench.results.provisional import FirstSeed, of_first_seed
from maskbench.results.timings import covered, timings
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
    overrides = {
        "methods": all_typed("method", methods),
        "attacks": all_typed("attack", attacks),
        "ratios": None if ratios is None else tuple(ratios),
        "seeds": seeds,
        "first_seed": first_seed,
    }
    about_data = {
        "source": data,
        "target": target,
        "sensitive": sensitive,
        "labels": labels,
        "bins": None if bins is None else tuple(bins),
        "size": size,
        "limit": limit,
    }
    chosen = changed(chosen, overrides, about_data, recognizer)
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


def execute(
    suite: Suite,
    executor: Executor,
    observer: Observer,
    shard: Shard | None = None,
    first_seed: Callable[[Execution], None] | None = None,
    numerics: Numerics | None = None,
) -> Execution:
    """Make every stage of a suite, or of a shard of it.

    Cells fail alone; what was done before is found in the store.

    Args:
        first_seed: told what came of the first seed once it is done, in another thread, while the others are made.
        numerics: how a GPU rounds; None: the defaults.
    """
    started = time.perf_counter()
    matrix, plan = prepare(suite, executor.device.type, numerics)
    part = None if shard is None else part_of(shard, matrix, plan)
    if part is not None:
        matrix, plan = part.matrix, part.plan
    if first_seed is None or part is not None:
        outcomes = executor.execute(plan, observer)
    else:
        outcomes = _execute_telling(first_seed, matrix, plan, executor, observer)
    data = _data(matrix, plan, outcomes, executor)
    total = time.perf_counter() - started
    made = [outcome.timing for outcome in outcomes.values() if outcome.source == "computed"]
    computed = sum(timing["seconds"] for timing in made)
    seconds = {"total": total, "stages": computed, "outside": max(0.0, total - covered(made))}
    return Execution(matrix, plan, outcomes, executor, data, seconds, part)


def _execute_telling(
    first_seed: Callable[[Execution], None], matrix: Matrix, plan: Plan, executor: Executor, observer: Observer
) -> dict[str, StageOutcome]:
    """Execute a plan, and tell of the first seed meanwhile."""
    started = time.perf_counter()

    def tell(outcomes: Mapping[str, StageOutcome]) -> None:
        data = _data(matrix, plan, outcomes, executor)
        seconds = {"total": time.perf_counter() - started, "stages": 0.0, "outside": 0.0}
        first_seed(Execution(of_first_seed(matrix), plan, outcomes, executor, data, seconds))

    watching = FirstSeed(observer, matrix, plan, tell)
    try:
        return executor.execute(plan, watching)
    finally:
        watching.wait()


def prepare(suite: Suite, device_type: str, numerics: Numerics | None = None) -> tuple[Matrix, Plan]:
    """Check everything that the user asked for, before anything is computed or written.

    Raises:
        UsageError: anything in the suite that does not exist or does not fit.
    """
    matrix = expand(suite, resolve(suite.data))
    plan = Plan(device_type, numerics or Numerics())
    plan.add(matrix.data)
    for cell in sorted(matrix.cells, key=lambda cell: cell.seed):  # the first seed's results come first
        if cell.scoring is not None:
            plan.add(cell.scoring, rank=cell.seed)
    return matrix, plan


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


def changed(
    suite: Suite, overrides: Mapping[str, Any], data: Mapping[str, Any], recognizer: str | None = None
) -> Suite:
    """A suite with what the user named instead; None leaves the suite's.

    Other data or another target bring their own labels, not the suite's.
    """
    content = suite.model_dump() | {name: value for name, value in overrides.items() if value is not None}
    if data.get("source") is not None:
        content["data"] = {}
    elif data.get("target") is not None:
        content["data"] |= {"sensitive": None}
    content["data"] |= {name: _plain(value) for name, value in data.items() if value is not None}
    if recognizer is not None:
        content["settings"]["recognizer"] = recognizer
    return validate(content, "Options")


def store_folder(chosen: str | Path | None) -> Path:
    """The store that the user chose, or the one of ``MASKBENCH_STORE``, or the one in the user's cache folder."""
    named = chosen or os.environ.get("MASKBENCH_STORE")
    return Path(named) if named else default_store()


def refuse_places(suite: Suite, out: Path | None, store: str | Path | None) -> None:
    """Refuse results and a store in the data of the suite, before anything is made there.

    Raises:
        UsageError: one of them would lie in the data, or there are no such data.
    """
    places = {"The results (--out)": out or Path("runs"), "The store (--store)": store_folder(store)}
    refuse_inside(suite.data, places)


def typed_command(arguments: Sequence[str]) -> str:
    """The command line as ``run.json`` has it."""
    return command_line(arguments)


def all_typed(kind: str, plugins: Iterable[str | Plugin | type[Plugin]] | None) -> tuple[str, ...] | None:
    """Plug-ins as a user types them; classes that no file holds become known by their names."""
    if isinstance(plugins, str):
        # Its letters would be taken one by one.
        raise UsageError(f"{kind}s={plugins!r} is one text: write a list, {kind}s=[{plugins!r}].")
    return None if plugins is None else tuple(_typed(kind, each) for each in plugins)


def _typed(kind: str, plugin: str | Plugin | type[Plugin]) -> str:
    """A plug-in as a user types it; a class that no file holds becomes known by its name."""
    if isinstance(plugin, str):
        return plugin
    plugin_class = plugin if isinstance(plugin, type) else type(plugin)
    catalogue().add(plugin_class)
    if isinstance(plugin, type):
        return plugin.name
    given = plugin.model_dump(exclude_defaults=True)
    return plugin.name + (":" + ",".join(f"{name}={value}" for name, value in given.items()) if given else "")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _data(matrix: Matrix, plan: Plan, outcomes: Mapping[str, StageOutcome], executor: Executor) -> Artifact:
    key = plan.key(matrix.data)
    if outcomes[key].source in MISSING:
        # Data that cannot be read are wrong use, not a failed cell: nothing else could run.
        raise UsageError(outcomes[key].reason)
    found = executor.read(key)
    return Artifact(found.tensors, {**found.record, "name": source_name(matrix.data.options)})
