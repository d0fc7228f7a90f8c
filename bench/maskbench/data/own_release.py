"""Releases of ``maskbench desensitize``, told by their manifest: their masks are never taken for pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maskbench.errors import UsageError

MANIFEST = "manifest.json"
IMAGES, MASKS = "images", "masks"
"""The folders of a release of pictures: both hold the same relative paths."""

MADE_BY = "maskbench desensitize"
SCHEMA_VERSION = 2


def pictures_of(root: Path) -> Path:
    """Return the folder that holds the pictures: of a release, the one that its manifest means; else the folder itself.

    Raises:
        UsageError: it is a release of an older version, whose masks lie beside the pictures.
    """
    manifest = _manifest(root)
    if manifest is None:
        return root
    if manifest.get("made_by") == MADE_BY and (root / IMAGES).is_dir():
        return root / IMAGES
    if manifest.get("schema_version") == 1 and manifest.get("masks") and "versions" in manifest:
        raise UsageError(
            f"{root} is a release of an older version, with masks beside the pictures: move each '.mask.png' out of "
            f"it and delete {MANIFEST}, or release again."
        )
    return root


def _manifest(root: Path) -> dict[str, Any] | None:
    try:
        content = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
