"""What is printed never decides what is done: closed, cut off, or of few characters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tiny import INTERPRETER, command, own_environment

SUITE = (
    "{data: {source: digits, limit: 60}, methods: ['random:patch=8'], attacks: [mean-fill], seeds: 1, settings: "
    "{draws: 1, scored: 16, recognition: {epochs: 1}, attack: {epochs: 1}, restoration: {epochs: 1}}}"
)
FIGURES = {"accuracy-against-leakage.png", "pictures.png"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite, and a store with all of its stages."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "suite.yaml").write_text(SUITE)
    assert command("run", "suite.yaml", "--store", "store", "--out", "first", cwd=folder).returncode == 0
    return folder


def _shell(line: str, here: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in which ``maskbench`` is the command."""
    arguments = " ".join(INTERPRETER)
    line = line.replace("maskbench", arguments)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=here,
        env={**own_environment(), "MASKBENCH_STORE": str(here / "store"), **environment},
        capture_output=True,
        check=False,
    )


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "redirected", "environment"),
    [
        ("closed", ">&-", {}),
        ("all-closed", "<&- >&- 2>&-", {}),
        ("ascii", "", ASCII),
        ("cp1252", "", {"PYTHONIOENCODING": "cp1252"}),
        ("head", "| head -1", {}),
        ("full", "> /dev/full", {}),
    ],
)
def test_a_run_writes_all_of_its_results(here: Path, name: str, redirected: str, environment: dict[str, str]) -> None:
    if name == "full" and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    done = _shell(f"maskbench run suite.yaml --out {name} {redirected}", here, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {path.name for path in (here / name / "figures").glob("*.png")} == FIGURES
    assert (here / name / "tables" / "summary.md").read_bytes() == (here / "first/tables/summary.md").read_bytes()


@pytest.mark.slow
def test_a_list_that_is_cut_off_ends_quietly(here: Path) -> None:
    done = _shell("maskbench list methods --names | head -1", here)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.count(b"\n") == 1


@pytest.mark.slow
def test_an_error_is_told_in_ascii_too(here: Path) -> None:
    done = _shell("maskbench run suite.yaml --data dätä", here, **ASCII)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"Error: ")


def test_data_that_cannot_be_read_are_told_once(tmp_path: Path) -> None:
    from PIL import Image

    for label in ("a", "b"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(40):
            Image.new("L", (16, 16), number).save(tmp_path / "data" / label / f"{number}.png")
    (tmp_path / "data" / "a" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    (tmp_path / "suite.yaml").write_text(SUITE)
    done = command("run", "suite.yaml", "--data", "data", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).count("7.png") == 1


LONG = "a" * 300
WRONG = {
    "long results": ("--out", LONG),
    "long store": ("--store", LONG),
    "long plug-in": ("--plugin", f"{LONG}.py"),
    "long data": ("--data", LONG),
    "nobody's data": ("--data", "~nosuchuser/x"),
    "nobody's weights": ("--recognizer", "torchvision:network=resnet18,weights=~nosuchuser/x.pt"),
    "file as store": ("--store", "suite.yaml"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_path_that_cannot_be(tmp_path: Path, case: str) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    done = command("run", "suite.yaml", *WRONG[case], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["suite.yaml"]


def test_no_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKBENCH_STORE")
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", _nobody)
    (tmp_path / "suite.yaml").write_text(SUITE)
    done = command("run", "suite.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "name one with --store or MASKBENCH_STORE" in done.stderr and done.stderr.count("\n") == 1


def _nobody(number: int) -> None:
    raise KeyError(f"getpwuid(): uid not found: {number}")


ENDS = """
from typing import ClassVar
import sys
from maskbench import Method, Release

class Ends(Method):
    name: ClassVar[str] = "ends"

    def unavailable(self):
        sys.exit(0)

    def desensitize(self, images, given):
        return Release(images)
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [(ENDS, "plug-ins must not end the process"), ("import sys\nsys.exit(0)\n", "does not load: SystemExit: 0")],
)
def test_a_plug_in_that_ends_the_process_while_a_run_is_planned(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "ends.py").write_text(text)
    done = command("run", "suite.yaml", "-m", "ends", "--plugin", "ends.py", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and "ends.py" in done.stderr
