"""Folders that a user names."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path, PurePath

from maskbench.errors import UsageError

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def as_text(path: PurePath | str) -> str:
    """A path as text that can be written anywhere: bytes that are no UTF-8 become ``\\\\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def one_line(text: str) -> str:
    """A text without line breaks and other control characters, nor what turns the direction of writing."""
    return _TURNS.sub("", _CONTROLS.sub(" ", text))


def shown(path: PurePath | str) -> str:
    """A path as messages show it: as text, on one line."""
    return one_line(as_text(path))


def existing_folder(text: str) -> Path | None:
    """Return the absolute path of the folder that `text` names, or None if there is none.

    Raises:
        UsageError: it may not be looked into.
    """
    try:
        path = Path(text).expanduser()
        return path.resolve() if text and path.is_dir() else None
    except PermissionError as error:
        raise UsageError(f"The folder '{text}' cannot be read: {error.strerror}.") from error
    except (OSError, ValueError, RuntimeError):  # no name that a file can have, or nobody's home folder
        return None


def nearest_folder(text: str) -> str | None:
    """Return the folder that exists beside the missing one that `text` names and is called most like it."""
    try:
        missing = Path(text).expanduser()
        names = [path.name for path in missing.parent.iterdir() if path.is_dir()]
    except (OSError, ValueError, RuntimeError):
        return None
    close = difflib.get_close_matches(missing.name, names, n=1)
    return str(missing.parent / close[0]) if close else None


def parquet_files(root: Path) -> list[Path]:
    """Return the Parquet files of a folder, or else of its subfolder ``data``, sorted; hidden ones are passed over."""
    return _parquet_files_in(root) or _parquet_files_in(root / "data")


def _parquet_files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
