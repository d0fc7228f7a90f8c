"""The errors maskbench raises on purpose, each with a message that says what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MaskbenchError(Exception):
    """Base of every error that is shown as one clear message instead of a traceback."""


class UsageError(MaskbenchError):
    """The user asked for something that does not exist or does not fit (exit code 2)."""


class ContractViolation(MaskbenchError):
    """A plug-in broke its contract; the message names what was promised and what came (a failed cell)."""


class Unavailable(MaskbenchError):
    """Something cannot run here or on these data, for a stated reason (an unavailable cell, not a failure)."""


class TimeLimitReached(MaskbenchError):
    """Work took longer than it is allowed to."""


class DamagedArtifact(MaskbenchError):
    """A stored artifact does not match its checksum or its description."""


class PartFailed(MaskbenchError):
    """A table or a figure could not be made; what the run found is none the worse for it (exit code 1)."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return a sentence that names the closest valid name, and all of them: ``did you mean …``."""
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    guess = f"; did you mean '{close[0]}'?" if close else "."
    return f"{guess} Valid: {', '.join(names)}." if names else guess


def unknown(kind: str, name: str, valid: Iterable[str]) -> UsageError:
    """Build the error for a name that nothing answers to."""
    return UsageError(f"There is no {kind} named '{name}'{nearest(name, valid)}")
