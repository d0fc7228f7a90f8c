"""The attribution stage: how much each pixel matters to a party's teacher, for all its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.attributions.algorithm import find, module_of
from maskbench.attributions.passes import PassSize
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.release import to_float
from maskbench.stages.data import Dataset
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import StoredTeacher, Teacher

_BATCH = 256


@dataclass(frozen=True)
class Attributions(Stage):
    """One attribution serves every ratio, geometry and adjustment that asks for it."""

    kind: ClassVar[str] = "attribution"

    teacher: Teacher
    algorithm: str

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.teacher.data, "teacher": self.teacher}

    def parameters(self) -> Mapping[str, Any]:
        return {"algorithm": self.algorithm}

    def roots(self) -> tuple[str, ...]:
        return (module_of(self.algorithm),)

    def title(self) -> str:
        return f"attribution {self.algorithm} · {self.teacher.subject()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        network = StoredTeacher(inputs["teacher"]).network(self.teacher, dataset, context.device)
        algorithm = find(self.algorithm)
        splits = SPLITS_OF[self.teacher.party]
        first = to_float(dataset.bytes(splits[0])[:1].to(context.device))
        pass_size = PassSize.fitting(network, first)
        maps: dict[Split, Tensor] = {}
        total = sum(dataset.size(split) for split in splits)
        done = 0
        for split in splits:
            parts = []
            for batch in dataset.bytes(split).split(_BATCH):
                parts.append(algorithm.explain(network, to_float(batch.to(context.device)), pass_size).cpu())
                done += len(batch)
                context.progress(done / total)
            maps[split] = torch.cat(parts)
        return StoredAttributions.pack(maps)


@dataclass(frozen=True)
class StoredAttributions:
    """The artifact of attributions."""

    artifact: Artifact

    @staticmethod
    def pack(maps: Mapping[Split, Tensor]) -> Artifact:
        """Make the artifact of the maps of each split of a party."""
        return Artifact({str(split): tensor for split, tensor in maps.items()})

    def maps(self, split: Split) -> Tensor:
        """Float32 (N, 1, H, W): how much each pixel of a split's images matters; the scale is the algorithm's own."""
        return self.artifact.tensors[split]
