"""One part, in a process of its own: ``python -m gpu_check.one PART JOB NOTES``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from gpu_check.job import Job, Notes


def main() -> None:
    """Run the part that the arguments name."""
    part, job_file, notes_file = sys.argv[1:]
    job = Job.read(Path(job_file))
    importlib.import_module(f"gpu_check.parts.{part}").measure(job, Notes(Path(notes_file), job.seconds))


if __name__ == "__main__":
    main()
