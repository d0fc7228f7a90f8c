"""Which attacks ran on which methods, which did not, and why."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.matching import MatchingAttack
from maskbench.plugins.reserved import (
    FIND_MASKS,
    MEMBERSHIP,
    OPTIMUM,
    OPTIMUM_OF_MASKS,
    PERMUTED,
    RECOGNITION,
    STACKED,
)
from maskbench.report.hidden import method_names
from maskbench.results.measure import planned_of
from maskbench.results.reading import grouped, methods
from maskbench.runfolder.folder import RunFolder

_OF_OUR_OWN = {
    FIND_MASKS: "it looks for masks that were withheld, and the method withholds none",
    MEMBERSHIP: "it looks at weights of the owner's recognizer of raw pictures, and the method hands out none",
    STACKED: "it adds up attacks of one kind, and fewer than two of them ran",
    OPTIMUM: "the best possible attack is not known for the method",
    PERMUTED: "it is a control of attacks that train no network, and is not needed where nothing is shown",
    OPTIMUM_OF_MASKS: "it sees masks alone, and the method hands out none",
}
"""What no plug-in is → why a method may be without it."""

RAN, FAILED, UNAVAILABLE, NONE = "ran", "failed", "unavailable", "does not apply"


@dataclass(frozen=True)
class Coverage:
    """Methods by attacks: what became of each.

    Attributes:
        attacks: in the order of the suite; recognition first.
        rows: of each method its name and, for each attack, one of the words of this module.
    """

    attacks: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Missing:
    """Cells that did not run for one and the same reason."""

    status: str
    reason: str
    cells: tuple[str, ...]


def coverage(run: RunFolder) -> Coverage:
    """Every method against every attack of the suite."""
    planned = planned_of(run.cells)
    named = method_names(run.cells)
    asked = [RECOGNITION, *run.provenance["attacks"]]
    ran = set(planned["attack"])
    attacks = [attack for attack in asked if attack in ran] + sorted(ran - set(asked))
    attacks += [attack for attack in asked if attack not in ran]
    rows = []
    for method, ratio, mine in methods(planned):
        statuses = {str(attack): _status(part) for (attack,), part in grouped(mine, "attack")}
        rows.append((named(method, ratio), tuple(statuses.get(attack, NONE) for attack in attacks)))
    return Coverage(tuple("recognition" if name == RECOGNITION else name for name in attacks), tuple(rows))


def missing(run: RunFolder) -> list[Missing]:
    """The cells that failed or could not run, by their reasons."""
    planned = planned_of(run.cells)
    absent = planned[planned["status"] != "ok"]
    found = []
    # A stage that failed is named before its reason; the cells say that already, and alike reasons stand together.
    alike = absent.assign(reason=absent["reason"].str.replace(r"^.* · seed \d+: ", "", regex=True))
    for (status, reason), part in grouped(alike, "status", "reason"):
        pairs = zip(part["method"], part["params"], part["attack"], strict=True)
        named = (
            (f"{method}:{params}" if params else method) + ("" if attack == RECOGNITION else f" × {attack}")
            for method, params, attack in pairs
        )
        found.append(Missing(str(status), str(reason), tuple(dict.fromkeys(named))))
    return found


def not_applied(found: Coverage) -> dict[str, list[str]]:
    """Why some attacks do not apply to some method → those attacks."""
    reasons: dict[str, list[str]] = {}
    for column, attack in enumerate(found.attacks):
        if any(cells[column] == NONE for _, cells in found.rows):
            reasons.setdefault(_needs(attack), []).append(attack)
    return reasons


def _status(cells: pd.DataFrame) -> str:
    statuses = set(cells["status"])
    return FAILED if "failed" in statuses else UNAVAILABLE if "unavailable" in statuses else RAN


def _needs(attack: str) -> str:
    if attack in _OF_OUR_OWN:
        return _OF_OUR_OWN[attack]
    try:
        plugin = catalogue().get("attack", attack.split(":", 1)[0])
    except UsageError:
        return "it is not installed here, so what it needs is not known"
    if plugin.needs_masks:
        return "it works on masks, and the method has none"
    if plugin.needs_key:
        return "it needs the key of the method"
    if issubclass(plugin, MatchingAttack) and plugin.needs_method:
        return "it runs the method on candidates, and the method has masks or was fitted on what only the owner has"
    return "the run gives no reason"
