"""``maskbench run SUITE``."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from maskbench.cli import exits, options
from maskbench.cli.console import tell_where, terminal
from maskbench.cli.plan import print_plan, print_suites
from maskbench.cli.stopped import told_when_stopped
from maskbench.errors import UsageError
from maskbench.planning.built_in import refuse_unknown_suite

if TYPE_CHECKING:
    from rich.console import Console

    from maskbench.executors.executor import Executor
    from maskbench.numerics import Numerics
    from maskbench.planning.sharding import Shard
    from maskbench.planning.suite import Suite
    from maskbench.runfolder.folder import RunFolder

Plan = Annotated[
    bool,
    options.about_how_it_is_run(
        "--plan", help="Run nothing: say how many stages there are, how many are stored, time and disk."
    ),
]


def run(
    suite: Annotated[
        str | None,
        typer.Argument(help="Name of a built-in suite (`maskbench list suites`), or a YAML file. None: list them."),
    ] = None,
    data: options.DataSource = None,
    target: options.Target = None,
    sensitive: options.Sensitive = None,
    labels: options.Labels = None,
    bins: options.Bins = None,
    size: options.Size = None,
    limit: options.Limit = None,
    method: options.Methods = None,
    release: options.ReleaseOf = None,
    attack: options.Attacks = None,
    recognizer: options.RecognizerName = None,
    ratio: options.Ratios = None,
    seeds: options.Seeds = None,
    first_seed: options.FirstSeed = None,
    device: options.Device = "auto",
    plugin: options.Plugins = None,
    out: options.Out = None,
    store: options.StoreFolder = None,
    pictures: options.Pictures = True,
    shard: options.ShardOf = None,
    jobs: options.Jobs = None,
    exclusive_timing: options.ExclusiveTiming = False,
    precision: options.Precision = "bfloat16",
    deterministic: options.Deterministic = False,
    ray: options.RayAddress = None,
    gpus_per_stage: options.GpusPerStage = None,
    verbose: options.Verbose = False,
    plan: Plan = False,
) -> None:
    """Run every method against every attack, and write tables, figures and provenance."""
    console = terminal()
    if suite is None and release is not None:
        suite = "audit"
    if suite is None:
        print_suites(console)
        return
    refuse_unknown_suite(suite)  # before what takes seconds to import
    with console.status("Reading the suite, the plug-ins and the store"):
        from maskbench import running
        from maskbench.artifacts.store import Store
        from maskbench.artifacts.store_folder import store_folder
        from maskbench.executors.choose import choose_executor
        from maskbench.executors.hardware import choose_device
        from maskbench.executors.progress import RunProgress
        from maskbench.numerics import Numerics
        from maskbench.planning.overrides import Overrides, all_typed
        from maskbench.planning.sharding import Shard
        from maskbench.planning.suite import load
        from maskbench.releasing.measured import released_by
        from maskbench.report.terminal import print_provisional, print_run
        from maskbench.results.provenance import command_line

        numerics = Numerics.chosen(precision, deterministic)
        part = None if shard is None else Shard.parse(shard)
        options.load_plugins(plugin)
        if release is not None:
            if method:
                raise UsageError("--release names the method: leave --method out.")
            released, released_size = released_by(release)
            method, size = list(all_typed("method", [released]) or ()), size or released_size
        overrides = Overrides(
            methods=method,
            attacks=attack,
            ratios=ratio,
            seeds=seeds,
            first_seed=first_seed,
            recognizer=recognizer,
            source=data,
            target=target,
            sensitive=sensitive,
            labels=labels,
            bins=bins,
            size=size,
            limit=limit,
        )
        chosen = overrides.applied(load(suite))
        running.refuse_places(chosen, out, store)
        executor = choose_executor(
            Store(store_folder(store)),
            choose_device(device),
            jobs,
            exclusive_timing=exclusive_timing,
            ray=ray,
            gpus_per_stage=gpus_per_stage,
        )
    if plan:
        _tell_plan(chosen, executor, part, numerics, console)
        return
    with told_when_stopped(), RunProgress(console) as progress:

        def show(results: RunFolder) -> None:
            progress.stop()
            print_run(results, console, verbose=verbose)

        found = running.run_suite(
            chosen,
            executor,
            progress,
            out=out,
            command=command_line(sys.argv[1:]),
            pictures=pictures,
            show=show,
            show_provisional=partial(print_provisional, console=console),
            shard=part,
            numerics=numerics,
        )
    tell_where(found.path, console)
    if len(found.failed):
        raise typer.Exit(exits.FAILED)


def _tell_plan(suite: Suite, executor: Executor, shard: Shard | None, numerics: Numerics, console: Console) -> None:
    from maskbench.executors.forecast import forecast
    from maskbench.executors.workers.driver import WorkersExecutor
    from maskbench.planning.prepare import prepare
    from maskbench.planning.sharding import part_of

    with console.status("Planning"):
        matrix, steps = prepare(suite, executor.device.type, numerics)
        if shard is not None:
            part = part_of(shard, matrix, steps)
            matrix, steps = part.matrix, part.plan
        kinds = forecast(steps, executor.store)
    unavailable = sum(cell.scoring is None for cell in matrix.cells)
    jobs = executor.jobs if isinstance(executor, WorkersExecutor) else 1
    print_plan(kinds, len(matrix.cells), unavailable, jobs, console)
