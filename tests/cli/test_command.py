"""The command itself: quick to answer, and it lists what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from maskbench.cli.list import Listed
from maskbench.cli.main import app
from maskbench.plugins.catalogue import catalogue
from tiny import command, process
from typer.testing import CliRunner

CHECKOUT = Path(__file__).parents[2]


def test_help_answers_at_once() -> None:
    """In time of the processor, which other work on the machine hardly changes."""
    times = []
    for _ in range(3):
        before = os.times()
        assert "run" in process("--help").stdout
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(times) < 0.6


def test_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"maskbench {version('maskbench')}\n"


def test_markdown_explains_a_plugins_own_parameters() -> None:
    table = CliRunner().invoke(app, ["list", "methods", "--markdown"]).stdout
    row = next(line for line in table.splitlines() if line.startswith("| contrastive |"))
    assert "`attribution=integrated-gradients`" in row and "`ratio" not in row
    field = catalogue().get("method", "contrastive").model_fields["weight"]
    assert f"`weight=1.0` {field.description}" in row


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, maskbench.cli.main; print([m for m in ('torch', 'pandas', 'captum', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_list_without_a_kind_counts_every_kind() -> None:
    table = CliRunner().invoke(app, ["list", "--markdown"])
    assert table.exit_code == 0
    rows = [line.strip("| ").split(" | ") for line in table.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == [kind.value for kind in Listed]
    assert all(int(count) > 0 and what for _, count, what in rows)
    assert ["methods", str(len(catalogue().names("method")))] == rows[0][:2]


@pytest.mark.parametrize("kind", [*Listed])
def test_list_shows_plain_words(kind: Listed) -> None:
    assert "``" not in CliRunner().invoke(app, ["list", kind]).stdout


def test_list_shows_what_a_file_brings(tmp_path: Path) -> None:
    file = tmp_path / "brings_a_recognizer.py"
    file.write_text(
        "from typing import ClassVar\nfrom maskbench.models.architecture import Architecture\n\n\n"
        'class Mine(Architecture):\n    """It is mine."""\n\n    name: ClassVar[str] = "my-net"\n    width: int = 4\n'
    )
    shown = CliRunner().invoke(app, ["list", "recognizers", "--markdown", "--plugin", str(file)]).stdout
    assert "| my-net | It is mine. | `width=4` | maskbench |" in shown.splitlines()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("methods", "saliency"),
        ("attacks", "restorer"),
        ("adjustments", "masknet"),
        ("datasets", "digits"),
        ("recognizers", "small"),
        ("attributions", "grad-cam"),
        ("suites", "quick"),
    ],
)
def test_list(kind: str, name: str) -> None:
    names = command("list", kind, "--names")
    assert names.returncode == 0, names.stderr
    assert name in names.stdout.split("\n")
    table = command("list", kind)
    assert name in table.stdout
    assert "name" in table.stdout
