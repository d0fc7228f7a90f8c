"""Runs in interpreters of their own that leave what was found, and no report and no figures: those take seconds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tiny import own_environment

_CODE = """
import sys
from pathlib import Path
import torch
from maskbench.artifacts.store import Store
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.planning.suite import load
from maskbench.results.execute import execute
from maskbench.running import results_of
suite, store, out = sys.argv[1:]
execution = execute(load(suite), LocalExecutor(Store(Path(store)), torch.device("cpu")), Silent())
results_of(execution, pictures=False).write(Path(out))
"""


def run_bare(folder: Path, suite: str, out: str, *, imports: Sequence[Path] = ()) -> Path:
    """Run a suite with the store ``store``, both in a folder; the run folder in it, whatever became of the cells.

    Args:
        imports: folders that it imports from before those of this process.
    """
    call = [sys.executable, "-c", _CODE, suite, "store", out]
    done = subprocess.run(call, cwd=folder, env=own_environment(imports), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / out
