"""The tests that are marked ``cuda``, with their outcomes counted while they run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from gpu_check.job import Job, Notes

OUTCOME = re.compile(r"^(\S+::\S+.*?) (PASSED|FAILED|ERROR|SKIPPED)")
SHOWN = 30


def measure(job: Job, notes: Notes) -> None:
    """Run them, and note counts and the names of those that failed; a stop leaves what was counted."""
    where = job.sized(1, 0)
    paths = ["tests"] if where else ["tests/training/test_augment.py", "tests/training/test_recording.py"]
    # A file that lacks a library here may not keep the others from running.
    options = ["-v", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    command = [sys.executable, "-m", "pytest", *paths, "-m", "cuda", *options]
    counts: dict[str, int] = {}
    failed: list[str] = []
    with subprocess.Popen(command, cwd=Path(job.checkout), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            found = OUTCOME.match(line)
            if found:
                counts[found[2].lower()] = counts.get(found[2].lower(), 0) + 1
                if found[2] in ("FAILED", "ERROR"):
                    failed.append(found[1])
                    notes.add("not passed", failed[:SHOWN])
                notes.add("counts", str(counts))
    notes.add("exit status of pytest", process.returncode)
