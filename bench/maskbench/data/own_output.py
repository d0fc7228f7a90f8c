"""What maskbench writes, told apart from data: a release's masks and a run's pictures are never taken for images."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from maskbench.data.paths import shown
from maskbench.errors import UsageError

MANIFEST = "manifest.json"
IMAGES, MASKS = "images", "masks"
"""The folders of a release of pictures: both hold the same relative paths."""

MADE_BY = "maskbench desensitize"
SCHEMA_VERSION = 2

_RUN, _CELLS = "run.json", "cells.parquet"
"""Files that lie together in the folder of a run's results, and in no other."""


def pictures_of(root: Path) -> Path:
    """Return the folder that holds the pictures: of a release, the one that its manifest means; else the folder itself.

    Raises:
        UsageError: it is a release of an older version, whose masks lie beside the pictures.
    """
    manifest = _manifest(root)
    if manifest is None:
        return root
    if manifest.get("made_by") == MADE_BY and (root / IMAGES).is_dir():
        return root / IMAGES
    if manifest.get("schema_version") == 1 and manifest.get("masks") and "versions" in manifest:
        raise UsageError(
            f"{root} is a release of an older version, with masks beside the pictures: move each '.mask.png' out of "
            f"it and delete {MANIFEST}, or release again."
        )
    return root


def refuse_results(folder: Path) -> None:
    """Raise UsageError where a folder holds the results of a run."""
    if (folder / _RUN).is_file() and (folder / _CELLS).is_file():
        raise _results(folder)


def refuse_results_in(root: Path, files: Iterable[PurePosixPath]) -> None:
    """Raise UsageError where one of the folders of these files, relative to ``root``, holds the results of a run."""
    known = set(files)
    for path in known:
        if path.name == _RUN and path.with_name(_CELLS) in known:
            raise _results(root / path.parent)


def _results(folder: PurePath) -> UsageError:
    return UsageError(
        f"{shown(folder)} holds the results of a run, not images: name the folder of the data, or take it out of them."
    )


def _manifest(root: Path) -> dict[str, Any] | None:
    try:
        content = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
