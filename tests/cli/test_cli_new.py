"""``maskbench new``: files that run as they are, and nothing that was there is touched."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

import pytest
from maskbench.conformance.scaffold import write
from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.files import add_file

CHECKOUT = Path(__file__).parents[2]
KINDS = [("method", "method"), *(("attack", gives) for gives in ("restoration", "inference", "matching"))]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def _code_lines(text: str) -> int:
    """Lines of code: neither blank, nor comment, nor docstring."""
    tree = ast.parse(text)
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docstrings = {
        line
        for node in documented
        if ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    ignored = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return len({token.start[0] for token in tokens if token.type not in ignored} - docstrings)


@pytest.mark.parametrize(("kind", "template"), KINDS)
def test_what_is_written_is_small_and_passes(kind: str, template: str, here: Path) -> None:
    from maskbench.conformance.suite import check

    code, test = write(kind, template, f"my-{template}", None)
    assert (code, test) == (here / f"my_{template}.py", here / f"test_my_{template}.py")
    assert _code_lines(code.read_text()) < 25
    assert "new" not in code.read_text().lower().replace("aux.new_classifier", "")
    add_file(code)
    assert check(catalogue().get(kind, f"my-{template}")) == []


@pytest.mark.parametrize(("kind", "template"), KINDS)
def test_its_own_test_passes(kind: str, template: str, here: Path) -> None:
    code, test = write(kind, template, f"own-{template}", None)
    sys.path.insert(0, str(here))
    names: dict[str, object] = {"__name__": "generated"}
    exec(compile(test.read_text(), test, "exec"), names)
    run = [value for name, value in names.items() if name.startswith("test_")]
    assert len(run) >= 2
    for function in run:
        function()
    sys.modules.pop(code.stem)


def test_in_a_checkout_they_go_where_they_are_found(here: Path) -> None:
    for folder in ("bench/maskbench", "methods", "attacks", "tests/data"):
        (here / folder).mkdir(parents=True)
    code, test = write("attack", "restoration", "my-fill", None)
    assert (code, test) == (here / "attacks" / "my_fill.py", here / "tests" / "attacks" / "test_my_fill.py")
    imports = [line for line in test.read_text().splitlines() if line.startswith("from maskbench")]
    assert "from maskbench.attacks.my_fill import MyFill" in imports
    assert imports == sorted(imports)
    (here / "tests" / "data" / "test_sources.py").touch()
    with pytest.raises(UsageError, match="pytest tells tests by their file names"):
        write("method", "method", "sources", None)


def test_a_folder_may_be_named(here: Path) -> None:
    code, test = write("method", "method", "my-masks", here / "deep" / "er")
    assert code.parent == test.parent == here / "deep" / "er"


def test_nothing_is_overwritten(here: Path) -> None:
    (here / "test_my_masks.py").write_text("mine")
    with pytest.raises(UsageError, match="nothing is overwritten"):
        write("method", "method", "my-masks", None)
    assert [path.name for path in here.iterdir()] == ["test_my_masks.py"]
    assert (here / "test_my_masks.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MyMasks", "'my-masks', say"),
        ("my masks", "'my-masks', say"),
        ("3d", "lower case"),
        ("", "lower case"),
        ("random", "already"),
        ("torch", "hide the Python module"),
        ("class", "means something else"),
        ("mask-method", "means something else"),
    ],
)
def test_names_that_would_not_work(name: str, message: str, here: Path) -> None:
    with pytest.raises(UsageError, match=message):
        write("method", "method", name, None)
    assert list(here.iterdir()) == []


def test_kind_is_for_attacks(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from maskbench.cli import main as entry

    monkeypatch.setattr(sys, "argv", ["maskbench", "new", "method", "mine", "--kind", "inference"])
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == 2
    assert "a method has none" in " ".join(capsys.readouterr().err.split())
