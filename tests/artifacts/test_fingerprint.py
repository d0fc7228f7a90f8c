"""What code an artifact depends on: followed through every import, and nothing more."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import maskbench
import pytest
from maskbench.artifacts import fingerprint
from maskbench.artifacts.fingerprint import closure, digest
from maskbench.artifacts.modules import source_file


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of its own: ``stage`` imports ``helper``, which imports ``deep``; ``other`` is imported by nobody."""
    root = tmp_path / "firstparty"
    root.mkdir()
    (root / "__init__.py").write_text("from firstparty.deep import CONSTANT\nfrom firstparty.other import OTHER\n")
    (root / "stage.py").write_text("import math\nimport numpy\nfrom firstparty.helper import double\n")
    (root / "helper.py").write_text("def double(x):\n    from . import CONSTANT\n    return x * CONSTANT\n")
    (root / "deep.py").write_text("CONSTANT = 2\n")
    (root / "other.py").write_text("OTHER = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    _forget()
    yield root
    _forget()
    sys.modules.pop("firstparty", None)


def _forget() -> None:
    """A process reads each file once; the tests edit files between readings."""
    fingerprint._closure.cache_clear()
    fingerprint._read.cache_clear()
    source_file.cache_clear()
    fingerprint._editable.cache_clear()


def _sources() -> dict[str, str]:
    _forget()
    return closure(["firstparty.stage"])[0]


def test_follows_imports_and_re_exports_to_the_module_that_defines(package: Path) -> None:
    assert set(_sources()) == {"firstparty.stage", "firstparty.helper", "firstparty.deep"}


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("deep.py", "CONSTANT = 3\n", True),
        ("helper.py", "def double(x):\n    from . import CONSTANT\n    return x + CONSTANT\n", True),
        ("other.py", "OTHER = 2\n", False),
        ("deep.py", '"""A docstring."""\n\n# a comment\nCONSTANT   =   2\n', False),
    ],
)
def test_only_code_that_is_reached_counts(package: Path, file: str, text: str, changes: bool) -> None:
    before = digest(_sources())
    (package / file).write_text(text)
    assert (digest(_sources()) != before) is changes


def test_libraries_come_with_their_versions_and_the_standard_library_does_not(package: Path) -> None:
    import numpy

    assert closure(["firstparty.stage"])[1] == {"numpy": numpy.__version__}


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"labmasks.py": "SIZE = {}\n"}, "import labmasks"),
        ({"labmasks/__init__.py": "", "labmasks/sizes.py": "SIZE = {}\n"}, "from labmasks.sizes import SIZE"),
        ({"labmasks/sizes.py": "SIZE = {}\n"}, "from labmasks import sizes"),
    ],
    ids=["module", "package", "folder"],
)
def test_what_a_plug_in_imports_from_beside_it_counts(package: Path, files: dict[str, str], line: str) -> None:
    """A cache that knew it by a version would serve what the code made before it was edited."""
    (package / "stage.py").write_text(f"{line}\n")
    before = None
    for size in (1, 2):
        for name, text in files.items():
            file = package.parent / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.format(size))
        _forget()
        importlib.invalidate_caches()
        sources, libraries = closure(["firstparty.stage"])
        assert libraries == {}
        assert digest(sources) != before
        before = digest(sources)


def test_a_stage_does_not_depend_on_plugins_it_does_not_run() -> None:
    sources, _ = closure(["maskbench.stages.party_release", "maskbench.methods.random_masks"])
    assert "maskbench.methods.random_masks" in sources
    assert "maskbench.plugins.judging" in sources
    unrelated = {
        name for name in sources if name.startswith(("maskbench.attacks.", "maskbench.report", "maskbench.cli"))
    }
    assert unrelated | ({"maskbench.methods.saliency_masks"} & set(sources)) == set()


def test_a_lazy_package_is_followed_through_its_stub(package: Path) -> None:
    (package / "__init__.py").write_text("import lazy_loader\n__all__ = []\n")
    (package / "__init__.pyi").write_text("from .deep import CONSTANT as CONSTANT\nfrom .other import OTHER as OTHER\n")
    assert set(_sources()) == {"firstparty.stage", "firstparty.helper", "firstparty.deep"}


@pytest.mark.parametrize("line", ["import maskbench", "import maskbench as mb"])
def test_of_maskbench_imported_as_a_module_only_what_is_used_counts(package: Path, line: str) -> None:
    name = line.split()[-1]
    (package / "stage.py").write_text(f"{line}\ndef pad(images):\n    return {name}.pad_symmetric(images, 8)\n")
    assert set(_sources()) == {"firstparty.stage", "maskbench.models.padding"}
    (package / "stage.py").write_text(f"{line}\nprint({name})\n")
    assert "maskbench.models.unet" in _sources()


@pytest.mark.parametrize("name", maskbench.__all__)
def test_every_public_name_is_followed_to_where_it_is_defined(package: Path, name: str) -> None:
    (package / "stage.py").write_text(f"from maskbench import {name}\n")
    sources = _sources()
    assert "maskbench" not in sources
    home = getattr(getattr(maskbench, name), "__module__", "")
    assert not home.startswith("maskbench.") or home in sources


def test_a_module_that_was_made_in_memory_is_no_source(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "made_in_memory", ModuleType("made_in_memory"))
    (package / "stage.py").write_text("import made_in_memory\n")
    _forget()
    assert set(closure(["firstparty.stage"])[0]) == {"firstparty.stage"}


def test_a_missing_module_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"maskbench\.nothing"):
        closure(["maskbench.nothing"])
