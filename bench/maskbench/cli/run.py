"""``maskbench run SUITE``."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from maskbench.cli import exits, options
from maskbench.cli.console import tell_where, terminal
from maskbench.cli.stopped import told_when_stopped

if TYPE_CHECKING:
    from maskbench.runfolder.folder import RunFolder

Pictures = Annotated[
    bool, typer.Option("--pictures/--no-pictures", help="Keep a few example images, raw ones too, in the results.")
]


def run(
    suite: Annotated[str, typer.Argument(help="Name of a built-in suite (`maskbench list suites`), or a YAML file.")],
    data: options.DataSource = None,
    target: options.Target = None,
    sensitive: options.Sensitive = None,
    size: options.Size = None,
    limit: options.Limit = None,
    method: options.Methods = None,
    attack: options.Attacks = None,
    recognizer: options.RecognizerName = None,
    ratio: options.Ratios = None,
    seeds: options.Seeds = None,
    device: options.Device = "auto",
    plugin: options.Plugins = None,
    out: options.Out = None,
    store: options.StoreFolder = None,
    pictures: Pictures = True,
    shard: options.ShardOf = None,
    jobs: options.Jobs = None,
    exclusive_timing: options.ExclusiveTiming = False,
    precision: options.Precision = "bfloat16",
    deterministic: options.Deterministic = False,
    ray: options.RayAddress = None,
    gpus_per_stage: options.GpusPerStage = None,
    verbose: options.Verbose = False,
) -> None:
    """Run every method against every attack, and write tables, figures and provenance."""
    console = terminal()
    with console.status("Reading the suite, the plug-ins and the store"):
        from maskbench import running
        from maskbench.artifacts.store import Store
        from maskbench.executors.choose import choose_executor
        from maskbench.executors.hardware import choose_device
        from maskbench.executors.progress import RunProgress
        from maskbench.numerics import Numerics
        from maskbench.planning.sharding import Shard
        from maskbench.planning.suite import load
        from maskbench.report.terminal import print_provisional, print_run

        numerics = Numerics.chosen(precision, deterministic)
        part = None if shard is None else Shard.parse(shard)
        options.load_plugins(plugin)
        overrides = {"methods": method, "attacks": attack, "ratios": ratio, "seeds": seeds}
        about_data = {"source": data, "target": target, "sensitive": sensitive, "size": size, "limit": limit}
        chosen = running.changed(load(suite), overrides, about_data, recognizer)
        running.refuse_places(chosen, out, store)
        executor = choose_executor(
            Store(running.store_folder(store)),
            choose_device(device),
            jobs,
            exclusive_timing=exclusive_timing,
            ray=ray,
            gpus_per_stage=gpus_per_stage,
        )
    with told_when_stopped(), RunProgress(console) as progress:

        def show(results: RunFolder) -> None:
            progress.stop()
            print_run(results, console, verbose=verbose)

        found = running.run_suite(
            chosen,
            executor,
            progress,
            out=out,
            command=running.typed_command(sys.argv[1:]),
            pictures=pictures,
            show=show,
            show_provisional=partial(print_provisional, console=console),
            shard=part,
            numerics=numerics,
        )
    tell_where(found.path, console)
    if len(found.failed):
        raise typer.Exit(exits.FAILED)
