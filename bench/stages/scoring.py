"""The scoring stage: per-image outcomes of one cell. Means and intervals are taken from them when a run is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.metrics.classification import correct
from bench.metrics.identification import identification
from bench.metrics.image import MS_SSIM_SIDE, closeness, gain, ms_ssim
from bench.metrics.leakage import information, label_prior
from bench.metrics.masks import mask_accuracy, mask_iou
from bench.metrics.perceptual import identity, load, lpips
from bench.release import to_float
from bench.stages.beliefs import Beliefs
from bench.stages.data import SPLITS, Data, Dataset
from bench.stages.found_masks import FoundMasks
from bench.stages.inference import Inference
from bench.stages.recognition import Recognition
from bench.stages.released import read_release
from bench.stages.restoration import SCORED, Restoration
from bench.stages.stage import Context, Stage
from bench.store import Artifact


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
        return Artifact(_named("owner_test", columns))


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
            tensors |= _named(split, columns)
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
            tensors |= _named(split, columns)
        return Artifact(tensors)


@dataclass(frozen=True)
class ScoredInference(Stage):
    """Columns on each scored split: truth, guess, correct, prior_correct, and information in bits.

    The prior is what the attacker would guess without the picture. On owner-train the attacker knows the task label,
    so both the guess and the prior are conditioned on it; on owner-test neither is. The record has, for each split, the
    information on the attacker's own validation pictures, judged as that split is: by it the attacker chooses attacks.
    """

    kind: ClassVar[str] = "scoring"

    data: Data
    inference: Inference

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.data, "inference": self.inference}

    def parameters(self) -> Mapping[str, Any]:
        return {"of": "inference"}

    def title(self) -> str:
        return f"scoring {self.inference.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        artifact = inputs["inference"].tensors
        label, count = self.inference.label, self.inference.settings.scored
        validated, own = artifact["validation"], artifact["validation_labels"]
        tensors: dict[str, Tensor] = {}
        validation, calibration = {}, {}
        for split in [name for name in SCORED if name in artifact]:
            positions = dataset.scored(split, count)
            labels = dataset.labels(split, label)[positions]
            target = own_target = None
            if split == "owner_train":  # released with its task labels
                target = dataset.labels(split, "target")[positions]
                own_target = dataset.labels("attacker_validation", "target")
                own_target = own_target[dataset.scored("attacker_validation", count)]
            beliefs = Beliefs.fitted(dataset, self.inference, validated, own, own_target)
            # Of a few dozen pictures, information tells better than hits which attack knows more.
            validation[split] = float(information(*beliefs.guesses(validated, own_target), own).mean())
            calibration[split] = {"slope": beliefs.calibration.slope, "prior_weight": beliefs.weight}
            guess, prior = beliefs.guesses(artifact[split], target)
            ranked = identification(artifact[split], labels) if self.inference.attack.identifies else {}
            tensors |= _named(
                split,
                {
                    **ranked,
                    "number": dataset.index(split)[positions],
                    "truth": labels,
                    "guess": guess.argmax(1),
                    "correct": correct(guess, labels),
                    "prior_correct": correct(prior, labels),
                    "information": information(guess, prior, labels),
                },
            )
        return Artifact(tensors, {"validation": validation, "calibration": calibration})


def _named(split: str, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # A column may stand for two names (the hole is the whole); in a file each needs memory of its own.
    return {f"{split}/{name}": column.cpu().clone() for name, column in columns.items()}
