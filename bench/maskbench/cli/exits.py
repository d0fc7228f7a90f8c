"""Exit codes of the command; 0 is done."""

FAILED = 1
"""A regression, a failed check, or failed cells."""

INTERRUPTED = 130
"""Ctrl-C ended a run; what is done is kept."""

TERMINATED = 143
"""SIGTERM ended a run; what is done is kept."""

WRONG_USE = 2
"""Something that does not exist or does not fit was asked for."""

NOT_COMPARABLE = 3
"""Nothing to compare, or two runs that cannot be compared."""

INCOMPLETE = 4
"""Cells that a comparison needs failed or are missing."""
