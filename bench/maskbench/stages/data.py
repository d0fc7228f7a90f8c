"""The data stage: a source, decoded, resized and split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.imageset import ImageSet
from maskbench.data.load import fingerprint, load, source_modules
from maskbench.data.options import DataOptions, Shares
from maskbench.data.parties import SPLITS_OF, Label, Split
from maskbench.data.splits import Splits, split
from maskbench.release import to_float
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class Data(Stage):
    """Images, labels and the four splits of the threat model; read as ``Dataset``."""

    kind: ClassVar[str] = "data"

    options: DataOptions

    @property
    def cpu_only(self) -> bool:
        """Pictures are decoded by the CPU."""
        return True

    def inputs(self) -> Mapping[str, Stage]:
        return {}

    def parameters(self) -> Mapping[str, Any]:
        return {**self.options.choices(), "content": fingerprint(self.options)}

    def roots(self) -> tuple[str, ...]:
        return source_modules(self.options)

    def title(self) -> str:
        return "data"

    def slot(self) -> str:
        options = self.options
        chosen = {
            "target": options.target,
            "sensitive": options.sensitive,
            "size": options.size,
            "limit": options.limit,
            "split seed": options.split_seed or None,
            "shares": None if options.shares == Shares() else options.shares,
        }
        shown = ", ".join(f"{name} {value}" for name, value in chosen.items() if value is not None)
        return f"{Path(options.source).name} ({shown})"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        images = load(self.options)
        return Dataset.pack(images, split(images, self.options.limit, self.options.split_seed, self.options.shares))


@dataclass(frozen=True)
class Dataset:
    """The artifact of the data stage: what the other stages see of the data."""

    artifact: Artifact

    @staticmethod
    def pack(images: ImageSet, splits: Splits) -> Artifact:
        """Make the artifact of images and who owns which.

        The images lie apart by split, so that whoever needs the attacker's own has nothing of the owner's.
        """
        chosen: dict[str, Tensor] = {name: getattr(splits, name) for names in SPLITS_OF.values() for name in names}
        tensors = {"target": images.labels[images.target], "rows": images.rows, **chosen}
        tensors |= {_images(split): images.images[index] for split, index in chosen.items()}
        if images.sensitive is not None:
            tensors["sensitive"] = images.labels[images.sensitive]
        if images.persons is not None:
            tensors["persons"] = images.persons
        return Artifact(
            tensors,
            {
                "target": images.target,
                "sensitive": images.sensitive,
                "target_classes": images.classes[images.target],
                "sensitive_classes": images.classes[images.sensitive] if images.sensitive is not None else [],
                "flippable": images.flippable,
                "notes": [*images.notes, *splits.notes],
                "shape": list(images.images.shape[1:]),
                "sizes": {name: len(index) for name, index in chosen.items()},
            },
        )

    def index(self, split: Split) -> Tensor:
        """Int64 (N,): the numbers of a split's images."""
        return self.artifact.tensors[split]

    def rows(self, split: Split) -> Tensor:
        """Int64 (N,): the places of a split's images in their source."""
        return self.artifact.tensors["rows"][self.index(split)]

    def bytes(self, split: Split) -> Tensor:
        """Uint8 (N, C, H, W): a split's raw images."""
        return self.artifact.tensors[_images(split)]

    def images(self, split: Split) -> Tensor:
        """Float32 (N, C, H, W) in [0, 1]: a split's raw images."""
        return to_float(self.bytes(split))

    def labels(self, split: Split, label: Label) -> Tensor:
        """Int64 (N,): a split's target or sensitive labels."""
        return self.artifact.tensors[label][self.index(split)]

    def persons(self, split: Split) -> Tensor | None:
        """Int64 (N,): who is on each of a split's images; None where that is not known."""
        return self.artifact.tensors["persons"][self.index(split)] if "persons" in self.artifact.tensors else None

    def classes(self, label: Label) -> int:
        """Number of classes of the target or the sensitive label."""
        return len(self.artifact.record[f"{label}_classes"])

    @property
    def has_sensitive(self) -> bool:
        """Whether there is a sensitive label."""
        return self.artifact.record["sensitive"] is not None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.artifact.record["shape"]
        return channels, height, width

    def size(self, split: Split) -> int:
        """Number of a split's images."""
        return int(self.artifact.record["sizes"][split])

    @property
    def mirror(self) -> bool:
        """Whether a mirrored image keeps its labels."""
        return bool(self.artifact.record["flippable"])

    def scored(self, split: Split, count: int) -> Tensor:
        """Choose the images of a split that leakage is measured on: at random, but always the same ones.

        Each pair of labels has its share of them, so that guessing is worth the same on them as on the whole split.

        Args:
            count: at most so many.

        Returns:
            Int64 (min(count, N),), sorted: positions within the split, 0 … N − 1.
        """
        labels = self.labels(split, "target")
        if self.has_sensitive:
            labels = labels * self.classes("sensitive") + self.labels(split, "sensitive")
        return stratified_order(labels, torch.Generator().manual_seed(0))[:count].sort().values

    def share(self, split: Split, share: float) -> Tensor:
        """Choose a part of a split; a smaller part lies within every larger one.

        Args:
            share: in (0, 1], of the split's N images.

        Returns:
            Int64 (max(2, round(share · N)),), sorted: positions within the split, 0 … N − 1.
        """
        return self.scored(split, max(2, round(share * self.size(split))))


def stratified_order(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Shuffle images so that every beginning of their order has the labels in proportion.

    Args:
        labels: int64 (N,).

    Returns:
        Int64 (N,): positions, a permutation; the first k of them hold about its share of every label.
    """
    shuffled = torch.randperm(len(labels), generator=generator)
    drawn = labels[shuffled]
    counts = torch.bincount(drawn)
    offsets = torch.rand(len(counts), generator=generator)
    grouped = drawn.argsort(stable=True)
    rank = torch.empty_like(grouped)
    rank[grouped] = torch.arange(len(labels)) - (counts.cumsum(0) - counts)[drawn[grouped]]
    place = (rank + offsets[drawn]) / counts[drawn]
    return shuffled[place.argsort(stable=True)]


def _images(split: str) -> str:
    return f"images/{split}"
