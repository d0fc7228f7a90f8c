"""Folders that a user names."""

from __future__ import annotations

import difflib
from pathlib import Path, PurePath

IMAGE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jpx", ".jxl", ".mpo", ".tga"),
)
"""What images are called, also those that cannot be read: they are named as errors, not passed over in silence."""


def is_image_name(path: PurePath) -> bool:
    """Whether a file is called as images are, and not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def existing_folder(text: str) -> Path | None:
    """Return the absolute path of the folder that `text` names, or None if there is none."""
    path = Path(text).expanduser()
    return path.resolve() if text and path.is_dir() else None


def nearest_folder(text: str) -> str | None:
    """Return the folder that exists beside the missing one that `text` names and is called most like it."""
    missing = Path(text).expanduser()
    if not missing.parent.is_dir():
        return None
    names = [path.name for path in missing.parent.iterdir() if path.is_dir()]
    close = difflib.get_close_matches(missing.name, names, n=1)
    return str(missing.parent / close[0]) if close else None


def parquet_files(root: Path) -> list[Path]:
    """Return the Parquet files of a folder, or else of its subfolder ``data``, sorted."""
    return sorted(root.glob("*.parquet")) or sorted((root / "data").glob("*.parquet"))
