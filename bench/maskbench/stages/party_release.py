"""The release stage: a method, fitted on a party's training images and applied to both of its splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Party, Split
from maskbench.plugins import judging
from maskbench.plugins.given import Attribution, Owner
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.release import Release
from maskbench.stages.attributions import Attributions, StoredAttributions
from maskbench.stages.batched_release import in_batches
from maskbench.stages.composition import together
from maskbench.stages.data import Data, Dataset
from maskbench.stages.stage import Context, Stage, code_of

_PARTY_OF: dict[Split, Party] = {split: party for party, splits in SPLITS_OF.items() for split in splits}


@dataclass(frozen=True)
class Fit:
    """One fit of a method: whose it is, and which of theirs ("" is the first). Its randomness follows from both."""

    party: Party
    copy: str = ""

    @property
    def name(self) -> str:
        """What seeds are derived from."""
        return f"{self.party}-{self.copy}" if self.copy else self.party


def fits(method: Method, party: Party, draw: int) -> dict[Split, Fit]:
    """Split → the fit that it is released with.

    The attacker chooses its attacks on pictures that it released with a second fit, so with another key: on those of
    the first, an attack that learned that key, or that fit's masks, would look better than it is on the owner's.
    """
    train, held_out = SPLITS_OF[party]
    splits = (train,) if draw else (train, held_out)
    if party == "owner" or method.key_known():
        return dict.fromkeys(splits, Fit("owner"))
    both = Fit("attacker", str(draw) if draw else ""), Fit("attacker", "validation")
    return dict(zip(splits, both, strict=False))


def explained(method: Method, party: Party, draw: int) -> tuple[tuple[Fit, Split], ...]:
    """The splits whose attributions a release reads, each with the fit whose teachers they explain.

    Those that are released with the fit, unless the method does so by its state alone; and the training split where
    the method learns from it.
    """
    train = SPLITS_OF[party][0]
    found = [(fit, split) for split, fit in fits(method, party, draw).items()]
    learned = [(fit, train) for fit, _ in found] if method.learns() else []
    return tuple(dict.fromkeys(learned if method.state_is_public else [*found, *learned]))


def takes_owners_fit(method: Method, party: Party) -> bool:
    """Whether a party has the owner's fit: what of it can be read off a release, the attacker has."""
    return party == "attacker" and method.state_is_public


@dataclass(frozen=True)
class PartyRelease(Stage):
    """A release serves its recognizer and all its attacks; methods that differ in their adjustment alone share it.

    ``Trial.release`` makes it, with what it needs.

    Attributes:
        draw: numbers further releases of the attacker's training pictures, each with a fit of its own.
        again: numbers further releases of both splits, with the same fits and other random numbers.
        releases: what so many releases, with the same fits and other random numbers each, show together.
        attributions: of each fit, those that the method requests; each fit has teachers of its own.
        owners: the owner's release, where its fit is taken.
    """

    kind: ClassVar[str] = "release"
    timed: ClassVar[bool] = True

    data: Data
    method: Method
    party: Party
    seed: int
    draw: int = 0
    attributions: tuple[Attributions, ...] = ()
    owners: PartyRelease | None = None
    again: int = 0
    releases: int = 1

    @property
    def time_limit(self) -> float:
        """The method's own."""
        return self.method.time_limit

    @property
    def cpu_only(self) -> bool:
        """The method's own."""
        return self.method.cpu_only

    def inputs(self) -> Mapping[str, Stage]:
        inputs: dict[str, Stage] = {"data": self.data}
        if self.owners is not None:
            inputs[release_input("owner")] = self.owners
        for each in self.attributions:
            request = Attribution(each.algorithm, each.teacher.label)
            inputs[_attribution_input(each.teacher.copy, request, each.split)] = each
        return inputs

    def parameters(self) -> Mapping[str, Any]:
        return {
            "method": self.method.name,
            "parameters": self.method.release_parameters(),
            "party": self.party,
            "seed": self.seed,
            "draw": self.draw,
            "again": self.again,
            "releases": self.releases,
        }

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.method),)

    def title(self) -> str:
        again = f" · draw {self.draw}" if self.draw else f" · again {self.again}" if self.again else ""
        number = f"{self.releases} releases" if self.releases > 1 else "release"
        return f"{number} {self.method.label(leave_out=('adjust',))} · {self.party}{again} · seed {self.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        train = SPLITS_OF[self.party][0]
        fit_of = fits(self.method, self.party, self.draw)
        state = self._fitted(dataset, inputs, context.device, fit_of[train])
        stored = {name: tensor.cpu() for name, tensor in state.items()}
        images: dict[Split, Tensor] = {}
        masks: dict[Split, Tensor] = {}
        unchanged: dict[Split, int] = {}
        total, done = self.releases * sum(dataset.size(split) for split in fit_of), 0
        for split, fit in fit_of.items():
            if fit != fit_of[train]:
                state = self._fitted(dataset, inputs, context.device, fit)
            method = self.method.with_state({name: tensor.to(context.device) for name, tensor in state.items()})
            # Attacks are chosen on the attacker's held-out pictures for what was released with its task labels.
            labelled = split == train or self.party == "attacker"
            labels = dataset.labels(split, "target") if labelled else None
            raw = dataset.bytes(split)
            answers = {} if self.method.state_is_public else self._answers(inputs, fit, split)
            once = _Once(method, raw, dataset.index(split), labels, answers, self.seed, fit, context)
            numbers = range(self.again * self.releases, (self.again + 1) * self.releases)
            shares = ((done + place * len(raw)) / total for place in range(self.releases))
            release = together(
                once.numbered(number, ready, 1 / total) for number, ready in zip(numbers, shares, strict=True)
            )
            done += len(raw) * self.releases
            images[split] = release.image_bytes
            unchanged[split] = int(judging.unchanged(images[split], raw).sum())
            if self.method.masked:
                masks[split] = release.kept_bytes
        return StoredRelease.pack(images, masks, stored, unchanged)

    def _fitted(
        self, dataset: Dataset, inputs: Mapping[str, Artifact], device: torch.device, fit: Fit
    ) -> dict[str, Tensor]:
        """The method's state, from the party's training images; or the owner's, where a release shows it."""
        if self.owners is not None:
            return StoredRelease(inputs[release_input("owner")]).state
        if not self.method.learns():
            return {}
        train = SPLITS_OF[self.party][0]
        sensitive = dataset.has_sensitive
        owner = Owner(
            images=dataset.images(train),
            labels=dataset.labels(train, "target"),
            classes=dataset.classes("target"),
            sensitive=dataset.labels(train, "sensitive") if sensitive else None,
            sensitive_classes=dataset.classes("sensitive") if sensitive else 0,
            attributions=self._answers(inputs, fit, train),
            seed=derive(self.seed, "fit", fit.name),
            device=device,
        )
        return self.method.fit(owner)

    def _answers(self, inputs: Mapping[str, Artifact], fit: Fit, split: Split) -> dict[Attribution, Tensor]:
        return {
            request: StoredAttributions(inputs[_attribution_input(fit.copy, request, split)]).maps
            for request in self.method.requests()
        }


@dataclass(frozen=True)
class _Once:
    """What one release of a split takes: arguments as of ``in_batches``."""

    method: Method
    raw: Tensor
    numbers: Tensor
    labels: Tensor | None
    answers: Mapping[Attribution, Tensor]
    seed: int
    fit: Fit
    context: Context

    def numbered(self, number: int, done: float, share: float) -> Release:
        """The release of a number; ``done`` of the stage is ready, and each picture adds ``share``."""

        def progressed(images: int) -> None:
            self.context.progress(done + images * share)

        seed = derive(self.seed, "release", self.fit.name, *([f"again {number}"] if number else []))
        device = self.context.device
        return in_batches(self.method, self.raw, self.numbers, self.labels, self.answers, seed, device, progressed)


@dataclass(frozen=True)
class StoredRelease:
    """The artifact of a party's release: what it handed out of each split, and the state of its method."""

    artifact: Artifact

    @staticmethod
    def pack(
        images: Mapping[Split, Tensor],
        masks: Mapping[Split, Tensor],
        state: Mapping[str, Tensor],
        unchanged: Mapping[Split, int],
    ) -> Artifact:
        """Make the artifact.

        Args:
            images: uint8 (N, C, H, W).
            masks: uint8 (N, 1, H, W), 1 = kept; empty where the method makes none.
            state: what the method learned.
            unchanged: how many images of a split came out as they went in.
        """
        tensors = {f"{split}/images": tensor for split, tensor in images.items()}
        tensors |= {f"{split}/masks": tensor for split, tensor in masks.items()}
        tensors |= {f"state/{name}": tensor for name, tensor in state.items()}
        record = {"masked": bool(masks), "state": list(state), "unchanged": dict(unchanged)}
        return Artifact(tensors, record)

    @property
    def masked(self) -> bool:
        """Whether the images were made with masks."""
        return bool(self.artifact.record["masked"])

    def images(self, split: Split) -> Tensor:
        """Uint8 (N, C, H, W): a split's released images."""
        return self.artifact.tensors[f"{split}/images"]

    def masks(self, split: Split) -> Tensor:
        """Uint8 (N, 1, H, W), 1 = kept: the masks that they were made with, handed out or not.

        Raises:
            KeyError: they were made without masks; see ``masked``.
        """
        return self.artifact.tensors[f"{split}/masks"]

    def unchanged(self, split: Split) -> int:
        """How many images of a split came out as they went in.

        All of them where the method is the raw control. Else what went in was of one colour, or what a mask hid of it.
        """
        return int(self.artifact.record["unchanged"][split])

    def release(self, split: Split, positions: Tensor | None = None) -> Release:
        """A split's release with its masks; only the images at ``positions`` where given."""
        chosen = slice(None) if positions is None else positions
        masks = self.masks(split)[chosen] if self.masked else None
        return Release.of_bytes(self.images(split)[chosen], masks)

    @property
    def state(self) -> dict[str, Tensor]:
        """What the method learned from the party's training images."""
        return {name: self.artifact.tensors[f"state/{name}"] for name in self.artifact.record["state"]}

    def fitted(self, method: Method, device: torch.device) -> Method:
        """The method as the party fitted it."""
        return method.with_state({name: tensor.to(device) for name, tensor in self.state.items()})


def release_input(party: Party, draw: int = 0) -> str:
    """The name under which stages read a release."""
    return f"release/{party}/{draw}"


def stored_release(inputs: Mapping[str, Artifact], split: Split, draw: int = 0) -> StoredRelease:
    """The release that a split is part of, among the artifacts that a stage reads."""
    return StoredRelease(inputs[release_input(_PARTY_OF[split], draw)])


def _attribution_input(copy: str, request: Attribution, split: Split) -> str:
    return f"attribution/{copy}/{request.algorithm}/{request.label}/{split}"
