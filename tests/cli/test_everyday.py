"""What a user types every day: help with examples, suites when none is named, a plan, and slips answered at once."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import maskbench as mb
import pytest
from maskbench.artifacts.store import Store
from maskbench.cli.examples import EXAMPLES
from maskbench.cli.units import shown_bytes, shown_seconds
from maskbench.executors.forecast import forecast
from maskbench.planning.built_in import suite_names
from maskbench.planning.prepare import prepare
from subcommands import COMMANDS
from tiny import command, tiny
from trees import CHECKOUT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_examples(name: str) -> None:
    assert EXAMPLES[name]
    shown = command(*name.split(), "--help").stdout
    for example in EXAMPLES[name]:
        assert f"maskbench {example}" in " ".join(shown.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_can_be_typed(name: str) -> None:
    for example in EXAMPLES[name]:
        words = shlex.split(example)
        assert words[: len(name.split())] == name.split()
        COMMANDS[name].make_context(name, words[len(name.split()) :])


def test_run_without_a_suite_lists_them() -> None:
    told = command("run")
    assert told.returncode == 0
    for name in suite_names():
        assert name in told.stdout
    assert "about a minute on two idle cores" in " ".join(told.stdout.split())
    assert "maskbench run quick" in told.stdout


@pytest.mark.parametrize("words", [("run", "quik"), ("rum",), ("run", "quick", "--limt", "3"), ("run",)])
def test_a_slip_is_answered_before_what_takes_seconds_to_import(words: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['maskbench', *{words!r}]\n"
        "from maskbench.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as left:\n    code = left.code\n"
        "print(code, [m for m in ('torch', 'pandas', 'numpy', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == ("0 []" if words == ("run",) else "2 []"), done.stderr


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in command("--help").stdout


def test_list_says_what_to_type_next() -> None:
    assert "Next: `maskbench list methods`" in command("list").stdout


SUITE = """
name: planned
data: {source: digits, limit: 120, size: 16}
methods: [raw]
attacks: [released]
seeds: 1
settings: {scored: 16, recognition: {epochs: 1}}
"""


def test_a_plan_runs_nothing_and_tells_stored_from_what_is_to_be_made(tmp_path: Path) -> None:
    (tmp_path / "planned.yaml").write_text(SUITE)
    words = ("run", str(tmp_path / "planned.yaml"), "--store", str(tmp_path / "store"), "--jobs", "0")
    told = command(*words, "--plan", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert not list((tmp_path / "store" / "objects").iterdir()) and not (tmp_path / "runs").exists()
    assert "Nothing was run" in told.stdout and "theirs is a guess" in told.stdout

    mb.run(str(tmp_path / "planned.yaml"), store=tmp_path / "store", out=tmp_path / "out", device="cpu", progress=False)
    told = command(*words, "--plan", cwd=tmp_path)
    assert "0 stages to make." in told.stdout and "guess" not in told.stdout
    told = command(*words, "--plan", "--seeds", "2", cwd=tmp_path)
    assert "guess" not in told.stdout, "like stages of the first seed were timed"
    assert "Disk:" in told.stdout and "?" not in told.stdout


def test_what_was_timed_tells_time_and_disk(tmp_path: Path) -> None:
    """Of stages that nothing like was made of, the time is a guess and the disk is not known."""
    _, plan = prepare(tiny(), "cpu")
    kinds = forecast(plan, Store(tmp_path / "store"))
    assert sum(kind.stages for kind in kinds) == len(plan.steps)
    assert all(kind.stored == 0 and kind.unlike == kind.stages and kind.bytes is None for kind in kinds)
    assert all(kind.seconds > 0 for kind in kinds)


def test_units() -> None:
    assert [shown_bytes(size) for size in (0, 999, 1_500_000)] == ["0 B", "999 B", "1.5 MB"]
    assert [shown_seconds(seconds) for seconds in (89, 120, 5400)] == ["89 s", "2 min", "1.5 h"]
