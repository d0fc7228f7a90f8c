"""Plug-ins of every kind are found without a list and in all ways alike; what does not load takes nothing with it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maskbench import UsageError
from maskbench.plugins import catalogue as module
from maskbench.plugins.catalogue import Catalogue, catalogue, create_nested, origin
from maskbench.plugins.controls import control
from maskbench.plugins.files import add_file
from maskbench.plugins.index import read_index
from maskbench.plugins.kinds import KINDS, Kind
from plugin_places import as_file, installed
from plugin_sources import SOURCES, written
from tiny import FAST, run, tiny
from trees import copied, importable

Found = Callable[[Path, str, str], None]


@pytest.mark.parametrize("found", [as_file, installed], ids=["file", "installed"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_alike(kind: str, found: Found, tmp_path: Path) -> None:
    found(tmp_path, kind, written(kind, "of-mine"))
    assert "of-mine" in catalogue().names(kind)
    plugin = catalogue().get(kind, "of-mine")
    assert Path(origin(plugin)).parent == tmp_path
    assert catalogue().module(kind, "of-mine") == plugin.__module__
    assert plugin in catalogue().classes(kind)


@pytest.mark.parametrize("found", [as_file, installed], ids=["file", "installed"])
def test_a_module_may_hold_all_kinds_whatever_group_names_it(found: Found, tmp_path: Path) -> None:
    found(tmp_path, "source", "\n".join(written(kind, f"my-{kind}") for kind in SOURCES))
    for kind in SOURCES:
        assert f"my-{kind}" in catalogue().names(kind)
        assert catalogue().get(kind, f"my-{kind}").name == f"my-{kind}"


@pytest.mark.parametrize("found", [as_file, installed], ids=["file", "installed"])
@pytest.mark.parametrize(
    ("kind", "taken"),
    [("method", "random"), ("attack", "telea"), ("recognizer", "small"), ("attribution", "rise"), ("source", "digits")],
)
def test_a_name_that_is_taken_is_an_error_with_both_files(kind: str, taken: str, found: Found, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"Two plug-ins call themselves the {kind} '{taken}'") as caught:
        found(tmp_path, kind, written(kind, taken))
        catalogue().names(kind)
    assert str(tmp_path) in str(caught.value)
    places = ("methods", "attacks", "models", "attributions", "sources")
    assert any(f"/{place}/" in str(caught.value) for place in places)
    # It stays one, however often it is asked for.
    if found is installed:
        with pytest.raises(UsageError, match="Two plug-ins"):
            catalogue().names(kind)


def test_the_plug_ins_of_maskbench_are_all_read() -> None:
    for kind in KINDS:
        assert catalogue().names(kind) == sorted(plugin.name for plugin in catalogue().classes(kind))
    assert catalogue().broken == {}


def test_every_plugin_has_a_summary_and_a_source() -> None:
    plugins = [plugin for kind in KINDS if kind != "source" for plugin in catalogue().classes(kind)]
    assert [plugin for plugin in plugins if not plugin.summary() or not plugin.source] == []


def test_an_unknown_name_comes_with_the_nearest() -> None:
    for kind, wrong, near in (("method", "ramdom", "random"), ("attribution", "gradcam", "grad-cam")):
        with pytest.raises(UsageError, match=f"no {kind} named '{wrong}'; did you mean '{near}'"):
            catalogue().get(kind, wrong)
        with pytest.raises(UsageError, match=f"did you mean '{near}'"):
            catalogue().module(kind, wrong)


def test_an_empty_catalogue_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (KINDS["method"], KINDS["recognizer"]):
        empty = Kind(kind.name, kind.contract, "maskbench.not_there", kind.indexed)
        monkeypatch.setattr(module, "KINDS", {kind.name: empty})
        with pytest.raises(
            UsageError, match=rf"No {kind.name} was found: .*maskbench\.{kind.name}s.* again\. Not read"
        ):
            Catalogue().names(kind.name)


def test_a_class_that_is_defined_again_takes_its_own_place() -> None:
    def defined(place: str, qualified: str = "Mine") -> type[Any]:
        names: dict[str, Any] = {"__name__": place}
        exec(written("method", "mine"), names)
        names["Mine"].__qualname__ = qualified
        return names["Mine"]

    first, again, other = defined("__main__"), defined("__main__"), defined("__main__", "Other")
    catalogue().add(first)
    catalogue().add(again)
    assert catalogue().get("method", "mine") is again
    with pytest.raises(UsageError, match="Two plug-ins call themselves the method 'mine'"):
        catalogue().add(other)


def test_what_is_no_plug_in_is_not_added() -> None:
    with pytest.raises(UsageError, match="Catalogue is no plug-in"):
        catalogue().add(Catalogue)


def test_naming_what_is_heavy_imports_nothing_heavy() -> None:
    code = (
        "import sys; from maskbench.plugins.catalogue import catalogue as c; "
        "[c().names(kind) for kind in ('recognizer', 'attribution', 'source')]; "
        "assert 'torch' not in sys.modules; "
        "c().classes('method'); from maskbench.plugins.catalogue import create; "
        "create('method', 'saliency', {'attribution': 'integrated-gradients'}); "
        "assert 'captum' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_text_of_a_folder_tells_its_plug_ins(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").touch()
    (tmp_path / "inner" / "one.py").write_text(written("attribution", "one"))
    (tmp_path / "two.py").write_text("class Two:\n    name = title = 'two'\n\nclass Helper:\n    name: str = 'no'\n")
    (tmp_path / "odd.py").write_text("from typing import ClassVar\nclass Odd:\n    name: ClassVar[str] = 'o' + 'dd'\n")
    (tmp_path / "half.py").write_text("def unfinished(:\n")
    index = read_index("some.package", tmp_path)
    assert {(entry.name, entry.module) for entry in index.entries} == {
        ("one", "some.package.inner.one"),
        ("two", "some.package.two"),
    }
    assert set(index.broken) == {"some.package.odd", "some.package.half"}
    assert "must be a literal string" in index.broken["some.package.odd"]


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, **files: str) -> Catalogue:
    """A catalogue whose built-in folder of a kind holds these files."""
    package = folder / "built_in_here"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, text in files.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    changed = Kind(kind, KINDS[kind].contract, "built_in_here", KINDS[kind].indexed)
    monkeypatch.setattr(module, "KINDS", {**KINDS, kind: changed})
    return Catalogue()


@pytest.mark.parametrize("kind", KINDS)
def test_two_files_of_a_folder_may_not_share_a_name(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _package(tmp_path, monkeypatch, kind, one=written(kind, "same"), two=written(kind, "same"))
    with pytest.raises(UsageError, match=f"the {kind} 'same': .*one.py and .*two.py"):
        found.names(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_a_folder_that_does_not_load_is_named(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "import nothing_of_that_name\n" + written(kind, "bad")
    found = _package(tmp_path, monkeypatch, kind, good=written(kind, "good"), bad=bad)
    assert "good" in {plugin.name for plugin in found.classes(kind)}
    assert "nothing_of_that_name" in found.broken["built_in_here.bad"]
    with pytest.raises(UsageError, match=r"'bad'.* Not read: .*nothing_of_that_name"):
        found.get(kind, "bad")


def test_what_lies_in_the_folder_of_another_kind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _package(tmp_path, monkeypatch, "method", lost=written("attribution", "lost"))
    found.names("attack")
    assert "the attribution 'lost' must lie in maskbench.attributions" in found.broken["built_in_here.lost"]


def test_a_class_with_a_name_that_is_no_plug_in_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _package(tmp_path, monkeypatch, "attribution", plain="class Plain:\n    name = 'plain'\n")
    with pytest.raises(UsageError, match=r"'plain' cannot be used.*does not extend maskbench\.attributions"):
        found.get("attribution", "plain")


def test_the_same_file_twice_is_given_once(tmp_path: Path) -> None:
    as_file(tmp_path, "method", written("method", "of-mine"))
    add_file(tmp_path / "given_here.py")
    assert catalogue().names("method").count("of-mine") == 1


def test_parameters_of_an_installed_kind_are_written_alike(tmp_path: Path) -> None:
    as_file(tmp_path, "attribution", written("attribution", "of-mine"))
    assert create_nested("attribution", "of-mine(power=2)").power == 2


def test_a_run_takes_its_recognizer_and_its_attribution_from_a_file(tmp_path: Path) -> None:
    as_file(tmp_path, "source", written("recognizer", "my-net") + written("attribution", "my-scores"))
    settings = {"recognizer": "my-net:width=6", "scored": 32, "recognition": FAST, "attack": FAST}
    suite = tiny(["saliency:attribution=my-scores(power=2)"], ["released"], settings=settings)
    result, log = run(suite, tmp_path / "store")
    assert log.outcomes["failed"] == []
    assert {cell.status for cell in result.results} == {"ok"}
    assert set(result.cells["recognizer"]) == {"my-net:width=6"}


def test_a_run_has_one_method_of_each_role(tmp_path: Path) -> None:
    assert (control("raw").name, control("null").name) == ("raw", "full-mask")
    second = written("method", "also-raw") + '    role: ClassVar[str] = "raw"\n'
    as_file(tmp_path, "method", second)
    with pytest.raises(UsageError, match=r"Several methods have the role 'raw': 'also-raw' \(.*\) and 'raw' \("):
        control("raw")
    del catalogue().found["method", "also-raw"], catalogue().found["method", "raw"]
    with pytest.raises(UsageError, match="No method has the role 'raw'"):
        control("raw")


def test_a_module_that_does_not_load_is_named_and_the_others_stay(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(importable(copied(tmp_path)))}
    (tmp_path / "methods" / "half_written.py").write_text("def unfinished(:\n")

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, "-m", "maskbench", *arguments]
        return subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    listed = command("list", "methods", "--names")
    assert "random" in listed.stdout.split()
    asked = command("run", "quick", "-m", "half-written", "--store", "store")
    assert asked.returncode == 2
    assert "maskbench.methods.half_written: SyntaxError" in " ".join(asked.stderr.split())
