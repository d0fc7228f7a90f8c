"""``import maskbench`` is all that plug-ins need; the pages name all of it."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import maskbench
import pytest
from maskbench.artifacts.syntax import imports

CHECKOUT = Path(__file__).parents[2]
TEMPLATES = CHECKOUT / "bench" / "maskbench" / "conformance" / "templates"
PAGES = (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```python.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

PLUG_INS = ("maskbench.methods", "maskbench.attacks", "maskbench.conformance.templates")
"""What may be imported beside the package: a plug-in's test imports the plug-in."""


def _sources() -> Iterator[tuple[str, str, str]]:
    """(where, package, text) of everything that is written as a plug-in is."""
    for folder in ("methods", "attacks"):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            inside = ".".join(path.parent.relative_to(CHECKOUT).parts)
            yield str(path.relative_to(CHECKOUT)), f"maskbench.{inside}", path.read_text(encoding="utf-8")
    for path in sorted(TEMPLATES.glob("*.py")):
        yield f"templates/{path.name}", "maskbench.conformance.templates", path.read_text(encoding="utf-8")
    for page in PAGES:
        for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            yield f"{page.name}, block {number}", "", text


SOURCES = list(_sources())


@pytest.mark.parametrize(("package", "text"), [source[1:] for source in SOURCES], ids=[where for where, *_ in SOURCES])
def test_plug_ins_import_maskbench_alone(package: str, text: str) -> None:
    engine = {
        (module, name)
        for module, name in imports(ast.parse(text), package)
        if module.split(".")[0] == "maskbench" and not module.startswith(PLUG_INS)
    }
    assert {module for module, _ in engine} <= {"maskbench"}
    assert {name for _, name in engine if name} <= set(maskbench.__all__)


def test_the_sources_are_all_there() -> None:
    kinds = Counter(where.split("/")[0].split(",")[0] for where, *_ in SOURCES)
    assert kinds["methods"] > 20
    assert kinds["attacks"] > 10
    assert kinds["templates"] == 8
    assert kinds["README.md"] and kinds["add-a-method.md"] and kinds["add-an-attack.md"] and kinds["python.md"]


def test_the_names_are_sorted_and_each_is_listed_once() -> None:
    assert maskbench.__all__ == sorted(set(maskbench.__all__))
    assert dir(maskbench) == maskbench.__all__
    stub = ast.parse((CHECKOUT / "bench" / "maskbench" / "__init__.pyi").read_text(encoding="utf-8"))
    named = [name for _, name in imports(stub, "maskbench")]
    assert sorted(named) == maskbench.__all__


def test_everything_can_be_imported_at_once() -> None:
    namespace: dict[str, object] = {}
    exec("from maskbench import *", namespace)
    assert set(maskbench.__all__) <= set(namespace)


@pytest.mark.parametrize("name", maskbench.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(maskbench, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__name__ == name
        assert value.__doc__ and value.__doc__.strip()
        assert not value.__module__.startswith(("maskbench.methods", "maskbench.attacks"))


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        maskbench.nothing_like_it  # noqa: B018 - asking for it is the test


def test_the_page_names_what_there_is() -> None:
    text = (CHECKOUT / "docs" / "python.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \| .+ \|$", text, re.MULTILINE)) == maskbench.__all__


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, maskbench; dir(maskbench); print({'torch', 'numpy', 'pydantic', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
