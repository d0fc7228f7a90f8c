"""The workflows and the script of docs/ci.md are what GitHub and a shell accept."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from maskbench.gate.causes import Causes
from maskbench.planning.suite import load

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'^```(?:yaml|sh) title="([^"]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
WORKFLOWS = [name for name in FILES if name.endswith(".yml")]


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """Hold a workflow against the schema that comes with check-jsonschema: no network."""
    call = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    return subprocess.run(call, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_fit_the_schema(name: str, tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    done = checked(tmp_path / name)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / name).write_text(FILES[name].replace("runs-on", "run-on"), encoding="utf-8")
    assert checked(tmp_path / name).returncode != 0


def test_the_job_that_writes_comments_runs_no_code_of_the_pull_request() -> None:
    first, second = (FILES[name] for name in WORKFLOWS)
    assert "write" not in first.split("jobs:")[0]
    assert "checkout" not in second and "pip install" not in second
    # What comes from the pull request reaches the shell by files, never by substitution.
    assert not re.search(r"run:.*\$\{\{ github\.event\.(?!number)", second)


def test_the_script_keeps_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "gate.sh").write_text(FILES["gate.sh"], encoding="utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()
    for code in (0, 1, 3, 4):
        (programs / "maskbench").write_text(f'#!/bin/sh\n[ "$1" = run ] || exit {code}\n', encoding="utf-8")
        (programs / "maskbench").chmod(0o755)
        call = ["sh", str(tmp_path / "gate.sh")]
        done = subprocess.run(call, env={"PATH": f"{programs}:/usr/bin:/bin"}, capture_output=True, check=False)
        assert done.returncode == code


def test_the_suite_is_what_the_page_says() -> None:
    suite = load("ci")
    assert (len(suite.methods), len(suite.attacks), suite.seeds) == (6, 4, 5)


def test_causes_are_named_as_on_the_page() -> None:
    row = {"stage": "inference", "libraries": "x=1", "parameters": "p", "sources": "s", "inputs": ""}
    causes = Causes.of(
        pd.DataFrame([{**row, "key": "a" * 64}]), pd.DataFrame([{**row, "key": "b" * 64, "sources": "t"}])
    )
    (found,) = causes._between("a" * 16, "b" * 16)
    assert f'"{found}"' in PAGE
