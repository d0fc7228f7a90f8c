"""A release as the third party reads it: pictures, their masks and labels, as a data set of PyTorch."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from maskbench.data.image_files import find_files
from maskbench.data.own_output import IMAGES, MADE_BY, MANIFEST, MASKS
from maskbench.data.paths import parquet_files, shown
from maskbench.data.pixels import Unreadable, open_image, read_pixels
from maskbench.data.source import MISSING, LabelTable, unreadable
from maskbench.data.sources.folder import ClassFolder
from maskbench.data.sources.parquet import ParquetFolder
from maskbench.errors import UsageError, unknown
from maskbench.release import to_float
from maskbench.releasing.parquet import MASK
from maskbench.releasing.soft_labels import as_answers, of_parquet, of_pictures


class ReleasedImages(Dataset[tuple[Tensor, Tensor, int] | tuple[Tensor, Tensor, int, Tensor]]):
    """The pictures of a release; made by :func:`load_release`.

    An item is an image, float32 ``(C, H, W)`` in [0, 1]; its mask, float32 ``(1, H, W)``, 1 = kept and 0 = hidden,
    and 1 everywhere where the release has no masks; and its label, the place of its class in ``classes``, or −1 where
    it has none. Where soft labels were asked for, they come fourth: what the owner's teacher says of the raw image,
    float32 ``(classes,)``, as logits but for a constant, which is what ``recognition_loss`` of a method takes.

    Attributes:
        classes: the names of the classes.
        labels: int64 ``(N,)``.
        has_masks: whether the release has masks.
        manifest: how it was made, as ``manifest.json`` says it.
    """

    def __init__(
        self,
        manifest: dict[str, Any],
        classes: tuple[str, ...],
        labels: Tensor,
        image: Callable[[int], Image.Image],
        mask: Callable[[int], Image.Image] | None,
        where: Callable[[int], str],
        answers: Tensor | None = None,
    ) -> None:
        self.manifest, self.classes, self.labels = manifest, classes, labels
        self.has_masks = mask is not None
        self._image, self._mask, self._where, self._answers = image, mask, where, answers

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int] | tuple[Tensor, Tensor, int, Tensor]:
        """Decode one picture. Raises UsageError where it or its mask cannot be read, or the two differ in size."""
        place = range(len(self))[index]
        image, mask = self._picture(place)
        if self._answers is None:
            return image, mask, int(self.labels[place])
        return image, mask, int(self.labels[place]), self._answers[place]

    def _picture(self, place: int) -> tuple[Tensor, Tensor]:
        image = self._pixels(self._image, place, "")
        if self._mask is None:
            return to_float(image), torch.ones(1, *image.shape[1:])
        mask = self._pixels(self._mask, place, "the mask of ")
        if mask.shape[1:] != image.shape[1:]:
            raise unreadable(f"the mask of {self._where(place)}", "it has another size than its picture")
        return to_float(image), (mask[:1] > 0).float()

    def _pixels(self, opened: Callable[[int], Image.Image], place: int, what: str) -> Tensor:
        picture = read_pixels(partial(opened, place), None)
        if isinstance(picture, Unreadable):
            raise unreadable(f"{what}{self._where(place)}", picture.reason)
        return torch.from_numpy(picture.pixels)


def load_release(folder: str | Path, *, target: str | None = None, soft_labels: bool = False) -> ReleasedImages:
    """Open what ``maskbench desensitize`` has written, to train on.

    Args:
        folder: the release, with its ``manifest.json``.
        target: label column of a Parquet release; by default its first one. A release of pictures has one, its folders.
        soft_labels: whether items have what the owner's teacher says of the raw image, as a fourth part.

    Raises:
        UsageError: the folder holds no release, its labels cannot be read, or it has no such column; or soft labels
            are asked for, and there are none for this column.
    """
    root = Path(folder)
    manifest = _manifest(root)
    if soft_labels and not manifest.get("soft_labels"):
        raise UsageError(f"{shown(root)} has no soft labels: the method was one without adjust=distill, or loaded.")
    if (root / IMAGES).is_dir():
        return _of_folder(root, manifest, target, soft_labels)
    if parquet_files(root):
        return _of_parquet(root, manifest, target, soft_labels)
    raise UsageError(f"{shown(root)} has a manifest and no pictures: neither a folder {IMAGES} nor Parquet files.")


def _manifest(root: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        if manifest["made_by"] == MADE_BY:
            return dict(manifest)
    except OSError as error:
        raise UsageError(f"{shown(root)} is no release: {MANIFEST} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{shown(root)} is no release: its {MANIFEST} is not of `{MADE_BY}`.")


def _of_folder(root: Path, manifest: dict[str, Any], target: str | None, soft_labels: bool) -> ReleasedImages:
    pictures = root / IMAGES
    paths = find_files(pictures).images
    table = None
    if any(len(path.parts) > 1 for path in paths):
        source = ClassFolder(pictures)
        paths, table = source.paths, source.labels()
    classes, labels = _labels(table, target, len(paths))

    def opened(folder: str, place: int) -> Image.Image:
        return open_image(root / folder / paths[place])

    mask = None if manifest["masks"] is None else partial(opened, MASKS)
    answers = None
    if soft_labels:
        answers = as_answers(of_pictures(root, manifest, [path.as_posix() for path in paths]), manifest, classes)
    return ReleasedImages(
        manifest, classes, labels, partial(opened, IMAGES), mask, lambda place: shown(paths[place]), answers
    )


def _of_parquet(root: Path, manifest: dict[str, Any], target: str | None, soft_labels: bool) -> ReleasedImages:
    source = ParquetFolder(root)
    table = source.labels()
    images = source.images()
    rows = [pq.read_table(path, columns=[MASK] if manifest["masks"] else []) for path in source.files]
    classes, labels = _labels(table, target, sum(map(len, rows)))
    mask = None
    if manifest["masks"]:
        cells = [cell for part in rows for cell in part[MASK]]

        def mask(place: int) -> Image.Image:
            return open_image(io.BytesIO(cells[place].as_py() or b""))

    answers = None
    if soft_labels:
        learned = manifest["soft_labels"]["target"]
        if learned != (target or next(iter(table.labels), None)):
            raise UsageError(f"The soft labels of {shown(root)} are of the column '{learned}': name it as the target.")
        answers = as_answers(of_parquet(root, source.files), manifest, classes)
    return ReleasedImages(manifest, classes, labels, images.open, mask, images.where, answers)


def _labels(table: LabelTable | None, target: str | None, count: int) -> tuple[tuple[str, ...], Tensor]:
    """Classes and labels of the column that is asked for; of none where there is no column and none was asked for."""
    columns = {} if table is None else table.labels
    if target is not None and target not in columns:
        raise UsageError(unknown("label", target, list(columns)))
    chosen = target or next(iter(columns), None)
    if table is None or chosen is None:
        return (), torch.full((count,), MISSING)
    return tuple(table.classes[chosen]), torch.from_numpy(table.labels[chosen])
