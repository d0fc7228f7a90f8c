"""Kinds of flags are found because they lie in their folder, and none hides another."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from maskbench.results import flags as flags_folder
from maskbench.results.flags.find import find_flags, kinds
from maskbench.results.schema import typed


def test_every_kind_is_planted_somewhere() -> None:
    written = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    known = kinds()
    assert [kind.name for kind in known if f'"{kind.name}"' not in written] == [], "no test in this folder names them"
    assert [kind.level for kind in known] == sorted((kind.level for kind in known), reverse=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of flags, for this test alone."""
    monkeypatch.setattr(flags_folder, "__path__", [*flags_folder.__path__, str(tmp_path)])
    kinds.cache_clear()
    importlib.invalidate_caches()
    yield tmp_path
    kinds.cache_clear()


PLANTED_FLAG = """
from maskbench.results.flags.kind import FlagKind

{sets} = (FlagKind("{name}", "{mark}", "note", "planted", "Pull it up.", lambda judged: [("", "", "seen")], roles=()),)
"""


def test_a_flag_is_found_by_lying_there(folder: Path) -> None:
    (folder / "lying_there.py").write_text(PLANTED_FLAG.format(sets="FLAGS", name="lying-there", mark="Y"))
    assert [(each.name, each.mark, each.finding) for each in find_flags(typed([]))] == [("lying-there", "Y", "seen")]


@pytest.mark.parametrize(
    ("file", "sets", "name", "mark", "said"),
    [
        ("same_mark", "FLAGS", "same-mark", "W", r"strongest_missed and .*same_mark have the same mark W"),
        ("same_name", "FLAGS", "coverage", "Z", r"coverage and .*same_name have the same name 'coverage'"),
        ("misspelt", "FLAG", "misspelt", "X", r"misspelt sets no FLAGS"),
    ],
)
def test_what_would_hide_a_flag_is_refused(folder: Path, file: str, sets: str, name: str, mark: str, said: str) -> None:
    (folder / f"{file}.py").write_text(PLANTED_FLAG.format(sets=sets, name=name, mark=mark))
    with pytest.raises(ValueError, match=said):
        kinds()
