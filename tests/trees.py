"""Copies of the source that a test may edit, and how Python is made to import them."""

from __future__ import annotations

import shutil
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
_PARTS = ("bench", "methods", "attacks")


def copied(root: Path) -> Path:
    """A copy of the source in ``root``, laid out as in the checkout."""
    for name in _PARTS:
        shutil.copytree(CHECKOUT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def importable(tree: Path) -> Path:
    """A folder for PYTHONPATH in which the source of a tree lies as in the wheel, by links."""
    package = tree / ".importable" / "maskbench"
    package.mkdir(parents=True)
    links = {path.name: path for path in (tree / "bench" / "maskbench").iterdir() if path.name != "__pycache__"}
    links |= {"methods": tree / "methods", "attacks": tree / "attacks"}
    for name, path in links.items():
        (package / name).symlink_to(path)
    return package.parent
