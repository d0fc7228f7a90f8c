"""The GPU check: its arithmetic, its report, parts that fail apart, and a rehearsal of the whole on the CPU."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tiny import own_environment
from trees import CHECKOUT

sys.path.insert(0, str(CHECKOUT / ".ci"))

from gpu_check.__main__ import run_part
from gpu_check.order import PARTS, Part
from gpu_check.parts.standard import extrapolated
from gpu_check.report import REHEARSAL, Report


def test_fifty_thousand_lie_on_the_line_through_two_runs() -> None:
    assert extrapolated(1_000, 20.0, 5_000, 60.0, 50_000) == pytest.approx(10 + 0.01 * 50_000)


def test_the_first_part_ends_within_a_minute_and_names_are_those_of_modules() -> None:
    assert PARTS[0].name == "facts" and PARTS[0].seconds <= 60
    for part in PARTS:
        assert (CHECKOUT / ".ci" / "gpu_check" / "parts" / f"{part.name}.py").is_file()


def _asked() -> argparse.Namespace:
    return argparse.Namespace(device="cpu", data=None)


def _environment() -> dict[str, str]:
    return own_environment([CHECKOUT / ".ci"])


def test_a_part_that_breaks_is_told_and_the_next_one_runs(tmp_path: Path) -> None:
    report = Report(tmp_path / "out", device="cpu", rehearsal=True)
    for part in (Part("nowhere", "A part that is not there", 60), PARTS[0]):
        report.add(part, run_part(part, _asked(), tmp_path, _environment(), 120))
    (found,) = (json.loads(file.read_text()) for file in (tmp_path / "out").glob("cpu-*.json"))
    assert found["parts"]["nowhere"]["status"] == "failed: exit status 1"
    assert "No module named" in found["parts"]["nowhere"]["log"]
    assert found["parts"]["facts"]["status"] == "done"
    assert report.failed == ["nowhere"]
    page = report.markdown.read_text()
    assert REHEARSAL in page and "| nowhere | failed: exit status 1 |" in page and "products of float32" in page


def test_a_part_is_stopped_in_time_and_without_time_it_is_left_out(tmp_path: Path) -> None:
    facts = Part("facts", "facts", 0.2)
    assert run_part(facts, _asked(), tmp_path, _environment(), 60)["status"] == "stopped after 0 s"
    assert run_part(facts, _asked(), tmp_path, _environment(), 3)["status"] == "left out: no time"


def test_the_page_names_all_that_a_bare_machine_must_have() -> None:
    """Each dependency is either there, or among the wheels that are brought."""
    described = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    page = (CHECKOUT / "docs" / "gpu.md").read_text(encoding="utf-8").split("## Check a machine")[1]
    named = {*re.findall(r"`([a-z0-9-]+)`", page), "torch", "torchvision"}
    assert {re.split(r"[<>=~ ;\[]", text)[0] for text in described} - named == set()


def test_a_folder_without_wheels_is_refused(tmp_path: Path) -> None:
    command = [CHECKOUT / ".ci" / "gpu", "--wheels", tmp_path, "--device", "cpu"]
    ended = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and f"there are no wheels in {tmp_path}" in ended.stderr


@pytest.mark.slow
def test_a_rehearsal_runs_every_part(tmp_path: Path) -> None:
    """About a minute of one core."""
    command = [CHECKOUT / ".ci" / "gpu", "--device", "cpu", "--out", tmp_path]
    ended = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr[-1_000:]
    (found,) = (json.loads(file.read_text()) for file in tmp_path.glob("*.json"))
    assert {name: part["status"] for name, part in found["parts"].items()} == dict.fromkeys(
        (part.name for part in PARTS), "done"
    )
    failed = [name for part in found["parts"].values() for name, note in part["notes"].items() if "failed" in str(note)]
    assert failed == []
