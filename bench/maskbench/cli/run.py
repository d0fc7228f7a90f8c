"""``maskbench run SUITE``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from maskbench.cli import exits, options
from maskbench.cli.console import terminal


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
) -> None:
    """Run every method against every attack, and write tables, figures and provenance."""
    console = terminal()
    with console.status("Reading the suite, the plug-ins and the store"):
        from maskbench.cli.progress import RunProgress
        from maskbench.executors.hardware import choose_device
        from maskbench.planning.suite import load
        from maskbench.report.judgement import Judgement
        from maskbench.report.terminal import print_run
        from maskbench.results.write import choose_folder, draw_figures, write_tables
        from maskbench.running import execute

        options.load_plugins(plugin)
        overrides = {"methods": method, "attacks": attack, "ratios": ratio, "seeds": seeds}
        chosen = load(suite, {key: value for key, value in overrides.items() if value is not None})
        chosen = _with_data(chosen, data, target, sensitive, size, limit, recognizer)
        folder = choose_folder(out, chosen.name)
        where = choose_device(device)
    with RunProgress(console) as progress:
        result = execute(chosen, options.store_folder(store), where, progress)
    judgement = Judgement(result.tables)
    with console.status("Writing tables"):
        write_tables(result, judgement, folder)
    print_run(result, judgement, console)
    with console.status("Drawing figures"):
        draw_figures(result, judgement, folder)
    console.print(f"Results: {escape(str(folder))}", highlight=False, soft_wrap=True)
    if result.failed:
        raise typer.Exit(exits.FAILED)


def _with_data(
    suite: Any,
    data: str | None,
    target: str | None,
    sensitive: str | None,
    size: int | None,
    limit: int | None,
    recognizer: str | None,
) -> Any:
    """Replace what the user named. Other data or another target bring their own labels, not the suite's."""
    from maskbench.planning.suite import validate

    content = suite.model_dump()
    given = {"source": data, "target": target, "sensitive": sensitive, "size": size, "limit": limit}
    if data is not None:
        content["data"] = {}
    elif target is not None:
        content["data"] |= {"sensitive": None}
    content["data"] |= {key: value for key, value in given.items() if value is not None}
    if recognizer is not None:
        content["settings"]["recognizer"] = recognizer
    return validate(content, "Options")
