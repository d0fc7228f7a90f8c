"""The product's command, and how busy the GPU is meanwhile."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gpu_check.job import Job


def run_suite(job: Job, name: str, suite: str, *options: str, seconds: float) -> dict[str, Any]:
    """Run a suite with its results in ``work/name``; a row of what it took.

    Raises:
        RuntimeError: it did not end as it should; the message has its last words.
    """
    out = Path(job.work) / name
    command = [sys.executable, "-m", "maskbench", "run", suite, "--device", job.device, "--out", str(out), *options]
    started = time.monotonic()
    with Usage(job.device) as usage:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=max(seconds, 1), check=False)
    taken = time.monotonic() - started
    print(ended.stdout[-3_000:], ended.stderr[-1_000:], flush=True)
    if ended.returncode not in (0, 1):  # 1: failed cells, which the row counts
        raise RuntimeError(f"exit status {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-300:]}")
    return {"seconds": round(taken, 1), **_cells(out), **usage.row()}


def _cells(out: Path) -> dict[str, Any]:
    import pandas as pd

    cells = pd.read_parquet(out / "cells.parquet")
    counts = cells.groupby("status").size().to_dict()
    timings = pd.read_csv(out / "timings.csv")
    slowest = timings.groupby("stage")["seconds"].sum().sort_values(ascending=False).head(5).round(1).to_dict()
    return {"rows by status": json.dumps(counts), "slowest stages, s": json.dumps(slowest)}


class Usage:
    """Samples how busy the GPU is, once a second, by nvidia-smi; nothing where there is none."""

    def __init__(self, device: str) -> None:
        self._smi = shutil.which("nvidia-smi") if device == "cuda" else None
        self._process: subprocess.Popen[str] | None = None
        self._samples: list[float] = []

    def __enter__(self) -> Usage:
        if self._smi:
            query = [self._smi, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-l", "1"]
            self._process = subprocess.Popen(query, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            output, _ = self._process.communicate()
            self._samples = [float(line) for line in output.split() if line.strip().isdigit()]

    def row(self) -> dict[str, Any]:
        """Mean and median share of the time in which a kernel ran, in per cent."""
        if not self._samples:
            return {}
        return {
            "GPU busy, mean %": round(statistics.mean(self._samples), 1),
            "GPU busy, median %": statistics.median(self._samples),
        }
