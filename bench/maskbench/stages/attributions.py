"""The attribution stage: how much each pixel matters to a party's teacher, for the images of one of its splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.attributions.algorithm import find, module_of
from maskbench.attributions.passes import PassSize
from maskbench.data.parties import Split
from maskbench.models.recognizer import Recognizer
from maskbench.release import to_float
from maskbench.stages.data import Dataset
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import StoredTeacher, Teacher

_BATCH = 256
_LEAST = torch.finfo(torch.float32).tiny  # nothing is divided by zero


@dataclass(frozen=True)
class Attributions(Stage):
    """One attribution serves every ratio, geometry and adjustment that asks for it."""

    kind: ClassVar[str] = "attribution"

    teacher: Teacher
    algorithm: str
    split: Split

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.teacher.data, "teacher": self.teacher}

    def parameters(self) -> Mapping[str, Any]:
        return {"algorithm": self.algorithm, "split": self.split}

    def roots(self) -> tuple[str, ...]:
        return (module_of(self.algorithm),)

    def title(self) -> str:
        return f"attribution {self.algorithm} · {self.split} · {self.teacher.subject()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        network = StoredTeacher(inputs["teacher"]).network(self.teacher, dataset, context.device)
        raw = dataset.bytes(self.split)
        return StoredAttributions.pack(explained(network, self.algorithm, raw, context.device, context.progress))


def explained(
    network: Recognizer,
    algorithm: str,
    raw: Tensor,
    device: torch.device,
    progress: Callable[[float], None] = lambda share: None,
) -> Tensor:
    """How much each pixel matters to a network: float32 (N, 1, H, W) on the CPU, for uint8 (N, C, H, W)."""
    explain = find(algorithm).explain
    pass_size = PassSize.fitting(network, to_float(raw[:1].to(device)))
    parts: list[Tensor] = []
    for batch in raw.split(_BATCH):
        parts.append(explain(network, to_float(batch.to(device)), pass_size).cpu())
        progress(min(1.0, len(parts) * _BATCH / len(raw)))
    return torch.cat(parts)


@dataclass(frozen=True)
class StoredAttributions:
    """The artifact of attributions.

    They are kept in half precision, by the largest of each image. What is greater stays greater or becomes equal, where
    two differ by less than a thousandth; masks break ties at random, so that no place gains by it.
    """

    artifact: Artifact

    @staticmethod
    def pack(maps: Tensor) -> Artifact:
        """Make the artifact of the maps of a split, float32 (N, 1, H, W)."""
        scales = maps.abs().amax(dim=(1, 2, 3), keepdim=True)
        return Artifact({"maps": (maps / scales.clamp_min(_LEAST)).half(), "scales": scales})

    @property
    def maps(self) -> Tensor:
        """Float32 (N, 1, H, W): how much each pixel of a split's images matters; the scale is the algorithm's own."""
        return self.artifact.tensors["maps"].float() * self.artifact.tensors["scales"]
