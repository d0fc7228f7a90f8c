"""Exit codes of the command; 0 is done. Those of ``compare`` are its result's: ``gate/compare.py``."""

FAILED = 1
"""A regression, a failed check, or failed cells."""

INTERRUPTED = 130
"""Ctrl-C ended a run; what is done is kept."""

TERMINATED = 143
"""SIGTERM ended a run; what is done is kept."""

WRONG_USE = 2
"""Something that does not exist or does not fit was asked for."""
