"""Which code a bundle was made by, beside the code that checks it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from maskbench.artifacts.modules import source_file
from maskbench.artifacts.syntax import code_hash
from maskbench.results.timings import SHORT
from maskbench.version import own_version

_NAMED = 3  # of the modules that differ


def differences(provenance: Mapping[str, Any]) -> Iterator[str]:
    """What was made by other code than that of today, one sentence each; numbers may be right nonetheless."""
    version = provenance.get("maskbench")
    if version != own_version():
        yield f"It was made with maskbench {version}, and this is {own_version()}."
    recorded: Mapping[str, str] = provenance.get("code") or {}
    if not recorded:
        yield "run.json does not say which code ran: it was written by an older maskbench."
    hashes = {module: _own_hash(module) for module in recorded}
    unknown = [module for module, own in hashes.items() if own is None]
    other = [module for module, own in hashes.items() if own is not None and own != recorded[module]]
    if other:
        yield (
            f"{len(other)} of {len(recorded)} modules that ran differ from those installed here ({_shown(other)}): "
            "a run of today may find other numbers."
        )
    if unknown:
        yield f"{len(unknown)} modules that ran are not installed here: {_shown(unknown)}."
    if (provenance.get("git") or {}).get("changed"):
        yield "It was made from a checkout with changes that no commit holds."


@cache
def _own_hash(module: str) -> str | None:
    """The hash of a module's code as it is installed here; None where it is not."""
    path = source_file(module)
    return None if path is None else code_hash(ast.parse(path.read_text(encoding="utf-8")))[:SHORT]


def _shown(modules: list[str]) -> str:
    more = len(modules) - _NAMED
    return ", ".join(modules[:_NAMED]) + (f" and {more} more" if more > 0 else "")
