"""The suite ``quick``, and once more with everything in the store."""

from __future__ import annotations

from gpu_check.command import run_suite
from gpu_check.job import Job, Notes

FEW = ("--limit", "120", "--seeds", "1", "-m", "random", "-a", "released")


def measure(job: Job, notes: Notes) -> None:
    """Note what both runs took."""
    options = FEW if job.rehearsal else ()
    for name, folder in (("quick", "quick"), ("quick, from the store", "quick-again")):
        with notes.attempt(name):
            notes.add(name, run_suite(job, folder, "quick", *options, seconds=notes.left()))
