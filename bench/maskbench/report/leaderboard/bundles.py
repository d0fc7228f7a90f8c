"""Which bundles lie in some folders, and what each is called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from maskbench.errors import UsageError

_RUN = "run.json"


def bundles_in(folders: Sequence[Path]) -> list[Path]:
    """The run folders among these folders and below them, each once.

    Raises:
        UsageError: a folder is not there, or no run folder lies in one of them.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}: name one that holds run folders, such as results.")
        own = sorted(_below(folder))
        if not own:
            raise UsageError(f"No run folder lies in {folder}: there is no {_RUN} in or below it.")
        found |= {bundle.resolve(): bundle for bundle in own if bundle.resolve() not in found}
    return list(found.values())


def _below(folder: Path) -> Iterator[Path]:
    yield from (file.parent for file in folder.rglob(_RUN))


def bundle_names(bundles: Sequence[Path]) -> list[str]:
    """What each bundle is called: its folder, with the one that it lies in where two are called alike."""
    own = [bundle.resolve().name for bundle in bundles]
    return distinct_names(
        name if own.count(name) == 1 else f"{bundle.resolve().parent.name} {name}"
        for name, bundle in zip(own, bundles, strict=True)
    )


def distinct_names(texts: Iterable[str]) -> list[str]:
    """Names for files and addresses, one for each text: small letters, digits and hyphens, none twice."""
    names: list[str] = []
    for text in texts:
        plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "bundle"
        name, number = plain, 1
        while name in names:
            number += 1
            name = f"{plain}-{number}"
        names.append(name)
    return names
