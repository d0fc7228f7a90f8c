"""The scoring stage of restoration: how close each restored image comes to the raw one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.metrics.comparison import Comparison
from maskbench.metrics.families.restoration import measured
from maskbench.metrics.perceptual import identity, load
from maskbench.release import to_bytes, to_float
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.restoration import Restoration, StoredRestoration
from maskbench.stages.scored import Scored, Validation
from maskbench.stages.stage import Context, Stage
from maskbench.stages.trial import Trial
from maskbench.training.blend import blend, blending_weights

_OWN: Split = "attacker_validation"


@dataclass(frozen=True)
class ScoredRestoration(Stage):
    """Columns on the owner's splits: every metric of restorations that can be measured here.

    The attacker chooses among attacks by the hole SSIM on its own validation pictures. Several restorations are taken
    together, by their weighted mean; the weights come from those pictures too. Each half of them is judged with weights
    from the other half, so that more weights are no advantage in the choice.

    Attributes:
        restorations: one, or several of the same trial.
    """

    kind: ClassVar[str] = "scoring"

    restorations: tuple[Restoration, ...]

    @property
    def trial(self) -> Trial:
        """What the restorations have in common."""
        return self.restorations[0].trial

    def inputs(self) -> Mapping[str, Stage]:
        releases = {release_input(party): self.trial.release(party) for party in SPLITS_OF}
        restored = {_restoration_input(number): each for number, each in enumerate(self.restorations)}
        return {"data": self.trial.data, **restored, **releases}

    def parameters(self) -> Mapping[str, Any]:
        perceptual = self.trial.settings.perceptual
        return {"of": "restoration", "perceptual": None if perceptual is None else identity(perceptual)}

    def title(self) -> str:
        if len(self.restorations) == 1:
            return f"scoring {self.restorations[0].title()}"
        method = self.trial.method.label(leave_out=("adjust",))
        return f"scoring stacked restorations of {method} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset, device = Dataset(inputs["data"]), context.device
        shown = {split: self._shown(dataset, inputs, split, device) for split in (*SPLITS_OF["owner"], _OWN)}
        own = shown[_OWN]
        weights = blending_weights(own.restored, own.raw, own.masks)
        columns = {
            split: self._columns(shown[split], blend(shown[split].restored, weights)) for split in SPLITS_OF["owner"]
        }
        fall = StoredRestoration(inputs[_restoration_input(0)]).late_fall if len(self.restorations) == 1 else None
        if fall is not None:  # the same for every image
            for table in columns.values():
                table["late_fall"] = torch.full(table["number"].shape, fall, dtype=torch.float64)
        known = self._columns(own, _cross_blended(own))
        scores = known["ssim_hole"].cpu()
        validation = Validation(known["number"], scores)
        record = {"weights": [float(weight) for weight in weights]}
        return Scored.pack(columns, validation=dict.fromkeys(SPLITS_OF["owner"], validation), record=record)

    def restored(self, scored: Scored, restorations: Sequence[StoredRestoration], split: Split) -> Tensor:
        """What was scored: uint8 (N, C, H, W), of the scored part of a split."""
        images = torch.stack([to_float(each.images(split)) for each in restorations])
        return to_bytes(blend(images, torch.tensor(scored.artifact.record["weights"])))

    def _shown(self, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split, device: torch.device) -> _Shown:
        positions = dataset.scored(split, self.trial.settings.scored)
        release = stored_release(inputs, split).release(split, positions)
        stored = [StoredRestoration(inputs[_restoration_input(number)]) for number in range(len(self.restorations))]
        return _Shown(
            number=dataset.index(split)[positions],
            restored=torch.stack([to_float(each.images(split).to(device)) for each in stored]),
            released=release.images.to(device),
            raw=to_float(dataset.bytes(split)[positions].to(device)),
            masks=None if release.masks is None else release.masks.to(device),
        )

    def _columns(self, shown: _Shown, restored: Tensor) -> dict[str, Tensor]:
        pictures = Comparison(
            restored=restored,
            released=shown.released,
            raw=shown.raw,
            masks=shown.masks,
            perceptual=self._perceptual(restored.device),
        )
        return {"number": shown.number, **measured(pictures)}

    def _perceptual(self, device: torch.device) -> nn.Module | None:
        backbone = self.trial.settings.perceptual
        return None if backbone is None else load(backbone, device)


@dataclass(frozen=True)
class _Shown:
    """The scored part of a split: what K attacks made of it, (K, N, C, H, W), and what belongs beside it."""

    number: Tensor
    restored: Tensor
    released: Tensor
    raw: Tensor
    masks: Tensor | None


def _cross_blended(own: _Shown) -> Tensor:
    """Each half of the pictures, blended with the weights that are best on the other half."""
    if len(own.restored) == 1:
        return own.restored[0]
    even = torch.arange(len(own.raw), device=own.raw.device) % 2 == 0
    found = torch.empty_like(own.raw)
    for half in (even, ~even):
        masks = None if own.masks is None else own.masks[~half]
        weights = blending_weights(own.restored[:, ~half], own.raw[~half], masks)
        found[half] = blend(own.restored[:, half], weights)
    return found


def _restoration_input(number: int) -> str:
    return f"restoration/{number}"
