"""Where may be written: never over the source, nor over anything that is there already."""

from __future__ import annotations

from pathlib import Path

from maskbench.data.paths import nearest_folder, shown
from maskbench.errors import UsageError
from maskbench.releasing.naming import list_beside
from maskbench.releasing.options import Options


def unfinished(destination: Path) -> Path:
    """The folder beside the destination that holds what a release needs until it is finished."""
    return destination.with_name(f"{destination.name}.unfinished")


def check(options: Options) -> tuple[Path, Path]:
    """Check all the places that the user named; return the source's and the destination's absolute path.

    Raises:
        UsageError: the source is not there, or something would be written where it must not be.
    """
    source = _source(options.source)
    destination = options.destination.expanduser().resolve()
    if destination == source or destination.is_relative_to(source):
        raise UsageError(
            f"The destination {destination} is the source or lies in it: name a folder outside of {source}."
        )
    if source.is_relative_to(destination):
        raise UsageError(f"The source {source} lies in the destination {destination}: name another folder.")
    if destination.exists() and not destination.is_dir():
        raise UsageError(f"The destination {destination} is a file: name a folder.")
    if source.is_relative_to(unfinished(destination)):
        raise UsageError(
            f"The source {source} lies in {unfinished(destination)}, which belongs to an unfinished release."
        )
    names = list_beside(destination)
    if options.rename and names.exists() and not options.resume:
        raise UsageError(f"{names} is there already: it is the list of another release, and is not overwritten.")
    if options.load is not None and not options.load.is_file():
        raise UsageError(f"--load {options.load}: there is no such file.")
    if options.save is not None:
        _check_save(options.save.expanduser().resolve(), source, destination, options.resume)
    return source, destination


def is_empty(destination: Path) -> bool:
    """Whether a folder is not there, or has nothing in it."""
    return not destination.exists() or not any(destination.iterdir())


def _source(path: Path) -> Path:
    try:
        path = path.expanduser()
        there = path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"The source {shown(path)} cannot be read: {error}.") from error
    if not there:
        guess = nearest_folder(str(path))
        raise UsageError(f"There is no source {path}.{f' There is a folder {guess}.' if guess else ''}")
    if path.is_file() and path.suffix != ".parquet":
        raise UsageError(f"The source {path} is a file, and no .parquet one: name a folder of images.")
    return path.resolve()


def _check_save(save: Path, source: Path, destination: Path, resume: bool) -> None:
    if save.is_relative_to(destination):
        raise UsageError(
            f"--save {save} lies in the destination, which is handed out; the saved method holds its secret."
        )
    if save.is_relative_to(unfinished(destination)):
        raise UsageError(f"--save {save} lies in {unfinished(destination)}, which goes away when the release is done.")
    if save.is_relative_to(source):
        raise UsageError(f"--save {save} lies in the source, where nothing is written.")
    if save.is_dir():
        raise UsageError(f"--save {save} is a folder: name a file.")
    if save.exists() and not resume:
        raise UsageError(f"--save {save}: there is such a file already, and it is not overwritten.")
