"""``maskbench desensitize`` as it is typed: exit codes, messages, no traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from maskbench.cli import main as entry
from PIL import Image


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for code, name in enumerate(("a", "b")):
        (tmp_path / "src" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.random.default_rng(10 * code + number).integers(1, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "src" / name / f"{number}.png")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    return tmp_path


def _run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["maskbench", "desensitize", *arguments])
    with pytest.raises(SystemExit) as left:
        entry.main()
    return int(left.value.code or 0)


def test_done(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("src", "dst", "--method", "random:patch=2", "--ratio", "0.5", monkeypatch=monkeypatch) == 0
    assert "8 of 8 images are in" in capsys.readouterr().out
    assert len(list((here / "dst").glob("masks/*/*.png"))) == 8


def test_errors_are_counted_and_exit_with_one(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        (here / "src" / "a" / f"bad{number:02}.jpg").write_bytes(b"\xff\xd8 not really")
    assert _run("src", "dst", "-m", "random", "--no-masks", monkeypatch=monkeypatch) == 1
    printed = capsys.readouterr()
    assert "12 could not be released" in printed.out
    assert "a/bad00.jpg: it is no image" in printed.out
    assert "and 2 more" in printed.out
    assert "Traceback" not in printed.out + printed.err


def test_notes(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("src", "dst", "-m", "raw", "--seed", "1", "--recognizer", "small", monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "'raw' releases the images as they are" in printed
    assert "guesses --seed" in printed
    assert "--recognizer is not used" in printed


def test_save_and_load(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run("src", "one", "-m", "scramble", "--save", "m.safetensors", monkeypatch=monkeypatch) == 0
    assert _run("src", "two", "--load", "m.safetensors", monkeypatch=monkeypatch) == 0
    for path in (here / "one").glob("images/*/*.png"):
        assert path.read_bytes() == (here / "two" / path.relative_to(here / "one")).read_bytes()


CASES = {
    "no method": (("src", "dst"), "--method saliency"),
    "method and load": (("src", "dst", "-m", "random", "--load", "full/precious.txt"), "--load FILE"),
    "unknown method": (("src", "dst", "-m", "randon"), "did you mean 'random'"),
    "misspelt parameter": (("src", "dst", "-m", "random:pach=4"), "did you mean 'patch'"),
    "a method without a ratio": (("src", "dst", "-m", "raw", "--ratio", "0.5"), "takes no ratio"),
    "two ratios": (("src", "dst", "-m", "random:ratio=0.5", "--ratio", "0.5"), "given twice"),
    "ratio above one": (("src", "dst", "-m", "random", "--ratio", "1.5"), "less than or equal to 1"),
    "no source": (("scr", "dst", "-m", "random"), "There is a folder src"),
    "into the source": (("src", "src/dst", "-m", "random"), "lies in it"),
    "not empty": (("src", "full", "-m", "random"), "not empty"),
    "nothing to resume": (("src", "full", "-m", "random", "--resume"), "no release to resume"),
    "tiny size": (("src", "dst", "-m", "random", "--size", "0"), "the smallest is 1"),
    "no limit": (("src", "dst", "-m", "random", "--limit", "0"), "the smallest is 1"),
    "no epochs": (("src", "dst", "-m", "saliency", "--epochs", "0"), "the smallest is 1"),
    "unknown recognizer": (("src", "dst", "-m", "saliency", "--recognizer", "smal"), "did you mean 'small'"),
    "unknown column": (("src", "dst", "-m", "saliency", "--target", "lable"), "did you mean 'label'"),
    "no saved method": (("src", "dst", "--load", "none.safetensors"), "no such file"),
    "a saved method that is none": (("src", "dst", "--load", "full/precious.txt"), "Cannot read a saved method"),
    "a ratio for a saved method": (("src", "dst", "--load", "full/precious.txt", "--ratio", "0.5"), "does not go with"),
    "unknown device": (("src", "dst", "-m", "random", "--device", "gpu"), "expected auto, cpu, cuda"),
    "destination below a file": (("src", "full/precious.txt/dst", "-m", "random"), "precious.txt"),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_use(case: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = CASES[case]
    before = sorted(here.rglob("*"))
    assert _run(*arguments, monkeypatch=monkeypatch) == 2
    printed = capsys.readouterr()
    assert message in " ".join(printed.err.split()), printed.err
    assert "Traceback" not in printed.err + printed.out
    assert sorted(here.rglob("*")) == before
