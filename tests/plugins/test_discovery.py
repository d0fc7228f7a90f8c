"""Plug-ins are found without a list; one that does not load is named and takes nothing else with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from maskbench import UsageError
from maskbench.plugins.discovery import catalogue
from tiny import process
from trees import copied, importable


def test_every_plugin_has_a_summary_and_a_source() -> None:
    found = catalogue()
    assert found.broken == {}
    bare = [key for key, plugin in found.found.items() if not plugin.summary() or not plugin.source]
    assert bare == []


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'random'"):
        catalogue().get("method", "ramdom")


def test_a_module_that_does_not_load_is_named_and_the_others_stay(tmp_path: Path) -> None:
    imports = [importable(copied(tmp_path))]
    (tmp_path / "methods" / "half_written.py").write_text("def unfinished(:\n")
    listed = process("list", "methods", "--names", cwd=tmp_path, imports=imports)
    assert "random" in listed.stdout.split()
    asked = process("run", "quick", "-m", "half-written", "--store", "store", cwd=tmp_path, imports=imports)
    assert asked.returncode == 2
    assert "maskbench.methods.half_written: SyntaxError" in " ".join(asked.stderr.split())
