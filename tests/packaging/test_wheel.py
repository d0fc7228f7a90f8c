"""The built wheel works beside others' packages: one that ships ``bench``, ``methods`` and ``attacks``, and folders
of these names where the user stands."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from tiny import command, own_environment, process
from trees import CHECKOUT, copied

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
NAMES = ("bench", "methods", "attacks")
KINDS = ("methods", "attacks", "adjustments", "recognizers", "attributions")
NEIGHBOUR = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "neighbour"
version = "1"

[tool.setuptools]
packages = ["bench", "methods", "attacks"]
"""
LIST = f"""
import json, maskbench, bench, methods, attacks
from maskbench.cli.main import app
print(json.dumps([module.__file__ for module in (maskbench, bench, methods, attacks)]))
for kind in {KINDS}:
    print("kind", kind)
    app(["list", kind, "--names"], standalone_mode=False)
"""


def _run(*call: str) -> None:
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _foreign(folder: Path) -> Path:
    """Packages of the three names that nothing of ours can use."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("")
        (folder / name / "random_masks.py").write_text("raise RuntimeError('somebody else\\'s module')\n")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel and its neighbour; other libraries come from the running environment."""
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed here, and building a wheel needs it")
    root = tmp_path_factory.mktemp("wheel")
    source, neighbour = copied(root / "source"), _foreign(root / "neighbour")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source / name)
    (neighbour / "pyproject.toml").write_text(NEIGHBOUR)
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    _run(*PIP, "wheel", *offline, "--wheel-dir", str(root / "wheels"), str(source), str(neighbour))
    _run(*PIP, "install", *offline[:2], "--target", str(root / "site"), *map(str, (root / "wheels").glob("*.whl")))
    return root / "site"


@pytest.mark.slow
def test_it_finds_every_plug_in_and_runs_beside_them(site: Path, tmp_path: Path) -> None:
    here = _foreign(tmp_path / "here")
    call = [sys.executable, "-P", "-c", LIST]
    done = subprocess.run(call, cwd=here, env=own_environment([site]), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files, *lines = done.stdout.splitlines()
    assert [Path(file).parents[1] for file in json.loads(files)] == [site] * 4
    expected = []
    for kind in KINDS:
        expected += [f"kind {kind}", *command("list", kind, "--names").stdout.splitlines()]
    assert lines == expected

    ran = process(
        *("run", "quick", "--limit", "100", "--seeds", "1", "--device", "cpu", "--out", "out", "--store", "store"),
        cwd=here,
        imports=[site],
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    cells = pd.read_parquet(here / "out" / "cells.parquet")
    assert set(cells["status"]) == {"ok"}
    assert {"raw", "full-mask", "random", "saliency"} <= set(cells["method"])


def test_every_package_is_named() -> None:
    """Setuptools packs what pyproject.toml lists: a folder that is forgotten there is missing from the wheel."""
    listed = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    roots = {"": CHECKOUT / "bench", "maskbench.": CHECKOUT}
    folders = [("", CHECKOUT / "bench" / "maskbench")] + [("maskbench.", CHECKOUT / name) for name in NAMES[1:]]
    found = set()
    for prefix, folder in folders:
        for module in folder.rglob("*.py"):
            found.add(prefix + ".".join(module.parent.relative_to(roots[prefix]).parts))
    assert listed == sorted(found)
