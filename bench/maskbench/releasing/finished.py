"""What a call of ``desensitize`` came to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskbench.data.own_output import MANIFEST
from maskbench.errors import UsageError
from maskbench.releasing.naming import list_beside


@dataclass(frozen=True)
class Finished:
    """What came of it.

    Attributes:
        manifest: the content of ``manifest.json``.
        errors: (image, reason) of those that could not be released, by the names of the source.
        names: the list of numbers and names, which is the owner's alone; None where names leave.
        unfinished: the folder that is still needed to try the errors again; None where there are none.
        already: whether all had been done before.
    """

    destination: Path
    manifest: Mapping[str, Any]
    errors: Sequence[tuple[str, str]]
    unfinished: Path | None
    names: Path | None
    already: bool = False


def finished_before(destination: Path, asked: Mapping[str, Any], resume: bool) -> Finished:
    """What a release that is whole already came to.

    Args:
        asked: what decides what a release is, as its manifest has it.
        resume: whether the user wants to go on with what is there.

    Raises:
        UsageError: what is there is no release, is another one, or was not to be gone on with.
    """
    if not resume:
        raise UsageError(f"The destination {destination} is not empty: name an empty or a new folder.")
    try:
        content = json.loads((destination / MANIFEST).read_text(encoding="utf-8"))
        same = content["options"] == json.loads(json.dumps(asked))
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"The destination {destination} is not empty and holds no release to resume.") from None
    if not same:
        raise UsageError(f"The destination {destination} holds a finished release that was made with other options.")
    names = list_beside(destination)
    errors = [(error["file"], error["reason"]) for error in content["errors"]]
    return Finished(destination, content, errors, None, names if names.exists() else None, already=True)
