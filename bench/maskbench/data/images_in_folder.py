"""The images of a folder, by their paths."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from maskbench.data.image_files import regular_file
from maskbench.data.paths import shown
from maskbench.data.pixels import UnreadableImage, open_image
from maskbench.data.source import RawImages, unreadable


def images_of(root: Path, relative: Sequence[PurePosixPath]) -> RawImages:
    """Give access to images below a folder, in the order of their paths."""
    paths = [root / path for path in relative]

    def raw(row: int) -> bytes:
        try:
            return regular_file(paths[row]).read_bytes()
        except OSError as error:
            raise unreadable(f"the image {shown(paths[row])}", os.strerror(error.errno or 0)) from error
        except UnreadableImage as error:
            raise unreadable(f"the image {shown(paths[row])}", str(error)) from None

    return RawImages(
        raw=raw,
        open=lambda row: open_image(regular_file(paths[row])),
        where=lambda row: shown(paths[row]),
    )
