"""Users' own code is checked against the types of the installed package: it says that it has them, and they hold."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib

import pytest
from trees import CHECKOUT

needs_mypy = pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="mypy is not installed here: pip install -e '.[dev]'"
)

RIGHT = """\
from maskbench import Given, MaskMethod, load, run
from torch import Tensor

class Brightest(MaskMethod):
    def scores(self, images: Tensor, given: Given) -> Tensor:
        return images.mean(dim=1, keepdim=True)

found = run("quick", methods=["raw", Brightest(ratio=0.5)], limit=100)
reveal_type(found)
reveal_type(load("runs/mine").path)
"""

WRONG = """\
from maskbench import Given, MaskMethod, load, run
from torch import Tensor

class Brightest(MaskMethod):
    def scores(self, images: Tensor, given: Given) -> str:
        return "the brightest"

found = run("quick", limit="100")
load(3)
found.cels
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of both files, in strict mode, where the package lies as a wheel lays it out."""
    root = tmp_path_factory.mktemp("types")
    subprocess.run([CHECKOUT / ".ci" / "layout", root / "installed"], check=True)
    for name, text in (("right.py", RIGHT), ("wrong.py", WRONG)):
        (root / name).write_text(text)
    call = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        "cache",
        "right.py",
        "wrong.py",
    ]
    given = {**os.environ, "MYPYPATH": "installed"}
    done = subprocess.run(call, cwd=root, env=given, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


@needs_mypy
@pytest.mark.slow
def test_right_use_has_no_errors(said: list[str]) -> None:
    own = [line.removeprefix("right.py:") for line in said if line.startswith("right.py:")]
    revealed = 'note: Revealed type is "{}"'
    assert own == [f"9: {revealed.format('maskbench.runs.Run')}", f"10: {revealed.format('pathlib.Path')}"]


@needs_mypy
@pytest.mark.slow
def test_wrong_use_is_an_error_where_it_stands(said: list[str]) -> None:
    errors = [line.removeprefix("wrong.py:") for line in said if line.startswith("wrong.py:") and " error: " in line]
    found = [(int(line.split(":")[0]), line.rsplit(maxsplit=1)[-1]) for line in errors]
    assert found == [(5, "[override]"), (8, "[arg-type]"), (9, "[arg-type]"), (10, "[attr-defined]")]


def test_the_wheel_says_that_it_has_types() -> None:
    """Type checkers pass over an installed package without ``py.typed``."""
    packed = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert {"py.typed", "__init__.pyi"} <= set(packed["maskbench"])
    assert all((CHECKOUT / "bench" / "maskbench" / name).is_file() for name in packed["maskbench"])
