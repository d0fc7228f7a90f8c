"""The ways in which a plug-in of somebody else's comes into the catalogue."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from maskbench.plugins import catalogue as module
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.files import add_file


def as_file(folder: Path, kind: str, text: str) -> None:
    """Give the text as ``--plugin`` does."""
    file = folder / "given_here.py"
    file.write_text(text, encoding="utf-8")
    add_file(file)


def installed(folder: Path, kind: str, text: str) -> None:
    """Install the text as a module that an entry point names."""
    (folder / "installed_here.py").write_text(text, encoding="utf-8")
    about = folder / "installed_here-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: installed-here\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(f"[maskbench.{kind}s]\nany = installed_here\n", encoding="utf-8")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    module._installed_modules.cache_clear()
    _search_again()


def _search_again() -> None:
    for value in vars(catalogue()).values():
        value.clear()
