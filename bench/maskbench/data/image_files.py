"""What lies below a folder: images, other files, and what cannot be looked into. Nothing is passed over in silence."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from maskbench.data.pixels import UnreadableImage

IMAGE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jpx", ".jxl", ".mpo", ".tga"),
)
"""What images are called, also those that cannot be read: they are named as errors, not passed over in silence."""

_NO_DATA = "__MACOSX"  # where archives made on a Mac keep what is hidden there


@dataclass(frozen=True)
class FoundFiles:
    """The files below a folder, by their path relative to it.

    Attributes:
        images: all that are called as images are, dangling links and the like among them, sorted.
        others: files of other names, and all hidden ones, sorted.
        hidden: folders that are hidden, or hold what is; their files are among the others.
        closed: folder that is not looked into → why.
    """

    images: list[PurePosixPath] = field(default_factory=list)
    others: list[PurePosixPath] = field(default_factory=list)
    hidden: list[PurePosixPath] = field(default_factory=list)
    closed: dict[PurePosixPath, str] = field(default_factory=dict)


def find_files(root: Path) -> FoundFiles:
    """Look through a folder and all below it, through links too."""
    found = FoundFiles()
    _look_into(root, PurePosixPath(), False, (), found)
    found.images.sort()
    found.others.sort()
    return found


def regular_file(path: Path) -> Path:
    """Return the path of a file that can be read to its end: no device, and nothing that waits for a writer.

    Raises:
        UnreadableImage: it is something else.
        OSError: there is none.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnreadableImage("it is no regular file")
    return path


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name == _NO_DATA


def _look_into(
    folder: Path, relative: PurePosixPath, hidden: bool, above: tuple[object, ...], found: FoundFiles
) -> None:
    try:
        about = folder.stat()
        here = (about.st_dev, about.st_ino)
        if here in above:
            found.closed[relative] = "it is a link to a folder that it lies in"
            return
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.closed[relative] = f"the folder cannot be read: {error.strerror}"
        return
    for entry in entries:
        path, passed_over = relative / entry.name, hidden or _is_passed_over(entry.name)
        if _is_folder(entry):
            if passed_over and not hidden:
                found.hidden.append(path)
            _look_into(folder / entry.name, path, passed_over, (*above, here), found)
        elif not passed_over and _is_image_name(path):
            found.images.append(path)
        else:
            found.others.append(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _is_image_name(path: PurePath) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES
