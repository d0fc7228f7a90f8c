"""The scoring stage: per-image outcomes of one cell, from which means and intervals are taken; inference lies apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.metrics.classification import correct
from maskbench.metrics.image import MS_SSIM_SIDE, closeness, gain, ms_ssim
from maskbench.metrics.leakage import label_prior
from maskbench.metrics.masks import mask_accuracy, mask_iou
from maskbench.metrics.perceptual import identity, load, lpips
from maskbench.release import to_float
from maskbench.stages.columns import named
from maskbench.stages.data import SPLITS, Data, Dataset
from maskbench.stages.found_masks import FoundMasks
from maskbench.stages.recognition import Recognition
from maskbench.stages.released import read_release
from maskbench.stages.restoration import SCORED, Restoration
from maskbench.stages.stage import Context, Stage


@dataclass(frozen=True)
class ScoredRecognition(Stage):
    """Columns on owner-test: truth, guess, correct, and whether the training set's most frequent class is right."""

    kind: ClassVar[str] = "scoring"

    data: Data
    recognition: Recognition

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.data, "recognition": self.recognition}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "recognition"}

    def title(self) -> str:
        return f"scoring {self.recognition.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        logits = inputs["recognition"].tensors["owner_test"]
        labels = dataset.labels("owner_test", "target")
        prior = label_prior(dataset.labels("owner_train", "target"), None, dataset.classes("target"), 1)
        columns = {
            "number": dataset.index("owner_test"),
            "truth": labels,
            "guess": logits.argmax(1),
            "correct": correct(logits, labels),
            "prior_correct": correct(prior.expand(len(labels), -1), labels),
        }
        return Artifact(named("owner_test", columns))


@dataclass(frozen=True)
class ScoredRestoration(Stage):
    """Columns on each scored split: PSNR and SSIM over whole and hole, the gain over mean-fill, MS-SSIM and LPIPS.

    MS-SSIM is there for images that are large enough for it, LPIPS where the settings name a backbone. Where a release
    has no mask, all of it was changed and the hole is the whole. The record has, for each split, the mean hole SSIM on
    attacker-validation, by which the attacker chooses among attacks.
    """

    kind: ClassVar[str] = "scoring"

    data: Data
    restoration: Restoration

    def inputs(self) -> Mapping[str, Stage]:
        needed = self.restoration.inputs()
        return {
            "data": self.data,
            "restoration": self.restoration,
            "release": needed["release"],
            "attacker_release": needed["attacker_release"],
        }

    def parameters(self) -> Mapping[str, Any]:
        perceptual = self.restoration.settings.perceptual
        return {"of": "restoration", "perceptual": None if perceptual is None else identity(perceptual)}

    def title(self) -> str:
        return f"scoring {self.restoration.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        tensors: dict[str, Tensor] = {}
        for split, source in SCORED.items():
            positions = dataset.scored(split, self.restoration.settings.scored)
            raw = to_float(dataset.bytes(split)[positions]).to(context.device)
            release = read_release(inputs[source], split, positions)
            released = release.images.to(context.device)
            masks = None if release.masks is None else release.masks.to(context.device)
            restored = to_float(inputs["restoration"].tensors[split].to(context.device))
            columns = {"number": dataset.index(split)[positions], **self._columns(restored, released, raw, masks)}
            tensors |= named(split, columns)
        found = float(tensors["attacker_validation/ssim_hole"].nanmean())
        return Artifact(tensors, {"validation": {split: found for split in SPLITS["owner"]}})

    def _columns(self, restored: Tensor, released: Tensor, raw: Tensor, masks: Tensor | None) -> dict[str, Tensor]:
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
        if self.restoration.settings.perceptual is not None:
            columns["lpips"] = lpips(restored, raw, load(self.restoration.settings.perceptual, raw.device))
        return columns


@dataclass(frozen=True)
class ScoredMasks(Stage):
    """Columns on the owner's splits: accuracy and intersection over union of masks that were withheld and found."""

    kind: ClassVar[str] = "scoring"

    data: Data
    found: FoundMasks

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.data, "found": self.found, "release": self.found.inputs()["release"]}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "masks", "scored": self.found.settings.scored}

    def title(self) -> str:
        return f"scoring {self.found.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        tensors: dict[str, Tensor] = {}
        for split in SPLITS["owner"]:
            positions = dataset.scored(split, self.found.settings.scored)
            found = inputs["found"].tensors[split][positions]
            masks = inputs["release"].tensors[f"{split}/masks"][positions]
            columns = {
                "number": dataset.index(split)[positions],
                "mask_accuracy": mask_accuracy(found, masks),
                "mask_iou": mask_iou(found, masks),
            }
            tensors |= named(split, columns)
        return Artifact(tensors)
