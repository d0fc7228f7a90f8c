"""``.ci/layout``: the source as the wheel lays it out, for a machine that cannot install."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tiny import command, process
from trees import CHECKOUT


def _layout(target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CHECKOUT / ".ci" / "layout", target], capture_output=True, text=True, check=False)


def test_it_runs_without_installation(tmp_path: Path) -> None:
    done = _layout(tmp_path / "source")
    assert done.returncode == 0, done.stderr
    listed = process("list", "methods", "--names", cwd=tmp_path, imports=[tmp_path / "source"])
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout == command("list", "methods", "--names").stdout
    assert not list((tmp_path / "source").rglob("__pycache__"))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "maskbench").mkdir()
    done = _layout(tmp_path)
    assert done.returncode == 2
    assert "there already" in done.stderr
    assert not list((tmp_path / "maskbench").iterdir())
