"""The release stage: a method, fitted on a party's training images and applied to both of its splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.plugins.given import Attribution, Owner
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.release import Release, to_bytes, to_float
from maskbench.stages.attributions import Attributions
from maskbench.stages.data import SPLITS, Data, Dataset, Party, Split
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import Teacher

_BATCH = 512
_OWNERS = "owner_release"

DRAW = "attacker_release/"
"""Further releases of the attacker's are inputs of this name and a number."""


@dataclass(frozen=True)
class Released(Stage):
    """A release serves its recognizer and all its attacks; methods that differ in their adjustment alone share it.

    The attacker chooses its attacks on pictures that it released with a second fit, so with another key: on those of
    the first, an attack that learned that key, or that fit's masks, would look better than it is on the owner's.
    ``draw`` numbers further releases of the attacker's training pictures. Every fit has teachers and randomness of its
    own. What of the owner's fit can be read off a release, the attacker has: all of its fits are then the owner's.
    """

    kind: ClassVar[str] = "release"

    data: Data
    method: Method
    party: Party
    settings: Settings
    seed: int
    draw: int = 0

    def inputs(self) -> Mapping[str, Stage]:
        if self._takes_owners_fit():
            return {"data": self.data, _OWNERS: Released(self.data, self.method, "owner", self.settings, self.seed)}
        requested = {
            _name(fit, request): self._attributions(fit, request)
            for fit in dict.fromkeys(self._fits().values())
            for request in self.method.requests()
        }
        return {"data": self.data, **requested}

    def _takes_owners_fit(self) -> bool:
        return self.party == "attacker" and self.method.state_is_public

    def _attributions(self, fit: str, request: Attribution) -> Attributions:
        teacher = Teacher(
            self.data,
            self.party,
            request.label,
            self.settings.recognizer,
            self.settings.recognition,
            self.seed,
            copy="" if fit == "owner" else fit.removeprefix("attacker").removeprefix("-"),
        )
        return Attributions(self.data, teacher, request.algorithm)

    def parameters(self) -> Mapping[str, Any]:
        return {
            "method": self.method.name,
            "parameters": self.method.release_parameters(),
            "party": self.party,
            "seed": self.seed,
            "draw": self.draw,
        }

    def roots(self) -> tuple[str, ...]:
        return (type(self.method).__module__,)

    def title(self) -> str:
        again = f" · draw {self.draw}" if self.draw else ""
        return f"release {self.method.label(leave_out=('adjust',))} · {self.party}{again} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        train = SPLITS[self.party][0]
        fits = self._fits()
        state = self._fitted(dataset, inputs, context.device, fits[train])
        tensors = {f"state/{name}": tensor.cpu() for name, tensor in state.items()}
        total, done = sum(len(dataset.index(split)) for split in fits), 0
        for split in fits:
            if fits[split] != fits[train]:
                state = self._fitted(dataset, inputs, context.device, fits[split])
            method = self.method.with_state({name: tensor.to(context.device) for name, tensor in state.items()})
            # Attacks are chosen on the attacker's held-out pictures for what was released with its task labels.
            labelled = split == train or self.party == "attacker"
            labels = dataset.labels(split, "target") if labelled else None
            images, masks = [], []
            for start in range(0, len(dataset.index(split)), _BATCH):
                part = slice(start, start + _BATCH)
                released = method.release(
                    to_float(dataset.bytes(split)[part].to(context.device)),
                    seed=derive(self.seed, "release", fits[split]),
                    numbers=dataset.index(split)[part].to(context.device),
                    labels=None if labels is None else labels[part].to(context.device),
                    attributions=self._answers(inputs, fits[split], split, part, context.device),
                )
                images.append(to_bytes(released.images).cpu())
                if released.masks is not None:
                    masks.append(released.masks.to(torch.uint8).cpu())
                done += len(released)
                context.progress(done / total)
            tensors[f"{split}/images"] = torch.cat(images)
            if masks:
                tensors[f"{split}/masks"] = torch.cat(masks)
        return Artifact(tensors)

    def _fits(self) -> dict[Split, str]:
        """What the fit and the randomness of each split are derived from; equal where they share a fit."""
        train, held_out = SPLITS[self.party]
        splits = (train,) if self.draw else (train, held_out)
        if self.party == "owner" or self.method.key_known():
            return dict.fromkeys(splits, "owner")
        names = f"attacker-{self.draw}" if self.draw else "attacker", "attacker-validation"
        return dict(zip(splits, names, strict=False))

    def _fitted(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], device: torch.device, fit: str
    ) -> dict[str, Tensor]:
        """The method's state, from the party's training images; or the owner's, where a release shows it."""
        if self._takes_owners_fit():
            return _state(inputs[_OWNERS])
        train = SPLITS[self.party][0]
        sensitive = dataset.has_sensitive
        owner = Owner(
            images=dataset.images(train),
            labels=dataset.labels(train, "target"),
            classes=dataset.classes("target"),
            sensitive=dataset.labels(train, "sensitive") if sensitive else None,
            sensitive_classes=dataset.classes("sensitive") if sensitive else 0,
            attributions=self._answers(inputs, fit, train, slice(None), torch.device("cpu")),
            seed=derive(self.seed, "fit", fit),
            device=device,
        )
        return self.method.fit(owner)

    def _answers(
        self, inputs: Mapping[str, Artifact], fit: str, split: Split, part: slice, device: torch.device
    ) -> dict[Attribution, Tensor]:
        if self._takes_owners_fit():
            return {}
        return {
            request: inputs[_name(fit, request)].tensors[split][part].to(device) for request in self.method.requests()
        }


def _name(fit: str, request: Attribution) -> str:
    return f"attribution/{fit}/{request.algorithm}/{request.label}"


def _state(artifact: Artifact) -> dict[str, Tensor]:
    return {
        name.removeprefix("state/"): tensor for name, tensor in artifact.tensors.items() if name.startswith("state/")
    }


def more_draws(data: Data, method: Method, settings: Settings, seed: int) -> dict[str, Released]:
    """Input name → further releases of the attacker's training pictures, which it can make as often as it likes."""
    return {
        f"{DRAW}{draw}": Released(data, method, "attacker", settings, seed, draw) for draw in range(1, settings.draws)
    }


def fitted(method: Method, artifact: Artifact, device: torch.device) -> Method:
    """The method as the party of a release artifact fitted it."""
    return method.with_state({name: tensor.to(device) for name, tensor in _state(artifact).items()})


def read_release(artifact: Artifact, split: Split, positions: Tensor | None = None) -> Release:
    """A split's release from its artifact, as float32; only the images at ``positions`` where given."""
    images = artifact.tensors[f"{split}/images"]
    masks = artifact.tensors.get(f"{split}/masks")
    if positions is not None:
        images = images[positions]
        masks = None if masks is None else masks[positions]
    return Release(to_float(images), None if masks is None else masks.to(torch.float32))
