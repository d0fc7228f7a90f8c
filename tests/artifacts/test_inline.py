"""Classes of notebooks and scripts: what their code uses is in the key, and nothing else."""

from __future__ import annotations

import linecache
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest
from maskbench import MaskMethod, UsageError
from maskbench.artifacts.fingerprint import closure
from maskbench.artifacts.inline import code_root
from maskbench.methods.random_masks import Random

IMPORTS = """
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar
import maskbench as mb
import numpy as np
import torch
from maskbench import Attribution, Given
from torch.nn import functional as F
"""
CLASS = """
class Mine(mb.MaskMethod):
    name: ClassVar[str] = "mine"
    power: float = 2.0

    def scores(self, images, given: Given):
        return helper(images) ** self.power
"""
HELPER = """
def helper(images):
    return images.mean(dim=1, keepdim=True) * SIZE
"""
SIZE = "SIZE = 2"

Cell = Callable[[str], None]
Keys = Callable[[], tuple[dict[str, str], dict[str, str]]]


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A namespace without a file, as a notebook's is."""
    module = ModuleType("notebook_of_a_test")
    vars(module)["In"] = []
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def run(notebook: ModuleType) -> Cell:
    """Run a cell; linecache and ``In`` know its text, as with IPython."""
    numbers = count()

    def cell(text: str) -> None:
        name = f"<cell {next(numbers)} of {id(notebook)}>"
        linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
        vars(notebook)["In"].append(text)
        exec(compile(text, name, "exec"), vars(notebook))

    return cell


@pytest.fixture
def keys(notebook: ModuleType, run: Cell) -> Keys:
    """What the class that is called Mine now is made of; the first cells have run."""
    for text in (IMPORTS, SIZE, HELPER, CLASS):
        run(text)
    return lambda: closure([code_root(notebook.Mine)])


def _names(sources: dict[str, str]) -> set[str]:
    return {name.partition(":")[2] for name in sources if ":" in name}


def test_a_class_in_a_file_is_known_by_its_module() -> None:
    assert code_root(Random) == "maskbench.methods.random_masks"
    assert code_root(MaskMethod) == "maskbench.plugins.mask_method"


def test_what_it_uses_is_followed(keys: Keys) -> None:
    sources, libraries = keys()
    assert _names(sources) == {"Mine", "helper", "SIZE"}
    assert {"maskbench.plugins.mask_method", "maskbench.plugins.given"} <= set(sources)
    assert "torch" in libraries
    assert not any(name.startswith(("maskbench.report", "maskbench.cli", "maskbench.running")) for name in sources)


@pytest.mark.parametrize(
    ("cell", "changed"),
    [
        (CLASS.replace("** self.power", "+ self.power"), {"Mine"}),
        (CLASS.replace("power: float = 2.0", "power: float = 3.0"), {"Mine"}),
        (HELPER.replace("mean", "amax"), {"helper"}),
        ("SIZE = 3", {"SIZE"}),
        ("SIZE = [1, {'a': (2.0, None)}]", {"SIZE"}),
        (CLASS, set()),
        (CLASS.replace("    name", '    """What it does."""\n\n    # how\n    name'), set()),
        ("OTHER = 3\ndef unrelated():\n    return images", set()),
        ("images = keepdim = mean = 3", set()),
    ],
    ids=["class", "default", "helper", "constant", "nested constant", "again", "comments", "unrelated", "local names"],
)
def test_an_edit_changes_the_key_where_it_is_used(keys: Keys, run: Cell, cell: str, changed: set[str]) -> None:
    before, _ = keys()
    run(cell)
    after, _ = keys()
    assert _names({name: "" for name in before.keys() | after.keys() if before.get(name) != after.get(name)}) == changed


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SIZE = torch.ones(3)", "SIZE = torch.zeros(3)"),
        ("SIZE = torch.ones(2, dtype=torch.bfloat16)", "SIZE = torch.ones(2, dtype=torch.float16)"),
        ("SIZE = np.arange(3)", "SIZE = np.arange(4)"),
        ("SIZE = Attribution('grad-cam')", "SIZE = Attribution('gradient')"),
        ("SIZE = lambda x: x + 1", "SIZE = lambda x: x + 2"),
        ("SIZE = {'f': (lambda x: x, lambda x: 1)}", "SIZE = {'f': (lambda x: 2, lambda x: 1)}"),
        ("@lru_cache\ndef SIZE(): return 1", "@lru_cache\ndef SIZE(): return 2"),
        ("@torch.no_grad()\ndef SIZE(): return 1", "@torch.no_grad()\ndef SIZE(): return 2"),
        ("def make(k):\n    return lambda: k\nSIZE = make(1)", "def make(k):\n    return lambda: k\nSIZE = make(2)"),
        ("def SIZE(x=1): return x", "def SIZE(x=2): return x"),
        ("@dataclass\nclass S:\n    x: int\nSIZE = S(1)", "@dataclass\nclass S:\n    x: int\nSIZE = S(2)"),
        ("class SIZE:\n    x = 1", "class SIZE:\n    x = 2"),
        ("SIZE = mb.to_bytes", "SIZE = mb.mean_fill"),
        ("SIZE = json", "SIZE = F"),
    ],
)
def test_every_kind_of_value_counts(keys: Keys, run: Cell, first: str, second: str) -> None:
    run(first)
    one = keys()
    run(first)
    assert keys() == one
    run(second)
    assert keys() != one


def test_a_base_counts_as_it_was_when_the_class_was_made(keys: Keys, run: Cell) -> None:
    base = "class Base(mb.MaskMethod):\n    def scores(self, images, given):\n        return images[:, :{}]\n"
    derived = 'class Mine(Base):\n    name: ClassVar[str] = "mine"\n'
    run(base.format(1))
    run(derived)
    first = keys()
    run(base.format(2))
    half = keys()  # Mine still extends the first
    run(derived)
    assert keys() not in (first, half)


def test_a_value_that_a_class_took_in_counts(keys: Keys, run: Cell) -> None:
    """The cell of the constant ran again, that of the class did not: it still has the old value."""
    text = CLASS.replace("    power", "    steps: ClassVar[int] = SIZE\n    power")
    run(text)
    run("SIZE = 5")
    before = keys()
    run(text)
    assert keys() != before


def test_values_that_cannot_be_hashed_are_refused(keys: Keys, run: Cell) -> None:
    run("SIZE = torch.nn.Linear(2, 2)")
    with pytest.raises(UsageError, match=r"helper uses 'SIZE', which holds a Linear.*--plugin"):
        keys()


def test_a_class_whose_source_is_lost_is_refused(notebook: ModuleType) -> None:
    exec(compile(IMPORTS + CLASS, "<lost>", "exec"), vars(notebook))
    with pytest.raises(UsageError, match=r"source of notebook_of_a_test:Mine is not at hand.*--plugin"):
        closure([code_root(notebook.Mine)])


def test_a_class_that_was_replaced_is_refused(notebook: ModuleType, keys: Keys, run: Cell) -> None:
    old = notebook.Mine
    run(CLASS)
    with pytest.raises(UsageError, match="hand over the new one"):
        code_root(old)


def test_a_class_made_inside_a_function_is_refused(notebook: ModuleType, keys: Keys, run: Cell) -> None:
    run("def make():\n" + "".join(f"    {line}\n" for line in CLASS.splitlines()) + "    return Mine\nlocal = make()")
    with pytest.raises(UsageError, match="inside a function, put it into a file"):
        code_root(notebook.local)


def test_a_class_of_a_running_script(tmp_path: Path) -> None:
    end = """
from maskbench.artifacts.fingerprint import closure, digest
from maskbench.artifacts.inline import code_root
print(code_root(Mine), digest(closure([code_root(Mine)])))
"""

    def printed(*parts: str) -> str:
        file = tmp_path / "script.py"
        file.write_text("\n".join([*parts, end]))
        return subprocess.run([sys.executable, file], capture_output=True, text=True, check=True).stdout

    first = printed(IMPORTS, SIZE, HELPER, CLASS)
    assert first.startswith("__main__:Mine ")
    assert printed(IMPORTS, SIZE, HELPER, "OTHER = 1", CLASS) == first
    assert printed(IMPORTS, "SIZE = 3", HELPER, CLASS) != first
