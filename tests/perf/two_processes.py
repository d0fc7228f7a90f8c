"""What a second core is worth here: two bare processes against one, which no scheduler of ours can beat."""

from __future__ import annotations

import subprocess
import sys

import pytest
from maskbench.parallel import usable_cores
from tiny import own_environment

MATRIX = 1024
PRODUCTS = 120
"""Of one measurement; some three seconds of one core."""

STEADY = 1.15
"""Two measurements of the same differ by less than this, or else other work began or ended between them."""

_CODE = f"""
import sys, time, torch
torch.set_num_threads(1)
square = torch.rand({MATRIX}, {MATRIX})
square @ square
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    for _ in range(int(line)):
        square @ square
    print(time.perf_counter() - began, flush=True)
"""


class BareProcesses:
    """Two processes that multiply matrices and do nothing else, on one thread each."""

    def __init__(self) -> None:
        if usable_cores() < 2:
            pytest.skip(f"needs two cores; this process may use {usable_cores()}")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": own_environment()}
        self._processes = [subprocess.Popen([sys.executable, "-c", _CODE], **pipes) for _ in range(2)]
        for process in self._processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"

    def __enter__(self) -> BareProcesses:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.communicate()

    def speeds(self) -> tuple[float, float]:
        """Operations a second of one process alone, and of both together."""
        one = self._seconds(self._processes[:1], PRODUCTS)
        both = self._seconds(self._processes, PRODUCTS)
        work = 2.0 * MATRIX**3 * PRODUCTS
        return work / one, 2 * work / both

    @staticmethod
    def _seconds(processes: list[subprocess.Popen[str]], count: int) -> float:
        """Until the last of them has done so many products."""
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
        return max(float(process.stdout.readline()) for process in processes if process.stdout is not None)


def skip_unless_steady(before: tuple[float, float], after: tuple[float, float]) -> None:
    """Skip where the machine was not the same before a measurement and after it."""
    for one, other in zip(before, after, strict=True):
        if max(one, other) > STEADY * min(one, other):
            pytest.skip(f"other work came or went: {one / 1e9:.1f} GFLOP/s before, {other / 1e9:.1f} after")
