"""In methods/ and attacks/, in an installed package, or in a file: a plug-in is listed, checked and run alike."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from tiny import command, own_environment
from trees import CHECKOUT, copied, importable

NAMES = {"method": "keep-bright", "attack": "fill-grey"}
SUITE = """
data: {source: digits, limit: 200}
methods: [keep-bright]
attacks: [fill-grey]
seeds: 1
settings: {scored: 32, recognition: {epochs: 1}}
"""

CALLS = """
import json, sys
from tiny import command
answers = [command(*call, cwd=".") for call in json.loads(sys.argv[1])]
print(json.dumps([[done.returncode, done.stdout, done.stderr] for done in answers]))
"""

pytestmark = pytest.mark.slow


class Way:
    """One way of being found, with the options that it needs, or paths, for which it needs an own interpreter."""

    def __init__(self, folder: Path, paths: list[Path], options: tuple[str, ...], files: list[Path]) -> None:
        self.folder, self.paths, self.options, self.files = folder, paths, options, files

    def commands(self, *calls: tuple[str, ...]) -> list[str]:
        """What each of these calls of ``maskbench`` prints, all in one interpreter of their own."""
        environment = own_environment([*self.paths, CHECKOUT / "tests"])
        call = [sys.executable, "-c", CALLS, json.dumps([[*call, *self.options] for call in calls])]
        done = subprocess.run(call, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers = json.loads(done.stdout)
        for code, out, err in answers:
            assert code == 0, out + err
        return [out for _, out, _ in answers]


def _new(folder: Path) -> list[Path]:
    for kind, name in NAMES.items():
        done = command("new", kind, name, cwd=folder)
        assert done.returncode == 0, done.stderr
    return [
        path
        for name in NAMES.values()
        for path in sorted(folder.rglob(f"{name.replace('-', '_')}.py"))
        if ".importable" not in path.parts
    ]


def _file(folder: Path) -> Way:
    files = _new(folder)
    options = tuple(argument for file in files for argument in ("--plugin", str(file)))
    return Way(folder, [], options, files)


def _installed(folder: Path) -> Way:
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed here, and building a package needs it")
    package, site = folder / "package", folder / "site"
    package.mkdir()
    _new(package)
    # The very pyproject.toml that the page tells authors to write.
    page = (CHECKOUT / "docs" / "add-a-method.md").read_text(encoding="utf-8")
    described = re.search(r'```toml title="pyproject.toml"\n(.*?)```', page, re.DOTALL).group(1)
    (package / "pyproject.toml").write_text(
        described.replace("keep_edges", "keep_bright").replace("grey_holes", "fill_grey"), encoding="utf-8"
    )
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    call = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(site), str(package)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Way(folder, [site], (), [site / "keep_bright.py", site / "fill_grey.py"])


def _checkout(folder: Path) -> Way:
    tree = copied(folder / "checkout")
    imports = importable(tree)
    files = _new(tree)
    assert files == [tree / "methods" / "keep_bright.py", tree / "attacks" / "fill_grey.py"]
    assert (tree / "tests" / "methods" / "test_keep_bright.py").is_file()
    return Way(tree, [imports], (), files)


def test_the_three_ways_give_the_same(tmp_path: Path) -> None:
    cells = {}
    for build in (_file, _installed, _checkout):
        folder = tmp_path / build.__name__
        folder.mkdir()
        way = build(folder)
        (way.folder / "tiny.yaml").write_text(SUITE, encoding="utf-8")
        methods, attacks, by_name, by_file, _ = way.commands(
            ("list", "methods"),
            ("list", "attacks"),
            ("check", *NAMES.values()),
            ("check", str(way.files[0])),
            ("run", "tiny.yaml", "--out", "out", "--store", "store", "--device", "cpu"),
        )
        assert NAMES["method"] in methods and "Keep the brightest" in methods
        assert NAMES["attack"] in attacks and "Fill every hole" in attacks
        assert " ok" in by_name
        assert "keep-bright" in by_file
        cells[build.__name__] = pd.read_parquet(way.folder / "out" / "cells.parquet").drop(columns=["stage_key"])
    first, *others = cells.values()
    assert {"keep-bright", "raw", "full-mask"} <= set(first["method"])
    assert (first.loc[first["method"] == "keep-bright", "status"] == "ok").all()
    for other in others:
        pd.testing.assert_frame_equal(first, other)
