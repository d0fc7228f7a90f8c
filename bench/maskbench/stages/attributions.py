"""The attribution stage: how much each pixel matters to a party's teacher, for all its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from maskbench.artifacts.store import Artifact
from maskbench.attributions.algorithm import find, module_of
from maskbench.attributions.passes import PassSize
from maskbench.release import to_float
from maskbench.stages.data import SPLITS, Data, Dataset
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import Teacher

_BATCH = 256


@dataclass(frozen=True)
class Attributions(Stage):
    """One attribution serves every ratio, geometry and adjustment that asks for it."""

    kind: ClassVar[str] = "attribution"

    data: Data
    teacher: Teacher
    algorithm: str

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.data, "teacher": self.teacher}

    def parameters(self) -> Mapping[str, Any]:
        return {"algorithm": self.algorithm}

    def roots(self) -> tuple[str, ...]:
        return (module_of(self.algorithm),)

    def title(self) -> str:
        return f"attribution {self.algorithm} · {self.teacher.subject()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        network = self.teacher.restore(inputs["teacher"], dataset, context.device)
        algorithm = find(self.algorithm)
        first = to_float(dataset.bytes(SPLITS[self.teacher.party][0])[:1].to(context.device))
        pass_size = PassSize.fitting(network, first)
        tensors = {}
        splits = SPLITS[self.teacher.party]
        total = sum(len(dataset.index(split)) for split in splits)
        done = 0
        for split in splits:
            parts = []
            for batch in dataset.bytes(split).split(_BATCH):
                parts.append(algorithm.explain(network, to_float(batch.to(context.device)), pass_size).cpu())
                done += len(batch)
                context.progress(done / total)
            tensors[split] = torch.cat(parts)
        return Artifact(tensors)
