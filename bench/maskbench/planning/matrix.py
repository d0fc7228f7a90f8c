"""A suite → its cells: every combination of method, ratio, attack, inferred label and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from maskbench.planning.cell import Cell
from maskbench.planning.suite import Suite
from maskbench.plugins.attack import Attack, RestorationAttack
from maskbench.plugins.catalogue import catalogue, create
from maskbench.plugins.method import Method
from maskbench.plugins.names import parse
from maskbench.plugins.reserved import FIND_MASKS, RECOGNITION, STACKED
from maskbench.stages.data import Data
from maskbench.stages.found_masks import FoundMasks
from maskbench.stages.inference import Inference
from maskbench.stages.recognition import Recognition
from maskbench.stages.restoration import Restoration
from maskbench.stages.scored_inference import ScoredInference
from maskbench.stages.scoring import ScoredMasks, ScoredRecognition, ScoredRestoration
from maskbench.stages.settings import Settings
from maskbench.stages.stage import Stage
from maskbench.stages.teacher import Label


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
        UsageError: an unknown method, attack or parameter, or the same one twice.
    """
    methods = _methods(suite)
    attacks = tuple(create("attack", *parse(text)) for text in suite.attacks)
    _refuse_twice("attack", [attack.label() for attack in attacks])
    _refuse_without_restorations(attacks)
    data = Data(options)
    cells = []
    for method in methods:
        cells += _cells_of(method, attacks, data, suite)
    return Matrix(suite, data, methods, attacks, tuple(cells))


def _methods(suite: Suite) -> tuple[Method, ...]:
    methods: list[Method] = []
    for text in suite.methods:
        name, parameters = parse(text)
        methods += [create("method", name, given) for given in _with_ratios(name, parameters, suite)]
    _refuse_twice("method", [method.label() for method in methods])
    controls = [_control(role) for role in ("raw", "null") if all(method.role != role for method in methods)]
    return (*controls, *methods)


def _with_ratios(name: str, parameters: dict[str, Any], suite: Suite) -> list[dict[str, Any]]:
    fields = catalogue().get("method", name).model_fields
    if "ratio" not in fields or "ratio" in parameters:
        return [parameters]
    return [{**parameters, "ratio": ratio} for ratio in suite.ratios]


def _control(role: str) -> Method:
    found = catalogue()
    for name in found.names("method"):
        plugin = found.get("method", name)
        if plugin.role == role:
            return plugin.create({})
    raise UsageError(f"No method has the role '{role}': the controls that come with maskbench are missing.")


def _refuse_twice(kind: str, labels: list[str]) -> None:
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UsageError(f"The {kind} {twice[0]} is named twice.")


def _refuse_without_restorations(attacks: tuple[Attack, ...]) -> None:
    if any(isinstance(attack, RestorationAttack) for attack in attacks):
        return
    for attack in attacks:
        if attack.needs_restorations:
            raise UsageError(
                f"The attack {attack.label()} works on restored images: name a restoration attack as well."
            )


def _cells_of(method: Method, attacks: tuple[Attack, ...], data: Data, suite: Suite) -> list[Cell]:
    reason = method.unavailable() or _lacks_label(method, data)
    fitting = tuple(attack for attack in attacks if _applies(attack, method))
    cells = []
    for seed in range(suite.seeds):
        recognition = ScoredRecognition(data, Recognition(data, method, suite.settings, seed))
        cells.append(Cell(method, RECOGNITION, "target", seed, None if reason else recognition, reason))
        if method.withholds_masks():
            finding = None if reason else ScoredMasks(data, FoundMasks(data, method, suite.settings, seed))
            cells.append(Cell(method, FIND_MASKS, None, seed, finding, reason))
        scorings = _Scorings(method, fitting, seed, data, suite.settings)
        attacked = []
        for attack in fitting:
            why = reason or attack.unavailable() or scorings.lacks(attack)
            for label in _labels(attack, data, suite):
                for share in _aux_shares(attack, label, suite):
                    scoring = None if why else scorings.of(attack, label, share)
                    attacked.append(Cell(method, attack, label, seed, scoring, why, share))
        cells += attacked + _stacked(attacked, method, seed, data)
    return cells


def _stacked(attacked: list[Cell], method: Method, seed: int, data: Data) -> list[Cell]:
    """A cell for each label that several attacks infer: who has them all need not choose among them.

    Those that identify people are left out: whether the label is people, the data say when they are read.
    """
    by_label: dict[Label | None, list[Inference]] = {}
    for cell in attacked:
        if isinstance(cell.scoring, ScoredInference) and cell.aux_share == 1 and not cell.plugin.identifies:
            by_label.setdefault(cell.label, []).extend(cell.scoring.inferences)
    return [
        Cell(method, STACKED, label, seed, ScoredInference(data, tuple(inferences)))
        for label, inferences in by_label.items()
        if len(inferences) > 1
    ]


def _applies(attack: Attack, method: Method) -> bool:
    """Whether there is anything to run: some attacks work on masks, some with the owner's key."""
    if attack.needs_masks and not method.masked:
        return False
    return method.key_known() or not attack.needs_key


def _aux_shares(attack: Attack, label: Label | None, suite: Suite) -> tuple[float, ...]:
    """A curve is of attacks that learn from the attacker's own pictures, and from nothing else that they were told.

    Where the target label is inferred, they learn from the owner's released training images instead.
    """
    told = attack.needs_restorations or attack.needs_raw_classifier
    return suite.aux_shares if attack.learns_from and not told and label != "target" else (1.0,)


def _lacks_label(method: Method, data: Data) -> str | None:
    if data.options.sensitive is None and any(request.label == "sensitive" for request in method.requests()):
        return "the method needs a sensitive label and the data have none: choose one with --sensitive"
    return None


def _labels(attack: Attack, data: Data, suite: Suite) -> tuple[Label | None, ...]:
    """Which labels an attack is run for. Without a sensitive label, what is inferred is the target label."""
    if isinstance(attack, RestorationAttack):
        return (None,)
    if attack.with_task:
        return ("sensitive",) if data.options.sensitive is not None else ()
    if data.options.sensitive is None:
        return ("target",)
    return ("sensitive", "target") if attack.learns_from == "masks" or suite.probe_target else ("sensitive",)


@dataclass(frozen=True)
class _Scorings:
    """The scoring stages of the attacks on one method under one seed."""

    method: Method
    attacks: tuple[Attack, ...]
    seed: int
    data: Data
    settings: Settings

    def of(self, attack: Attack, label: Label | None, share: float) -> Stage:
        """The stage that scores an attack."""
        if isinstance(attack, RestorationAttack):
            return ScoredRestoration(self.data, self._restoration(attack, share))
        restorations = self._restorations() if attack.needs_restorations else ()
        inference = Inference(
            self.data, self.method, attack, label, self.settings, self.seed, restorations, aux_share=share
        )
        return ScoredInference(self.data, (inference,))

    def lacks(self, attack: Attack) -> str | None:
        """Why an attack on restored images has none to work on here, or to learn on."""
        if not attack.needs_restorations:
            return None
        restorations = self._restorations()
        if not restorations:
            return (
                f"{attack.label()} works on restored images, and no restoration attack of the suite can be run on "
                f"{self.method.name}: name one that needs no masks as well"
            )
        if attack.learns_from == "restorations" and not any(each.attack.restores_training for each in restorations):
            return (
                f"{attack.label()} learns on restored images, and no restoration attack of the suite that can be run "
                f"on {self.method.name} is fast enough for so many: name a faster one as well"
            )
        return None

    def _restorations(self) -> tuple[Restoration, ...]:
        found = (attack for attack in self.attacks if isinstance(attack, RestorationAttack))
        return tuple(self._restoration(attack) for attack in found if attack.unavailable() is None)

    def _restoration(self, attack: RestorationAttack, share: float = 1.0) -> Restoration:
        learned_from = any(other.learns_from == "restorations" for other in self.attacks)
        training = learned_from and attack.restores_training and share == 1
        return Restoration(self.data, self.method, attack, self.settings, self.seed, aux_share=share, training=training)
