"""A suite → its cells: every combination of method, ratio, attack, inferred label and seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from maskbench.data.load import known_world, label_classes, released_pictures, shows_persons
from maskbench.data.options import DataOptions
from maskbench.data.parties import Label
from maskbench.errors import UsageError
from maskbench.planning.applicability import (
    applies,
    asks,
    attack_lacks,
    aux_shares,
    cannot_infer,
    inferred_labels,
    method_lacks,
    question_lacks,
    refuse_releases,
    refuse_without_restorations,
    releases_lack,
)
from maskbench.planning.cell import Cell
from maskbench.planning.suite import Suite
from maskbench.plugins.attack import Attack, InferenceAttack, RestorationAttack
from maskbench.plugins.audited import audited
from maskbench.plugins.catalogue import catalogue, create
from maskbench.plugins.controls import control
from maskbench.plugins.matching import MatchingAttack
from maskbench.plugins.method import Method
from maskbench.plugins.names import parse
from maskbench.plugins.reserved import (
    AVERAGED,
    FIND_MASKS,
    MEMBERSHIP,
    OPTIMUM,
    OPTIMUM_OF_MASKS,
    PERMUTED,
    RECOGNITION,
    STACKED,
)
from maskbench.stages.closest_restoration import ClosestRestoration
from maskbench.stages.data import Data
from maskbench.stages.inference import Inference
from maskbench.stages.matching import Matching
from maskbench.stages.membership import Membership
from maskbench.stages.optimum import Optimum
from maskbench.stages.recognition import Recognition
from maskbench.stages.restoration import Restoration
from maskbench.stages.scored_inference import ScoredInference
from maskbench.stages.scored_masks import ScoredMasks
from maskbench.stages.scored_optimum import ScoredOptimum, ScoredOptimumRestoration
from maskbench.stages.scored_recognition import ScoredRecognition
from maskbench.stages.scored_restoration import ScoredRestoration
from maskbench.stages.stage import Stage
from maskbench.stages.trial import Trial

_MOST_COMBINATIONS = 100_000

_ROLES: tuple[Literal["raw", "null"], ...] = ("raw", "null")


@dataclass(frozen=True)
class Matrix:
    """All cells of a suite on resolved data; ``suite`` has the controls added."""

    suite: Suite
    data: Data
    methods: tuple[Method, ...]
    attacks: tuple[Attack, ...]
    cells: tuple[Cell, ...]


def expand(suite: Suite, options: DataOptions) -> Matrix:
    """Build the cells of a suite.

    Args:
        options: resolved data options: target and, where there is one, sensitive label are named.

    Raises:
        UsageError: an unknown method, attack or parameter, the same one twice, or too many combinations.
    """
    methods = _methods(suite, options)
    attacks = tuple(create("attack", *parse(text)) for text in suite.attacks)
    _refuse_twice("attack", [attack.label() for attack in attacks])
    refuse_without_restorations(attacks)
    refuse_releases(suite, options)
    _refuse_too_many(len(methods) * max(1, len(attacks) * len(suite.aux_shares)) * suite.seeds)
    data, known, classes = Data(options), known_world(options) is not None, label_classes(options)
    cells = []
    for method in methods:
        cells += _cells_of(method, attacks, data, suite, known, classes)
    return Matrix(suite, data, methods, attacks, tuple(cells))


def _methods(suite: Suite, options: DataOptions) -> tuple[Method, ...]:
    methods: list[Method] = []
    for text in suite.methods:
        name, parameters = parse(text)
        methods += [create("method", name, given) for given in _with_ratios(name, parameters, suite)]
    _refuse_twice("method", [method.label() for method in methods])
    missing = [role for role in _ROLES if all(method.role != role for method in methods)]
    return (*map(control, missing), *methods, *_audited(options))


def _audited(options: DataOptions) -> tuple[Method, ...]:
    """The release that was made elsewhere, where these data have one."""
    if options.released is None:
        return ()
    found = released_pictures(options)
    return (audited(options.released.folder, found.release_fingerprint(), found.masks() is not None),)


def _with_ratios(name: str, parameters: dict[str, Any], suite: Suite) -> list[dict[str, Any]]:
    fields = catalogue().get("method", name).model_fields
    if "ratio" not in fields or "ratio" in parameters:
        return [parameters]
    return [{**parameters, "ratio": ratio} for ratio in suite.ratios]


def _refuse_twice(kind: str, labels: list[str]) -> None:
    twice = sorted(label for label, count in Counter(labels).items() if count > 1)
    if twice:
        raise UsageError(f"The {kind} {twice[0]} is named twice.")


def _refuse_too_many(combinations: int) -> None:
    if combinations > _MOST_COMBINATIONS:
        raise UsageError(
            f"The suite has {combinations:,} combinations of a method, an attack, a share and a seed; the most is "
            f"{_MOST_COMBINATIONS:,}. Split it into several."
        )


def _cells_of(
    method: Method,
    attacks: tuple[Attack, ...],
    data: Data,
    suite: Suite,
    known: bool,
    classes: Mapping[Label, int],
) -> list[Cell]:
    """The cells of a method.

    Args:
        known: the images come from a world whose best possible attack is known.
        classes: how many each label has.
    """
    reason = method_lacks(method, data.options)
    fitting = tuple(attack for attack in attacks if applies(attack, method))
    cells = []
    for seed in range(suite.first_seed, suite.first_seed + suite.seeds):
        trial = Trial(data, method, suite.settings, seed)
        cells.append(Cell(method, RECOGNITION, "target", seed, None if reason else _recognition(trial), reason))
        if method.withholds_masks():
            cells.append(Cell(method, FIND_MASKS, None, seed, None if reason else _found_masks(trial), reason))
        if suite.settings.shadows and method.needs_teacher():
            cells.append(Cell(method, MEMBERSHIP, None, seed, None if reason else Membership.of(trial), reason))
        scorings = _Scorings(trial, fitting)
        attacked = []
        for attack in fitting:
            lacks = reason or releases_lack(method, trial.releases)
            lacks = lacks or attack_lacks(attack, method, scorings.restoring)
            if isinstance(attack, MatchingAttack):
                attacked += _matched(trial, attack, shows_persons(data.options), lacks, scorings.restored(attack))
                continue
            for label in inferred_labels(attack, suite, data.options):
                why = lacks or cannot_infer(attack, label, classes)
                for share in aux_shares(attack, label, suite):
                    scoring = None if why else scorings.of(attack, label, share)
                    attacked.append(Cell(method, attack, label, seed, scoring, why, share))
        cells += attacked + _stacked_restorations(attacked, method, seed) + _stacked(attacked, method, seed)
        cells += _permuted(attacked, method, seed) + _averaged(attacked, trial)
        if known:
            cells += _optimum(trial, reason, suite.aux_shares)
    return cells


def _recognition(trial: Trial) -> Stage:
    return ScoredRecognition(Recognition(trial))


def _found_masks(trial: Trial) -> Stage | None:
    found = trial.found_masks()
    return None if found is None else ScoredMasks(found, trial.settings.scored)


def _matched(
    trial: Trial, attack: MatchingAttack, persons: bool, why: str | None, restored: tuple[Restoration, ...]
) -> list[Cell]:
    """A cell for each question of a matching attack; ``persons``: it is known who is on each picture."""
    cells = []
    for question in asks(attack, persons):
        reason = why or question_lacks(attack, question, trial.method)
        scoring = None if reason else Matching(trial, attack, question, restored)
        cells.append(Cell(trial.method, attack, None, trial.seed, scoring, reason, question=question))
    return cells


def _stacked_restorations(attacked: list[Cell], method: Method, seed: int) -> list[Cell]:
    """A cell for several restorations taken together, with all of the attacker's pictures."""
    restorations: list[Restoration] = []
    for cell in attacked:
        if isinstance(cell.scoring, ScoredRestoration) and cell.aux_share == 1:
            restorations += cell.scoring.restorations
    if len(restorations) < 2:
        return []
    return [Cell(method, STACKED, None, seed, ScoredRestoration(tuple(restorations)))]


def _stacked(attacked: list[Cell], method: Method, seed: int) -> list[Cell]:
    """A cell for each label that several attacks infer: an attacker who has them all need not choose."""
    by_label: dict[Label | None, list[Inference]] = {}
    for cell in attacked:
        if isinstance(cell.scoring, ScoredInference) and cell.aux_share == 1:
            by_label.setdefault(cell.label, []).extend(cell.scoring.inferences)
    return [
        Cell(method, STACKED, label, seed, ScoredInference(tuple(inferences)))
        for label, inferences in by_label.items()
        if len(inferences) > 1
    ]


def _permuted(attacked: list[Cell], method: Method, seed: int) -> list[Cell]:
    """A cell for the attacks that cost little, on the same release, with the labels that they learn from shuffled.

    On the fully masked control nothing is learned in any case.
    """
    inferences = _cheap(attacked)
    if not inferences or method.role == "null":
        return []
    shuffled = tuple(replace(inference, permuted=True) for inference in inferences)
    return [Cell(method, PERMUTED, "sensitive", seed, ScoredInference(shuffled))]


def _averaged(attacked: list[Cell], trial: Trial) -> list[Cell]:
    """A cell for the attacks that cost little, on each of several releases of a picture alone."""
    if trial.releases == 1:
        return []
    one = tuple(replace(each, trial=trial.of_one(), averaged=trial.releases) for each in _cheap(attacked))
    return [Cell(trial.method, AVERAGED, "sensitive", trial.seed, ScoredInference(one))] if one else []


def _cheap(attacked: list[Cell]) -> list[Inference]:
    """The inferences of the sensitive label that learn from releases and train no network: they take seconds."""
    inferences: list[Inference] = []
    for cell in attacked:
        cheap = isinstance(cell.attack, InferenceAttack) and not cell.attack.trains_network
        if cheap and isinstance(cell.scoring, ScoredInference) and (cell.label, cell.aux_share) == ("sensitive", 1):
            inferences += [inference for inference in cell.scoring.inferences if _learns_from_releases(inference)]
    return inferences


def _learns_from_releases(inference: Inference) -> bool:
    return inference.attack.learns_from == "releases"


def _optimum(trial: Trial, reason: str | None, shares: tuple[float, ...]) -> list[Cell]:
    """Cells of the best possible attack, beside which the others are put: one for each share they are given."""
    if trial.releases > 1:
        reason = reason or "the optimum is known of one release of each picture"
    method, seed, best = trial.method, trial.seed, Optimum(trial)
    inferred = [
        Cell(method, OPTIMUM, "sensitive", seed, None if reason else ScoredOptimum(best, share), reason, share)
        for share in shares
    ]
    if method.masked and not method.withholds_masks():
        scoring = None if reason else ScoredOptimum(best, masks=True)
        inferred.append(Cell(method, OPTIMUM_OF_MASKS, "sensitive", seed, scoring, reason))
    restored = None if reason else ScoredOptimumRestoration(best)
    return [*inferred, Cell(method, OPTIMUM, None, seed, restored, reason)]


@dataclass(frozen=True)
class _Scorings:
    """The scoring stages of the attacks in one trial."""

    trial: Trial
    attacks: tuple[Attack, ...]

    @property
    def restoring(self) -> tuple[RestorationAttack, ...]:
        """The attacks that restore what the method releases, and can run here."""
        found = (attack for attack in self.attacks if isinstance(attack, RestorationAttack))
        return tuple(attack for attack in found if attack_lacks(attack, self.trial.method, ()) is None)

    def restored(self, attack: Attack) -> tuple[Restoration, ...]:
        """What an attack is shown of restored images."""
        return tuple(self._restoration(each) for each in self.restoring) if attack.needs_restorations else ()

    def of(self, attack: Attack, label: Label | None, share: float) -> Stage:
        """The stage that scores an attack."""
        if isinstance(attack, RestorationAttack):
            return ScoredRestoration((self._restoration(attack, share),))
        if isinstance(attack, InferenceAttack) and label is not None:
            closest = self._closest() if attack.learns_from == "restorations" else None
            return ScoredInference((Inference(self.trial, attack, label, self.restored(attack), share, closest),))
        raise TypeError(f"no stage scores the attack {attack.label()}, which is of the kind {attack.kind}")

    def _restoration(self, attack: RestorationAttack, share: float = 1.0) -> Restoration:
        return Restoration(self.trial, attack, share)

    def _closest(self) -> ClosestRestoration | None:
        candidates = tuple(self._restoration(each) for each in self.restoring if each.restores_training)
        return ClosestRestoration(candidates) if candidates else None
