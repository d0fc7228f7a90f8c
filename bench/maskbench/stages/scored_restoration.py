"""The scoring stage of restoration: how close each restored image comes to the raw one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.metrics.image import MS_SSIM_SIDE, closeness, gain, ms_ssim
from maskbench.metrics.perceptual import identity, load, lpips
from maskbench.release import to_float
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.restoration import Restoration, StoredRestoration
from maskbench.stages.scored import Scored, Validation
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredRestoration(Stage):
    """Columns on the owner's splits: PSNR and SSIM over whole and hole, the gain over mean-fill, MS-SSIM and LPIPS.

    MS-SSIM is there for images that are large enough for it, LPIPS where the settings name a backbone. Where a release
    has no mask, all of it was changed and the hole is the whole. The attacker chooses among attacks by the hole SSIM on
    its own validation pictures.
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
        raw = to_float(dataset.bytes(split)[positions]).to(device)
        release = stored_release(inputs, split).release(split, positions)
        released = release.images.to(device)
        masks = None if release.masks is None else release.masks.to(device)
        restored = to_float(StoredRestoration(inputs["restoration"]).images(split).to(device))
        return {"number": dataset.index(split)[positions], **self._measured(restored, released, raw, masks)}

    def _measured(self, restored: Tensor, released: Tensor, raw: Tensor, masks: Tensor | None) -> dict[str, Tensor]:
        perceptual = self.restoration.trial.settings.perceptual
        hidden = torch.zeros_like(raw[:, :1]) if masks is None else masks
        close = closeness(restored, raw, hidden)
        columns = {
            "psnr": close.psnr,
            "ssim": close.ssim,
            "psnr_hole": close.psnr if masks is None else close.psnr_hole,
            "ssim_hole": close.ssim if masks is None else close.ssim_hole,
            "gain": gain(restored, released, raw, hidden),
        }
        if min(raw.shape[2:]) >= MS_SSIM_SIDE:
            columns["ms_ssim"] = ms_ssim(restored, raw)
        if perceptual is not None:
            columns["lpips"] = lpips(restored, raw, load(perceptual, raw.device))
        return columns
