"""Masks that are chosen for the whole set, where the task can be read and the sensitive label cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from maskbench import Given, MaskMethod, Owner
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

_MOST = 16  # regions along the longer side; smaller units are chosen in blocks, or the covariance would not fit
_HALVED = 10  # regions up to this number along a side are described by 2 × 2 cells, others by one
_SHRINKAGE = 0.01  # ridge, as a share of the mean variance
_CHUNK = 4096  # images whose moments are added up at once
_NEARER = 1e-3  # less than a step outwards
_EDGE = 0.5  # from the middle of a square to its border, in sides
_LEAST_VARIANCE = 1e-8  # of pictures that are all alike


class Template(MaskMethod):
    """Keep the places where the task is read best and the sensitive label worst, the same ones in every image.

    Places are chosen one after the other, the best beside those that are chosen already. How well a place tells a
    label is the share of the label's variance that linear regression on the colours there explains; of the sensitive
    label, what the task label leaves open. Mirrored places are chosen together, so the mask looks the same in the
    mirror. No image decides on its own mask, so the shape of a mask says nothing about its image.

    With ``shape=square`` the places are those of one square in the middle column, as high or low as tells most. What
    lies together is read better by a convolution, and leaves an attacker less to interpolate between.

    With ``shape=window`` the places are chosen inside a window in the middle column that has twice their area, as high
    or low as they tell most: closer together than free ones, with room to go round what tells the sensitive label.
    Without such a label, or with a weight of 0, there is nothing to go round, and they are those of a square.

    With ``templates`` above 1, each image draws one of several, whatever it shows. For each of them, what the earlier
    ones keep tells half as much of the task.
    """

    name: ClassVar[str] = "template"
    source: ClassVar[str] = (
        "maskbench; greedy forward selection: Chen, Billings and Luo 1989, Orthogonal least squares methods"
    )
    state_is_public: ClassVar[bool] = True  # the masks come with the images
    mirror_symmetric: ClassVar[bool] = True

    weight: float = Field(0.5, ge=0, description="of the sensitive label against the target label")
    templates: int = Field(1, ge=1, le=64, description="how many masks there are; each image draws one")
    shape: Literal["free", "square", "window"] = Field(
        "free",
        description="free: any places; square: those of one square; window: any inside one twice as large, where a "
        "sensitive label is to be gone round",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.shape != "free" and self.templates > 1:
            raise ValueError(f"templates above 1 goes with shape=free: there is one {self.shape}")
        return self

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        height, width = owner.images.shape[2:]
        regions = _Regions.of(height, width, self.unit)
        moments = _Moments.of(owner, regions)
        pixels = (1 - self.ratio) * height * width
        evades = self.weight > 0 and owner.sensitive is not None
        if self.shape == "square" or (self.shape == "window" and not evades):
            return {"scores": regions.scores(_square(regions, moments, self.weight, pixels))[None]}
        if self.shape == "window":
            return {"scores": regions.scores(_in_window(regions, moments, self.weight, pixels))[None]}
        worth = torch.ones(len(regions.groups), dtype=torch.float64)
        scores = []
        for _ in range(self.templates):
            order = _chosen(regions, moments, worth, self.weight, pixels, range(len(regions.groups)))
            worth[order] /= 2
            scores.append(regions.scores(order))
        return {"scores": torch.stack(scores)}

    def scores(self, images: Tensor, given: Given) -> Tensor:
        drawn = given.rng.integers(self.templates, 1)[:, 0]
        return self.state["scores"].to(images.device)[drawn]


@dataclass(frozen=True)
class _Regions:
    """What is kept or hidden as one: a unit of the mask, or a block of units, with its mirror image.

    Attributes:
        side: of a region, in pixels.
        cell: side in pixels of the squares whose mean colours describe a region.
        cells: (rows, columns) of cells.
        groups: regions that are chosen together: indices into the cells, row by row.
        units: the number of the group that each unit of the mask belongs to, h × w.
        areas: pixels of each group.
        rows: the row of each group, float64.
        aside: how far its regions lie from the middle column, float64.
    """

    side: int
    cell: int
    cells: tuple[int, int]
    groups: Sequence[Tensor]
    units: Tensor
    areas: Tensor
    rows: Tensor
    aside: Tensor

    @staticmethod
    def of(height: int, width: int, unit: int) -> _Regions:
        """The regions of pictures of a size, at most ``_MOST`` along a side."""
        side = unit * max(1, -(-max(height, width) // (unit * _MOST)))
        halved = side % 2 == 0 and max(height, width) <= side * _HALVED
        cell = side // 2 if halved else side
        columns = -(-width // side)
        rows_at, columns_at = torch.arange(height) // side, torch.arange(width) // side
        columns_at = torch.minimum(columns_at, columns - 1 - columns_at)
        of_pixel = rows_at[:, None] * columns + columns_at[None, :]
        found, groups = of_pixel.unique(return_inverse=True)
        of_cell = groups[::cell, ::cell].flatten()
        members = [(of_cell == number).nonzero()[:, 0] for number in range(len(found))]
        cells = -(-height // cell), -(-width // cell)
        areas = torch.bincount(groups.flatten())
        rows, aside = (found // columns).double(), (columns - 1) / 2 - (found % columns).double()
        return _Regions(side, cell, cells, members, groups[::unit, ::unit], areas, rows, aside)

    def described(self, images: Tensor) -> Tensor:
        """Mean colours of the cells, float64 (N, cells, channels), for images (N, C, H, W)."""
        pooled = F.avg_pool2d(images.double(), self.cell, ceil_mode=True, count_include_pad=False)
        return pooled.flatten(2).transpose(1, 2)

    def scores(self, order: Sequence[int]) -> Tensor:
        """The earlier a group was chosen, the more: float32 1 × h × w, one value a unit."""
        score = torch.zeros(len(self.groups))
        score[list(order)] = torch.arange(len(order), 0, -1, dtype=torch.float32)
        return score[self.units][None]


@dataclass(frozen=True)
class _Moments:
    """Second moments of the cells' colours, and theirs with both labels.

    Attributes:
        covariance: of the D values of all cells, D × D, with a ridge.
        target: D × classes, with the task label, whose variance is 1 in all.
        sensitive: the same with the sensitive label, as far as the task label leaves it open; no columns without one.
        channels: values of a cell, side by side.
    """

    covariance: Tensor
    target: Tensor
    sensitive: Tensor
    channels: int

    @staticmethod
    def of(owner: Owner, regions: _Regions) -> _Moments:
        """The moments of a party's training images and their mirror images."""
        target = _one_hot(owner.labels, owner.classes)
        sensitive = target.new_zeros(len(target), 0)
        if owner.sensitive is not None:
            sensitive = _one_hot(owner.sensitive, owner.sensitive_classes)
            means = target.T @ sensitive / target.sum(0).clamp_min(1)[:, None]
            sensitive = sensitive - target @ means
        labels = torch.cat([_unit_variance(target - target.mean(0)), _unit_variance(sensitive)], dim=1)
        channels = owner.images.shape[1]
        values = regions.cells[0] * regions.cells[1] * channels
        total, sums = labels.new_zeros(values), labels.new_zeros(values, values + labels.shape[1])
        for images, of_labels in zip(owner.images.split(_CHUNK), labels.split(_CHUNK), strict=True):
            for shown in (images, images.flip(-1)):
                rows = regions.described(shown).flatten(1)
                total += rows.sum(0)
                sums += rows.T @ torch.cat([rows, of_labels], dim=1)
        count = 2 * len(owner.images)
        mean = total / count
        # The labels' columns have mean 0, so theirs need no centring.
        covariance = sums[:, :values] / count - mean[:, None] * mean[None, :]
        ridge = _SHRINKAGE * covariance.diagonal().mean().clamp_min(_LEAST_VARIANCE)
        covariance.diagonal().add_(ridge)
        with_labels = sums[:, values:] / count
        return _Moments(covariance, with_labels[:, : target.shape[1]], with_labels[:, target.shape[1] :], channels)


def _chosen(
    regions: _Regions, moments: _Moments, worth: Tensor, weight: float, pixels: float, among: Iterable[int]
) -> list[int]:
    """Groups in the order in which they are chosen among some, until they cover so many pixels.

    After each choice everything is conditioned on it, so that the next one counts for what it adds.
    """
    places = [_values(regions, moments, group) for group in range(len(regions.groups))]
    covariance = moments.covariance
    labels = torch.cat([moments.target, moments.sensitive], dim=1)
    classes = moments.target.shape[1]
    left, order, covered = list(among), list[int](), 0.0
    while left and covered < pixels:
        gains = []
        for group in left:
            at = places[group]
            solved = torch.cholesky_solve(labels[at], torch.linalg.cholesky(covariance[at[:, None], at]))
            told = (labels[at] * solved).sum(0)
            # By the pixel: in the middle column a region has no mirror image.
            gains.append((worth[group] * told[:classes].sum() - weight * told[classes:].sum()) / regions.areas[group])
        best = left.pop(int(torch.stack(gains).argmax()))
        order.append(best)
        covered += float(regions.areas[best])
        at = places[best]
        across = torch.cholesky_solve(covariance[at], torch.linalg.cholesky(covariance[at[:, None], at]))
        labels = labels - across.T @ labels[at]
        covariance = covariance - covariance[:, at] @ across
        # Conditioned on itself a place has no variance left; it is not asked again.
    return order


def _square(regions: _Regions, moments: _Moments, weight: float, pixels: float) -> list[int]:
    """Groups from the middle of a square outwards, until they cover so many pixels; the square that tells most."""
    best, found = float("-inf"), list[int]()
    for distance in _windows(regions, pixels):
        # Nearer ones first; of places that are as far out, those above or below before those at the sides.
        order = (distance + _NEARER * regions.aside).argsort(stable=True)
        covered = regions.areas[order].cumsum(0)
        # What the budget is nearer to than not: the group after it may be kept in part.
        kept = int((covered - regions.areas[order] / 2 < pixels).sum())
        told = _told(regions, moments, order[:kept].tolist(), weight) if kept else 0.0
        if told > best:
            best, found = told, order[: int((covered < pixels).sum()) + 1].tolist()
    return found


def _in_window(regions: _Regions, moments: _Moments, weight: float, pixels: float) -> list[int]:
    """Groups chosen inside a window of twice so many pixels; the window in which they tell most."""
    worth = torch.ones(len(regions.groups), dtype=torch.float64)
    best, found = float("-inf"), list[int]()
    for distance in _windows(regions, 2 * pixels):
        inside = (distance < _EDGE).nonzero()[:, 0].tolist()
        order = _chosen(regions, moments, worth, weight, pixels, inside)
        told = _told(regions, moments, order, weight) if order else 0.0
        if told > best:
            best, found = told, order
    return found


def _windows(regions: _Regions, pixels: float) -> Iterator[Tensor]:
    """How far out of each square of about so many pixels the groups lie, ½ at its border; float64, one a group.

    A square lies in the middle column. It has an even number of columns where the picture has, since it is its own
    mirror image.
    """
    high, wide = int(regions.rows.max()) + 1, round(2 * float(regions.aside.max())) + 1
    count = pixels / float(regions.side**2)
    columns = min(wide, max(2 - wide % 2, 2 * round((count**0.5 - wide % 2) / 2) + wide % 2))
    rows = min(high, max(1, round(count / columns)))
    for centre in torch.arange(high - rows + 1, dtype=torch.float64) + (rows - 1) / 2:
        yield torch.maximum((regions.rows - centre).abs() / rows, regions.aside / columns)


def _told(regions: _Regions, moments: _Moments, groups: Sequence[int], weight: float) -> float:
    """What places tell together of the task, less what they tell of the sensitive label, ``weight`` times."""
    labels = torch.cat([moments.target, moments.sensitive], dim=1)
    classes = moments.target.shape[1]
    at = torch.cat([_values(regions, moments, group) for group in groups])
    solved = torch.cholesky_solve(labels[at], torch.linalg.cholesky(moments.covariance[at[:, None], at]))
    told = (labels[at] * solved).sum(0)
    return float(told[:classes].sum() - weight * told[classes:].sum())


def _values(regions: _Regions, moments: _Moments, group: int) -> Tensor:
    """Which of the D values describe a group."""
    return (regions.groups[group][:, None] * moments.channels + torch.arange(moments.channels)).flatten()


def _one_hot(labels: Tensor, classes: int) -> Tensor:
    return F.one_hot(labels, classes).double()


def _unit_variance(columns: Tensor) -> Tensor:
    """Centred columns (N, K), scaled so that their variances sum to 1; all zero where there is only one class."""
    return columns / columns.square().mean(0).sum().sqrt().clamp_min(_LEAST_VARIANCE)
