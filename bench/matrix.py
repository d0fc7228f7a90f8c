"""A suite → its cells: every combination of method, ratio, attack, inferred label and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.data.options import DataOptions
from bench.errors import UsageError
from bench.plugins.attack import InferenceAttack, RestorationAttack
from bench.plugins.discovery import catalogue, create
from bench.plugins.method import Method
from bench.plugins.names import parse
from bench.stages.data import Data
from bench.stages.inference import Inference
from bench.stages.recognition import Recognition
from bench.stages.restoration import Restoration
from bench.stages.scoring import ScoredInference, ScoredRecognition, ScoredRestoration
from bench.stages.stage import Stage
from bench.stages.teacher import Label
from bench.suite import Suite

Attack = RestorationAttack | InferenceAttack


@dataclass(frozen=True)
class Cell:
    """One combination of the matrix.

    Attributes:
        attack: None for the cell that scores recognition.
        label: the label that is recognized or inferred; None for restoration.
        scoring: the stage whose artifact holds the outcomes; None where the cell cannot run here.
        unavailable: why it cannot run here, where it cannot.
    """

    method: Method
    attack: Attack | None
    label: Label | None
    seed: int
    scoring: Stage | None
    unavailable: str | None = None


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
        if getattr(plugin, "role", None) == role:
            return plugin.create({})
    raise UsageError(f"No method has the role '{role}': the controls that come with maskbench are missing.")


def _refuse_twice(kind: str, labels: list[str]) -> None:
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UsageError(f"The {kind} {twice[0]} is named twice.")


def _cells_of(method: Method, attacks: tuple[Attack, ...], data: Data, suite: Suite) -> list[Cell]:
    reason = method.unavailable() or _lacks_label(method, data)
    cells = []
    for seed in range(suite.seeds):
        recognition = ScoredRecognition(data, Recognition(data, method, suite.settings, seed))
        cells.append(Cell(method, None, "target", seed, None if reason else recognition, reason))
        for attack in attacks:
            if attack.needs_masks and not method.masked:
                continue
            why = reason or attack.unavailable()
            for label in _labels(attack, data):
                scoring = None if why else _scoring(method, attack, label, seed, attacks, data, suite)
                cells.append(Cell(method, attack, label, seed, scoring, why))
    return cells


def _lacks_label(method: Method, data: Data) -> str | None:
    if data.options.sensitive is None and any(request.label == "sensitive" for request in method.requests()):
        return "the method needs a sensitive label and the data have none: choose one with --sensitive"
    return None


def _labels(attack: Attack, data: Data) -> tuple[Label | None, ...]:
    """Which labels an attack is run for. Without a sensitive label, what is inferred is the target label."""
    if isinstance(attack, RestorationAttack):
        return (None,)
    if data.options.sensitive is None:
        return ("target",)
    return ("sensitive", "target") if attack.probes_target else ("sensitive",)


def _scoring(
    method: Method,
    attack: Attack,
    label: Label | None,
    seed: int,
    attacks: tuple[Attack, ...],
    data: Data,
    suite: Suite,
) -> Stage:
    if isinstance(attack, RestorationAttack):
        return ScoredRestoration(data, Restoration(data, method, attack, suite.settings, seed))
    restorations = tuple(
        other
        for other in attacks
        if isinstance(other, RestorationAttack)
        and (method.masked or not other.needs_masks)
        and other.unavailable() is None
    )
    if attack.needs_restorations and not restorations:
        raise UsageError(f"The attack {attack.label()} works on restored images: name a restoration attack as well.")
    needed = restorations if attack.needs_restorations else ()
    return ScoredInference(data, Inference(data, method, attack, label, suite.settings, seed, needed))
