"""maskbench from Python: run, load, and what comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import maskbench as mb
import pandas as pd
import pytest
from maskbench.results.provenance import command_line
from tiny import FAST, command
from torch import Tensor

SUITE: dict[str, Any] = {
    "name": "small",
    "data": {"source": "digits", "limit": 100},
    "methods": ["random"],
    "attacks": ["telea"],
    "seeds": 1,
    "settings": {"scored": 16, "recognition": FAST, "attack": FAST, "restoration": FAST},
}


class Darkest(mb.MaskMethod):
    """Keep the darkest places."""

    name: ClassVar[str] = "darkest-here"

    def scores(self, images: Tensor, given: mb.Given) -> Tensor:
        return -images.mean(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> mb.Run:
    """A run of a class, an instance and a name."""
    root = tmp_path_factory.mktemp("python")
    methods = [Darkest, mb.method("pixelate:block=2"), "random"]
    return mb.run(SUITE, methods=methods, out=root / "out", store=root / "store", device="cpu", progress=False)


def test_classes_instances_and_names_stand_side_by_side(done: mb.Run) -> None:
    assert done.provenance["methods"] == ["raw", "full-mask", "darkest-here", "pixelate:block=2", "random"]
    assert set(done.cells["status"]) == {"ok"}
    assert list(done.summary["method"]) == done.provenance["methods"]
    assert done.summary.set_index("method").loc["darkest-here", "accuracy"] > 0


def test_what_was_run_can_be_loaded(done: mb.Run) -> None:
    again = mb.load(done.path)
    pd.testing.assert_frame_equal(again.cells, done.cells)
    pd.testing.assert_frame_equal(again.samples, done.samples)
    assert [flag.finding for flag in again.flags] == [flag.finding for flag in done.flags]
    assert repr(again) == repr(done) and "8 of 8 cells ok" in repr(done)


def test_it_shows_itself_in_a_notebook(done: mb.Run) -> None:
    assert "<table" in done._repr_html_() and "darkest-here" in done._repr_html_()
    (axes,) = done.plot().axes
    assert "accuracy" in axes.get_ylabel() and "restoration" in axes.get_xlabel(), "no attack of this suite infers"


def test_pictures_are_left_out_where_asked(tmp_path: Path, done: mb.Run) -> None:
    assert list((done.path / "pictures").glob("*.png"))
    store = done.path.parent / "store"
    without = mb.run(SUITE, out=tmp_path / "out", store=store, device="cpu", pictures=False, progress=False)
    assert not list(without.path.rglob("pictures*"))


def test_results_lie_in_runs_by_default(tmp_path: Path, done: mb.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKBENCH_STORE", str(done.path.parent / "store"))
    found = mb.run(SUITE, device="cpu", progress=False)
    assert found.path.parent == Path("runs") and found.path.name.startswith("small-")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"methods": ["ramdom"]}, "did you mean 'random'"),
        ({"methods": "random"}, r"write a list, methods=\['random'\]"),
        ({"ratios": [1.5]}, "share that is hidden"),
        ({"seeds": 0}, "seeds"),
        ({"device": "tpu"}, "expected auto, cpu, cuda"),
        ({"data": "nowhere"}, "no data source named 'nowhere'"),
    ],
)
def test_wrong_use_is_said_before_the_work(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(mb.UsageError, match=message):
        mb.run(SUITE, out=tmp_path / "out", store=tmp_path / "store", progress=False, **wrong)
    assert not (tmp_path / "out").exists()


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from typing import ClassVar\n"
        "import maskbench as mb\n"
        "class Mine(mb.MaskMethod):\n"
        '    """Keep the brightest."""\n'
        '    name: ClassVar[str] = "mine"\n'
        "    def scores(self, images, given):\n"
        "        return images.mean(dim=1, keepdim=True)\n"
        f"suite = {SUITE!r}\n"
        "run = mb.run(suite, methods=[Mine], out='out', store='store', device='cpu', progress=False)\n"
        "print(run)\n"
    )
    done = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "5 of 5 cells ok" in done.stdout


def test_the_command_is_kept_without_folders(tmp_path: Path, done: mb.Run) -> None:
    suite = tmp_path / "suite.json"
    suite.write_text(json.dumps(SUITE))
    store = str(done.path.parent / "store")
    ran = command("run", str(suite.rename(tmp_path / "s.yaml")), "--store", store, "--out", "out", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert mb.load(tmp_path / "out").provenance["command"] == "maskbench run s.yaml --store store --out out"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("/home/me/faces", "faces"),
        ("--data=/home/me/faces", "--data=faces"),
        ("lama:weights=/w/big.pt,enlarge=0", "lama:weights=big.pt,enlarge=0"),
        ("hf:org/name", "hf:org/name"),
        ("C:\\pictures\\faces", "C:faces"),
        ("random:ratio=0.5", "random:ratio=0.5"),
    ],
)
def test_of_paths_the_last_part_alone_is_kept(typed: str, kept: str) -> None:
    assert command_line(["run", typed]).split(" ", 2)[2].strip("'") == kept


def test_a_report_of_what_is_no_run_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere", Path(__file__)):
        done = command("report", str(place))
        assert done.returncode == 2
        assert "run.json" in " ".join(done.stderr.split())
