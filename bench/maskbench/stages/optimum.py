"""The stage of the best possible attack: what someone who knows the world reads from the owner's release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.load import known_world, source_modules
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.errors import Unavailable
from maskbench.release import to_bytes
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.seen import Shown
from maskbench.stages.stage import Context, Stage, code_of
from maskbench.stages.trial import Trial
from maskbench.worlds.gaussian import optimum


@dataclass(frozen=True)
class Optimum(Stage):
    """The posterior of the sensitive label and the least-squares restoration, on the scored part of the owner's splits.

    It knows the world that the pictures were drawn from and the owner's fit of the method. Of owner-train it knows the
    task labels, as every attacker does. Each picture is judged on its own.
    """

    kind: ClassVar[str] = "optimum"

    trial: Trial

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.trial.data, release_input("owner"): self.trial.release("owner")}

    def parameters(self) -> Mapping[str, Any]:
        return {"method": self.trial.method.name, "seed": self.trial.seed, "scored": self.trial.settings.scored}

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.trial.method), *source_modules(self.trial.data.options))

    def title(self) -> str:
        return f"optimum of {self.trial.method.label(leave_out=('adjust',))} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        world = known_world(self.trial.data.options)
        if world is None:
            raise Unavailable("what these pictures are drawn from is not known")
        dataset = Dataset(inputs["data"])
        log_posteriors: dict[Split, Tensor] = {}
        restored: dict[Split, Tensor] = {}
        for split in SPLITS_OF["owner"]:
            stored = stored_release(inputs, split)
            method = stored.fitted(self.trial.method, torch.device("cpu"))
            positions = dataset.scored(split, self.trial.settings.scored)
            release = stored.release(split, positions)
            shown = Shown(
                method=method,
                raw=dataset.images(split)[positions],
                release=release,
                labels=dataset.labels(split, "target")[positions] if split == "owner_train" else None,
                numbers=dataset.index(split)[positions],
                seed=self.trial.seed,
            )
            answer = optimum(world.mixture, shown.seen(), shown.labels)
            pictures = answer.restored.to(torch.float32).view_as(release.images).clamp(0, 1)
            if release.masks is not None:
                pictures = torch.where(release.masks == 1, release.images, pictures)
            log_posteriors[split], restored[split] = answer.log_posterior, to_bytes(pictures)
        return StoredOptimum.pack(log_posteriors, restored)


@dataclass(frozen=True)
class StoredOptimum:
    """The artifact of the best possible attack."""

    artifact: Artifact

    @staticmethod
    def pack(log_posteriors: Mapping[Split, Tensor], restored: Mapping[Split, Tensor]) -> Artifact:
        """Make the artifact; float64 (N, classes) and uint8 (N, C, H, W) of the scored part of each split."""
        tensors = {f"{split}/log_posterior": tensor for split, tensor in log_posteriors.items()}
        return Artifact({**tensors, **{f"{split}/restored": tensor for split, tensor in restored.items()}})

    def log_posterior(self, split: Split) -> Tensor:
        """Float64 (N, classes): log p(sensitive | release, what else is known), normalised."""
        return self.artifact.tensors[f"{split}/log_posterior"]

    def restored(self, split: Split) -> Tensor:
        """Uint8 (N, C, H, W): the mean of the picture given its release."""
        return self.artifact.tensors[f"{split}/restored"]
