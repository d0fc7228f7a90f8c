"""A release says by its manifest how it was made, so that a run measures that very method."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from maskbench.errors import UsageError
from maskbench.planning.suite import Suite
from maskbench.releasing.measured import released_by
from PIL import Image
from tiny import command


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Six pictures in two class folders, in a folder whose name needs quotes."""
    root = tmp_path / "my pictures"
    for number in range(6):
        place = root / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(1, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place)
    return root


@pytest.mark.parametrize(
    ("typed", "flags", "label"),
    [
        ("random:patch=2", ("--ratio", "0.5"), "random:ratio=0.5,patch=2"),
        ("random", ("--ratio", "0.5", "--no-masks"), "random:ratio=0.5,masks=withheld"),
        ("pixelate:block=8", ("--size", "16"), "pixelate:block=8"),
    ],
)
def test_the_method_comes_back_with_its_parameters(
    source: Path, tmp_path: Path, typed: str, flags: tuple[str, ...], label: str
) -> None:
    done = command("desensitize", str(source), str(tmp_path / "out"), "-m", typed, *flags)
    assert done.returncode == 0, done.stderr
    method, size = released_by(tmp_path / "out" / "manifest.json")
    assert method.label() == label
    assert size == (16 if "--size" in flags else None)


def test_what_to_run_next_is_said_and_runs(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = command("desensitize", str(source), str(tmp_path / "out"), "-m", "random", "--ratio", "0.25", "--size", "16")
    line = next(line for line in done.stdout.splitlines() if line.startswith("Next:"))
    arguments = shlex.split(line.partition("maskbench ")[2])
    asked: list[Suite] = []

    class Asked(Exception):
        """The suite is known; nothing is to be run."""

    def run_suite(suite: Suite, *given: object, **named: object) -> None:
        asked.append(suite)
        raise Asked

    monkeypatch.setattr("maskbench.running.run_suite", run_suite)
    with pytest.raises(Asked):
        command(*arguments)
    assert asked[0].methods == ("random:ratio=0.25",)
    assert (asked[0].data.source, asked[0].data.size) == (str(source), 16)


def test_what_to_run_next_asks_for_labels_where_there_are_none(source: Path, tmp_path: Path) -> None:
    done = command("desensitize", str(source / "a"), str(tmp_path / "out"), "-m", "random")
    assert "--labels FILE.csv" in done.stdout.splitlines()[-1]


def test_what_is_no_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        released_by(tmp_path / "none.json")
    for content in ("no json", "[]", json.dumps({"made_by": "somebody else"})):
        (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(UsageError, match="is no manifest of a release"):
            released_by(tmp_path)


def test_a_release_names_the_method(source: Path, tmp_path: Path) -> None:
    done = command("run", "quick", "--release", str(tmp_path), "-m", "random")
    assert done.returncode == 2
    assert "leave --method out" in done.stderr
