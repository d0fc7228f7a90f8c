"""The import of a plug-in's module: what it may raise, and what it must leave as it was."""

from __future__ import annotations

from contextlib import AbstractContextManager

FAILURES = (Exception, SystemExit)
"""What a plug-in's module may raise when it is imported, without taking the program with it."""


def complaint(changed: list[str]) -> str:
    """What to say of an import that changed what is not its own."""
    from maskbench.executors.pinned import complaint

    return complaint(changed)


def watched(changed: list[str]) -> AbstractContextManager[None]:
    """Note what an import changes that is not its own, and put it back: no key would tell of it."""
    # Imported where code of others runs, which imports torch itself; listing names does without.
    from maskbench.executors.functions import Functions
    from maskbench.executors.pinned import pinned

    return pinned(0, Functions(), changed)
