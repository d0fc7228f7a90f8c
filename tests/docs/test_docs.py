"""The pages for authors and suites: every command and every block of code is run, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from maskbench.conformance.adjustments import ADJUSTMENT_CHECKS
from maskbench.conformance.attacks import ATTACK_CHECKS
from maskbench.conformance.check import Check
from maskbench.conformance.methods import METHOD_CHECKS
from tiny import command

CHECKOUT = Path(__file__).parents[2]
PAGES = CHECKOUT / "docs"
RUN = {"add-a-method.md": METHOD_CHECKS, "add-an-attack.md": ATTACK_CHECKS}

EXECUTED = (*RUN, "python.md", "suites.md")

CAPTURED: dict[str, Any] = {"capture_output": True, "text": True, "check": False}

_BLOCK = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(language, title, content) of every fenced block of a page, in order."""
    return _BLOCK.findall((PAGES / page).read_text(encoding="utf-8"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Where ``maskbench`` and ``pytest`` are those of this process, whatever is installed."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, call in {"maskbench": "maskbench", "pytest": "pytest"}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {call} "$@"\n')
        program.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def _run(line: str, folder: Path, environment: dict[str, str]) -> None:
    """Run a line of a page as a shell would; ``maskbench`` itself in this process, which has imported it already."""
    name, *arguments = shlex.split(line, comments=True) or [""]
    if name == "maskbench" and not set(line) & set("|&;<>$`*"):
        _done(command(*arguments, cwd=folder), line)
    else:
        _done(subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=folder, env=environment, **CAPTURED), line)


def _done(done: subprocess.CompletedProcess[str], what: str) -> None:
    assert done.returncode == 0, f"{what}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", EXECUTED)
def test_every_block_runs(page: str, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for language, title, content in blocks(page):
        if title:
            assert language in ("python", "toml", "yaml"), title
            if language == "toml":
                tomllib.loads(content)
            (folder / title).write_text(content, encoding="utf-8")
            continue
        if language == "bash":
            for line in content.splitlines():
                _run(line, folder, environment)
        else:
            assert language == "python", language
            _done(subprocess.run([sys.executable, "-c", content], cwd=folder, env=environment, **CAPTURED), content)


@pytest.mark.parametrize("page", RUN)
def test_every_file_that_is_written_is_used(page: str) -> None:
    commands = " ".join(content for language, title, content in blocks(page) if language == "bash" and not title)
    files = [title for _, title, _ in blocks(page) if title.endswith(".py")]
    assert len(files) >= 3
    assert [file for file in files if file not in commands] == []


@pytest.mark.parametrize(("page", "checks"), RUN.items())
def test_the_table_names_every_check(page: str, checks: tuple[Check, ...]) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    named = [name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]
    assert sorted(named) == sorted(check.name for check in checks)


def test_checks_have_names_of_their_own() -> None:
    for checks in (METHOD_CHECKS, ATTACK_CHECKS, ADJUSTMENT_CHECKS):
        assert len({check.name for check in checks}) == len(checks)
