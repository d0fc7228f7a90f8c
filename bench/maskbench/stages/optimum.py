"""The stage of the best possible attack: what someone who knows the world reads from the owner's release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.load import known_world, source_modules
from maskbench.data.parties import SPLITS_OF, Label, Split
from maskbench.errors import Unavailable
from maskbench.plugins.given import Attribution
from maskbench.release import to_bytes
from maskbench.stages.attributions import StoredAttributions, explained
from maskbench.stages.data import Dataset
from maskbench.stages.enumerated import Enumerated
from maskbench.stages.party_release import release_input, stored_release
from maskbench.stages.seen import Shown
from maskbench.stages.stage import Context, Stage, code_of
from maskbench.stages.teacher import StoredTeacher
from maskbench.stages.trial import Trial
from maskbench.worlds.distribution import Distribution
from maskbench.worlds.enumeration import enumerated
from maskbench.worlds.finite import Finite
from maskbench.worlds.gaussian import Answer, optimum
from maskbench.worlds.mixture import Mixture
from maskbench.worlds.world import World


@dataclass(frozen=True)
class Optimum(Stage):
    """The posterior of the sensitive label and the least-squares restoration, on the scored part of the owner's splits.

    It knows the world that the pictures were drawn from and the owner's fit of the method. Of owner-train it knows the
    task labels, as every attacker does. Each picture is judged on its own.
    """

    kind: ClassVar[str] = "optimum"

    trial: Trial

    def inputs(self) -> Mapping[str, Stage]:
        teachers = {_teacher(label): self.trial.teacher(label) for label in self._explained_labels()}
        return {"data": self.trial.data, release_input("owner"): self.trial.release("owner"), **teachers}

    def _explained_labels(self) -> tuple[Label, ...]:
        """Those whose teachers of the owner's the method follows, where every picture is released to find out."""
        world, method = known_world(self.trial.data.options), self.trial.method
        if world is None or not isinstance(world.mixture, Finite) or method.state_is_public:
            return ()
        return tuple(dict.fromkeys(request.label for request in method.requests()))

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
        known = {split: self._known(world, dataset, inputs, split) for split in SPLITS_OF["owner"]}
        return StoredOptimum.pack(known)

    def _known(self, world: World, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split) -> Known:
        """What can be known of the scored part of a split."""
        stored = stored_release(inputs, split)
        positions = dataset.scored(split, self.trial.settings.scored)
        release = stored.release(split, positions)
        shown = Shown(
            method=stored.fitted(self.trial.method, torch.device("cpu")),
            raw=dataset.images(split)[positions],
            release=release,
            labels=dataset.labels(split, "target")[positions] if split == "owner_train" else None,
            numbers=dataset.index(split)[positions],
            seed=self.trial.seed,
        )
        answer, masks = self._answers(world.mixture, shown, dataset, inputs)
        pictures = answer.restored.to(torch.float32).view_as(release.images).clamp(0, 1)
        if release.masks is not None:
            pictures = torch.where(release.masks == 1, release.images, pictures)
        return Known(answer.log_posterior, masks, to_bytes(pictures))

    def _answers(
        self, world: Distribution, shown: Shown, dataset: Dataset, inputs: Mapping[str, Artifact]
    ) -> tuple[Answer, Tensor]:
        """What is known of pictures from their release; and log p(sensitive | mask), where masks are all that is seen.

        A mask that is a function of no picture tells nothing.
        """
        count = len(shown.raw)
        if isinstance(world, Finite):
            every = Enumerated(world, shown, partial(self._attributed, dataset, inputs))
            release, masks = every.likelihoods()
            answer = enumerated(world, release, count, shown.labels)
            if masks is not None:
                return answer, enumerated(world, masks, count, shown.labels).log_posterior
        elif isinstance(world, Mixture):
            answer = optimum(world, shown.seen(), shown.labels)
        else:
            raise Unavailable("nobody worked out what can be known in this world")
        prior = torch.from_numpy(world.prior)
        given = prior.sum(1).expand(count, -1) if shown.labels is None else (prior / prior.sum(0)).T[shown.labels]
        return answer, given.log()

    def _attributed(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], pictures: Tensor
    ) -> Mapping[Attribution, Tensor]:
        """What the owner's teachers attribute, as releases read it: uint8 (N, 1, H, W) → float32 (N, 1, H, W) each."""
        if not self._explained_labels():
            return {}
        cpu, found = torch.device("cpu"), {}
        for request in self.trial.method.requests():
            teacher = self.trial.teacher(request.label)
            network = StoredTeacher(inputs[_teacher(request.label)]).network(teacher, dataset, cpu)
            maps = explained(network, request.algorithm, pictures, cpu)
            found[request] = StoredAttributions(StoredAttributions.pack(maps)).maps
        return found


@dataclass(frozen=True)
class Known:
    """What can be known of the pictures of a split.

    Attributes:
        log_posterior: float64 (N, classes), log p(sensitive | release, what else is known), normalised.
        of_masks: the same where nothing is seen but the mask; the prior where there are none.
        restored: uint8 (N, C, H, W), the mean of the picture given its release.
    """

    log_posterior: Tensor
    of_masks: Tensor
    restored: Tensor


def _teacher(label: Label) -> str:
    return f"teacher/{label}"


@dataclass(frozen=True)
class StoredOptimum:
    """The artifact of the best possible attack."""

    artifact: Artifact

    @staticmethod
    def pack(known: Mapping[Split, Known]) -> Artifact:
        """Make the artifact of the scored part of each split."""
        return Artifact(
            {f"{split}/{name}": value for split, each in known.items() for name, value in vars(each).items()}
        )

    def known(self, split: Split) -> Known:
        """Of a split."""
        names = ("log_posterior", "of_masks", "restored")
        return Known(**{name: self.artifact.tensors[f"{split}/{name}"] for name in names})
