"""The scoring stage of masks that were withheld: how well they were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF
from maskbench.metrics.masks import mask_accuracy, mask_iou
from maskbench.stages.data import Dataset
from maskbench.stages.found_masks import FoundMasks, StoredMasks
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.scored import Scored
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredMasks(Stage):
    """Columns on the owner's splits: accuracy and intersection over union.

    Attributes:
        scored: at most so many images of each split.
    """

    kind: ClassVar[str] = "scoring"

    found: FoundMasks
    scored: int

    def inputs(self) -> Mapping[str, Stage]:
        release = self.found.release
        return {"data": release.data, "found": self.found, release_input("owner"): release}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "masks", "scored": self.scored}

    def title(self) -> str:
        return f"scoring {self.found.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        columns = {}
        for split in SPLITS_OF["owner"]:
            positions = dataset.scored(split, self.scored)
            found = StoredMasks(inputs["found"]).masks(split)[positions]
            masks = stored_release(inputs, split).masks(split)[positions]
            columns[split] = {
                "number": dataset.index(split)[positions],
                "mask_accuracy": mask_accuracy(found, masks),
                "mask_iou": mask_iou(found, masks),
            }
        return Scored.pack(columns)
