"""The matching stage: an attack says how alike releases and candidates are, and the engine how often that is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Party, Split
from maskbench.metrics.matching import first, outcomes
from maskbench.plugins.knowledge import Known
from maskbench.plugins.matching import MatchingAttack, MatchingAux, Question
from maskbench.randomness import derive, seeded
from maskbench.release import Release
from maskbench.stages.data import Dataset
from maskbench.stages.found_masks import as_seen, seen_inputs
from maskbench.stages.party_release import StoredRelease, release_input
from maskbench.stages.released_again import handed_out, releasing
from maskbench.stages.restoration import Restoration, StoredRestoration
from maskbench.stages.scored import Scored, Validation
from maskbench.stages.stage import Context, Stage, code_of
from maskbench.stages.trial import Trial

_POOL = 4096
"""Most candidates of a pool, but for the pictures that are scored, all of which are among them."""

_CANDIDATES: Mapping[Question, str] = {
    "matching": "raw pictures",
    "linkage": "releases",
    "person-linkage": "releases of other pictures",
}
_OWN: Split = "attacker_validation"
_OTHER: Mapping[Split, Split] = {"owner_train": "owner_test", "owner_test": "owner_train", _OWN: "attacker_train"}


@dataclass(frozen=True)
class Matching(Stage):
    """Outcomes of ``metrics.matching`` on the owner's splits; read as ``Scored``.

    Candidates for the releases of one of the owner's splits are pictures of that split, the scored ones among them. The
    control pool is of the owner's other split. So an attack learned from none of them. The attacker chooses among its
    attacks by rank 1 on its own validation pictures, among all of its pictures.

    Of persons, one picture's release is scored, and another picture's release is the candidate: both from the one
    release that there is.

    Attributes:
        restorations: what the attack is shown of restored images; of the same trial.
    """

    kind: ClassVar[str] = "matching"
    timed: ClassVar[bool] = True

    trial: Trial
    attack: MatchingAttack
    question: Question
    restorations: tuple[Restoration, ...] = ()

    @property
    def time_limit(self) -> float:
        """The attack's own."""
        return self.attack.time_limit

    @property
    def cpu_only(self) -> bool:
        """The attack's own."""
        return self.attack.cpu_only

    def inputs(self) -> Mapping[str, Stage]:
        releases = tuple(self.trial.seen(party) for party in SPLITS_OF)
        inputs = {"data": self.trial.data, **seen_inputs(releases, self.trial.found_masks())}
        if self.question == "linkage":
            inputs |= {_second_input(party): self.trial.seen(party, again=1) for party in SPLITS_OF}
        return inputs | {_restoration_input(number): each for number, each in enumerate(self.restorations)}

    def parameters(self) -> Mapping[str, Any]:
        return {
            "attack": self.attack.name,
            "parameters": self.attack.identity(),
            "question": self.question,
            "training": self.trial.settings.restoration.model_dump(),
            "scored": self.trial.settings.scored,
            "mirror": self.trial.method.mirror_symmetric,
            "seed": self.trial.seed,
        }

    def roots(self) -> tuple[str, ...]:
        return (code_of(self.attack), code_of(self.trial.method))

    def title(self) -> str:
        method = self.trial.method.label(leave_out=("adjust",))
        among = _CANDIDATES[self.question]
        return f"matching {self.attack.label()} of {method} with {among} · seed {self.trial.seed}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        columns: dict[Split, dict[str, Tensor]] = {}
        with seeded(derive(self.trial.seed, "matching", self.attack.name, self.question)):
            # No candidate is read before the attack has learned.
            attack = self.attack.with_state(self.attack.fit(self._aux(dataset, inputs, context)))
            for split in SPLITS_OF["owner"]:
                scores = self._scores(attack, dataset, inputs, split, context.device)
                columns[split] = {"number": scores.numbers, **outcomes(scores.pool, scores.own, scores.control)}
            scores = self._scores(attack, dataset, inputs, _OWN, context.device)
        right = scores.pool.gather(1, scores.own[:, None])
        hits = first(right, scores.pool.scatter(1, scores.own[:, None], -torch.inf))
        validation = Validation(scores.numbers, hits)
        return Scored.pack(columns, validation=dict.fromkeys(SPLITS_OF["owner"], validation))

    def _scores(
        self,
        attack: MatchingAttack,
        dataset: Dataset,
        inputs: Mapping[str, Artifact],
        split: Split,
        device: torch.device,
    ) -> _Scores:
        """What the attack says of the scored part of a split, its candidates in random order."""
        scored, own, among = self._asked(dataset, split)
        other = _OTHER[split]
        within = {split: among, other: self._asked(dataset, other)[2]}
        candidates = _joined([self._candidates(dataset, inputs, each, chosen) for each, chosen in within.items()])
        order = torch.randperm(len(candidates))
        release = self._with_restorations(as_seen(inputs, split, scored), inputs, split)
        shuffled = attack.matched(release, candidates.select(order), device)
        scores = torch.empty_like(shuffled)
        scores[:, order] = shuffled
        # Attacker-validation is small, and a choice among few candidates misses: those beside it are no control.
        pool = len(candidates) if split == _OWN else len(within[split])
        return _Scores(dataset.index(split)[scored], scores[:, :pool], own, scores[:, pool:])

    def _with_restorations(self, release: Release, inputs: Mapping[str, Artifact], split: Split) -> Release:
        """The release of the scored part of a split, with its restorations, where the attack is shown any."""
        restored = {
            each.attack.label(): StoredRestoration(inputs[_restoration_input(number)]).images(split)
            for number, each in enumerate(self.restorations)
        }
        return Release.of_bytes(release.image_bytes, release.mask_bytes, restored) if restored else release

    def _asked(self, dataset: Dataset, split: Split) -> tuple[Tensor, Tensor, Tensor]:
        """Positions of the scored releases, places of their own candidates, and positions of the candidates."""
        most = self.trial.settings.scored
        if self.question != "person-linkage":
            scored = dataset.scored(split, most)
            among = dataset.scored(split, max(_POOL, len(scored)))
            return scored, torch.searchsorted(among, scored), among
        persons = dataset.persons(split)
        if persons is None:
            raise TypeError("these data do not say who is on a picture")
        one, other = two_pictures(persons)
        used = slice(max(_POOL, most))
        return one[:most], torch.arange(len(one[:most])), other[used]

    def _candidates(self, dataset: Dataset, inputs: Mapping[str, Artifact], split: Split, positions: Tensor) -> Release:
        if self.question == "matching":
            return Release.of_bytes(dataset.bytes(split)[positions])
        if self.question == "person-linkage":
            return as_seen(inputs, split, positions)
        party: Party = "attacker" if split in SPLITS_OF["attacker"] else "owner"
        second = StoredRelease(inputs[_second_input(party)]).release(split, positions)
        return handed_out(self.trial.method, second)

    def _aux(self, dataset: Dataset, inputs: Mapping[str, Artifact], context: Context) -> MatchingAux:
        settings = self.trial.settings
        method = StoredRelease(inputs[release_input("attacker")]).fitted(self.trial.method, context.device)
        train, validation = (Known(dataset.bytes(split), as_seen(inputs, split)) for split in SPLITS_OF["attacker"])
        if self.restorations:
            scored = dataset.scored(_OWN, settings.scored)
            shown = self._with_restorations(as_seen(inputs, _OWN, scored), inputs, _OWN)
            validation = Known(dataset.bytes(_OWN)[scored], shown)
        seed = derive(self.trial.seed, "matching", self.attack.name, self.question)
        return MatchingAux(
            train=train,
            validation=validation,
            training=settings.restoration,
            mirror=dataset.mirror and method.mirror_symmetric,
            seed=seed,
            device=context.device,
            progress=context.progress,
            question=self.question,
            train_persons=dataset.persons("attacker_train"),
            validation_persons=dataset.persons("attacker_validation"),
            release=releasing(method, seed, context.device, self.trial.releases),
        )


@dataclass(frozen=True)
class _Scores:
    """Scores of N releases, whose pictures have these numbers: of M candidates, each one's own, and of K others."""

    numbers: Tensor
    pool: Tensor
    own: Tensor
    control: Tensor


def two_pictures(persons: Tensor) -> tuple[Tensor, Tensor]:
    """Positions of one picture of each person who has two or more, and of another: int64 (P,) each, in one order.

    Args:
        persons: int64 (N,), who is on each picture.
    """
    # The numbers of persons may follow their classes.
    shuffled = torch.randperm(len(persons), generator=torch.Generator().manual_seed(0))
    names, shown = persons[shuffled].unique(return_inverse=True)
    order = shown.argsort(stable=True)
    counts = shown.bincount(minlength=len(names))
    first = (counts.cumsum(0) - counts)[counts > 1]
    first = first[torch.randperm(len(first), generator=torch.Generator().manual_seed(1))]
    return shuffled[order[first]], shuffled[order[first + 1]]


def _joined(releases: list[Release]) -> Release:
    masks = [each.mask_bytes for each in releases if each.mask_bytes is not None]
    return Release.of_bytes(torch.cat([each.image_bytes for each in releases]), torch.cat(masks) if masks else None)


def _restoration_input(number: int) -> str:
    return f"restoration/{number}"


def _second_input(party: Party) -> str:
    return f"second release/{party}"
