"""``maskbench desensitize SRC DST``."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from maskbench.cli import exits, options
from maskbench.cli.console import terminal
from maskbench.errors import UsageError

if TYPE_CHECKING:
    from maskbench.releasing.finished import Finished

_SHOWN = 10  # errors that are printed; the manifest has them all

Source = Annotated[
    Path,
    typer.Argument(help="Folder of images (with or without class folders), or Parquet folder or file.", metavar="SRC"),
]
Destination = Annotated[Path, typer.Argument(help="New or empty folder for the release.", metavar="DST")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of the recognizers that saliency methods train.", metavar="N")]
Seed = Annotated[
    int | None,
    typer.Option(help="Repeat a release. Whoever guesses it can too; without it the secret is drawn.", metavar="N"),
]
Masks = Annotated[bool, typer.Option("--masks/--no-masks", help="Write the masks too. Leaving them out hides little.")]
Rename = Annotated[
    bool,
    typer.Option("--rename", help="Number the pictures in random order; the list of their names stays beside DST."),
]
Save = Annotated[
    Path | None,
    typer.Option(help="Keep the fitted method, with its secret, for later images.", metavar="FILE.safetensors"),
]
Load = Annotated[
    Path | None, typer.Option(help="Apply a saved method instead of fitting one.", metavar="FILE.safetensors")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a release that was cut off or had errors.")]


def desensitize(
    source: Source,
    destination: Destination,
    method: options.OneMethod = None,
    ratio: options.OneRatio = None,
    size: options.Size = None,
    limit: options.Limit = None,
    target: options.Target = None,
    sensitive: options.Sensitive = None,
    recognizer: options.RecognizerName = None,
    epochs: Epochs = None,
    seed: Seed = None,
    masks: Masks = True,
    rename: Rename = False,
    save: Save = None,
    load: Load = None,
    resume: Resume = False,
    device: options.Device = "auto",
    plugin: options.Plugins = None,
) -> None:
    """Apply a method to your own images: PNGs or Parquet with masks, and a manifest of how they were made."""
    console = terminal()
    with console.status("Reading the plug-ins"):
        from maskbench.executors.hardware import choose_device
        from maskbench.releasing.command import desensitize as release

        options.load_plugins(plugin)
        where = choose_device(device)
    with _Watcher(console) as watcher:
        try:
            finished = release(
                source,
                destination,
                method,
                ratio=ratio,
                size=size,
                limit=limit,
                target=target,
                sensitive=sensitive,
                recognizer=recognizer,
                epochs=epochs,
                seed=seed,
                masks=masks,
                rename=rename,
                save=save,
                load=load,
                resume=resume,
                device=where,
                watcher=watcher,
            )
        except OSError as error:
            raise UsageError(f"{error}. What is done is kept: mend it and go on with --resume.") from error
    _tell(finished, source, console)
    if finished.errors:
        raise typer.Exit(exits.FAILED)


class _Watcher:
    """A bar on a terminal, and remarks."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bars.add_task("", total=1.0, visible=False)
        self._what = ""

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def progress(self, what: str, share: float) -> None:
        """See ``Watcher``. Where there is no terminal, one line when something else begins."""
        if what != self._what:
            self._what = what
            self._bars.reset(self._task, total=1.0, description=escape(what), visible=True)
            if not self._console.is_terminal:
                self._console.print(escape(what), highlight=False)
        self._bars.update(self._task, completed=share)

    def remark(self, text: str) -> None:
        """See ``Watcher``."""
        self._console.print(f"[yellow]Note:[/] {escape(text)}", highlight=False, soft_wrap=True)


def _tell(finished: Finished, source: Path, console: Console) -> None:
    images = finished.manifest["images"]
    count = images["released"] + images["errors"]
    before = "Finished before: " if finished.already else ""
    console.print(
        f"{before}{images['released']} of {count} images are in {escape(str(finished.destination))}.",
        highlight=False,
        soft_wrap=True,
    )
    for rule, times in finished.manifest["conversions"].items():
        console.print(f"- {times}: {escape(rule)}", highlight=False, soft_wrap=True)
    if finished.names is not None:
        console.print(
            f"{escape(str(finished.names))} says which number is which picture: keep it to yourself.",
            highlight=False,
            soft_wrap=True,
        )
    errors = finished.errors
    if not errors:
        _tell_next(source, finished, console)
        return
    console.print(f"[bold red]{len(errors)} could not be released:[/]", highlight=False)
    for name, reason in errors[:_SHOWN]:
        console.print(f"- {escape(name)}: {escape(reason)}", highlight=False, soft_wrap=True)
    if len(errors) > _SHOWN:
        console.print(f"- and {len(errors) - _SHOWN} more, all in manifest.json.", highlight=False)
    if finished.unfinished is not None:
        console.print(
            f"Mend them and go on with --resume. Until then {escape(str(finished.unfinished))} holds the secret of "
            "this release: keep it to yourself, or delete it when you are done.",
            highlight=False,
            soft_wrap=True,
        )


def _tell_next(source: Path, finished: Finished, console: Console) -> None:
    """Where to go from here: whether the release may be handed out, it does not say."""
    command = f"maskbench run --data {shlex.quote(_as_data(source))}"
    labels = [" --labels FILE.csv"] if _needs_labels(source) else []
    labels += [f" --{name} {shlex.quote(str(value))}" for name, value in _labels(finished).items() if value]
    manifest = shlex.quote(str(finished.destination / "manifest.json"))
    console.print(
        f"Next: measure what this release leaks, before it leaves: {escape(command)} --release {escape(manifest)}"
        f"{escape(''.join(labels))}",
        highlight=False,
        soft_wrap=True,
    )


def _as_data(source: Path) -> str:
    """The source as ``--data`` takes it: a relative folder could be the name of a built-in set."""
    text = str(source.parent if source.is_file() else source)
    return text if source.is_absolute() or text.startswith((".", "~")) else f"./{text}"


def _needs_labels(source: Path) -> bool:
    """Whether images lie in no class folder and come without labels, so that a run asks for a file of them."""
    from maskbench.data.image_files import IMAGE_SUFFIXES
    from maskbench.data.label_files import METADATA

    if not source.is_dir() or any((source / name).is_file() for name in METADATA):
        return False
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in source.iterdir())


def _labels(finished: Finished) -> dict[str, object]:
    asked = finished.manifest["options"]
    return {name: asked.get(name) for name in ("target", "sensitive")}
