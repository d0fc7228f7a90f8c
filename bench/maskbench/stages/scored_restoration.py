"""The scoring stage of restoration: how close each restored image comes to the raw one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.metrics.comparison import Comparison
from maskbench.metrics.families.restoration import measured
from maskbench.metrics.perceptual import identity, load
from maskbench.release import to_float
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.restoration import Restoration, StoredRestoration
from maskbench.stages.scored import Scored, Validation
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredRestoration(Stage):
    """Columns on the owner's splits: every metric of restorations that can be measured here.

    The attacker chooses among attacks by the hole SSIM on its own validation pictures.
    """

    kind: ClassVar[str] = "scoring"

    restoration: Restoration

    def inputs(self) -> Mapping[str, Stage]:
        trial = self.restoration.trial
        releases = {release_input(party): trial.release(party) for party in SPLITS_OF}
        return {"data": trial.data, "restoration": self.restoration, **releases}

    def parameters(self) -> Mapping[str, Any]:
        perceptual = self.restoration.trial.settings.perceptual
        return {"of": "restoration", "perceptual": None if perceptual is None else identity(perceptual)}

    def title(self) -> str:
        return f"scoring {self.restoration.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        columns = {split: self._columns(dataset, inputs, split, context.device) for split in SPLITS_OF["owner"]}
        own = self._columns(dataset, inputs, "attacker_validation", context.device)
        scores = own["ssim_hole"].cpu()
        validation = Validation(own["number"], scores, float(scores.nanmean()))
        return Scored.pack(columns, validation=dict.fromkeys(SPLITS_OF["owner"], validation))

    def _columns(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split, device: torch.device
    ) -> dict[str, Tensor]:
        positions = dataset.scored(split, self.restoration.trial.settings.scored)
        raw = to_float(dataset.bytes(split)[positions].to(device))
        release = stored_release(inputs, split).release(split, positions)
        pictures = Comparison(
            restored=to_float(StoredRestoration(inputs["restoration"]).images(split).to(device)),
            released=release.images.to(device),
            raw=raw,
            masks=None if release.masks is None else release.masks.to(device),
            perceptual=self._perceptual(device),
        )
        return {"number": dataset.index(split)[positions], **measured(pictures)}

    def _perceptual(self, device: torch.device) -> nn.Module | None:
        backbone = self.restoration.trial.settings.perceptual
        return None if backbone is None else load(backbone, device)
