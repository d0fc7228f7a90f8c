"""What is tested: the metrics of every cell that both runs have, and those of a method's attacks taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskbench.gate.causes import NOTHING, Causes, method_same, same_keys
from maskbench.gate.differences import Difference, differences
from maskbench.gate.matching import Match
from maskbench.gate.outcomes import CellKey, CellOutcomes
from maskbench.gate.tolerances import Tolerances
from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.metric import Family, Metric
from maskbench.plugins.reserved import STRONGEST

ALL = "all"
"""In the place of an attack: all attacks of a kind on a method, by the mean of their main metric."""


@dataclass(frozen=True)
class Row:
    """One metric of one cell in both runs.

    Attributes:
        sign: a change times this is the loss that raises an alarm. 1: a rise; -1: a drop. What the data owner does not
            want, but of attacks on releases that are known to be the same it is a drop: then only the attack changed.
        watched: whose fault an alarm is: "method" or "attack".
        tolerance: as values are held.
        leading: the metric leads its family; the others have a smaller share of the bound on false alarms.
        proved: the keys, or all outcomes, are the same; such a row is not tested.
        causes: what the keys say has changed.
    """

    key: CellKey
    role: str
    metric: Metric
    found: Difference
    sign: int
    watched: str
    tolerance: float
    leading: bool
    proved: str
    causes: frozenset[str]

    @property
    def whole(self) -> bool:
        """Whether it stands for all attacks of a kind."""
        return self.key.attack == ALL


def rows(
    matches: Iterable[Match],
    baseline: Mapping[CellKey, CellOutcomes],
    current: Mapping[CellKey, CellOutcomes],
    tolerances: Tolerances,
    causes: Causes,
    classes: Mapping[str, int],
) -> list[Row]:
    """Everything that is compared: a row a cell and metric, the strongest attacks, and the means of all attacks."""
    parts = _Parts(baseline, current, tolerances, classes)
    partial: set[tuple[object, ...]] = set()
    compared: list[_Cell] = []
    for match in matches:
        key = match.key
        if match.state != "compare" or key not in baseline or key not in current:
            partial.add((key.method_key, key.attack_kind, key.label))
            continue
        proof = "same code and keys" if same_keys(match) else ""
        compared.append(_Cell(key, match.role, causes.of_cell(match), proof))
    single: dict[tuple[str, str, float | None], list[Row]] = {}
    for cell, found in zip(compared, parts.rows(compared), strict=True):
        single.setdefault(cell.key.method_key, []).extend(found)
    # Of other attacks another one is the strongest: that compares suites, and not methods.
    whole = [
        [row for row in mine if (row.key.method_key, row.key.attack_kind, row.key.label) not in partial]
        for mine in single.values()
    ]
    strongest = [[cell for cell in _strongest(mine) if cell.key in baseline and cell.key in current] for mine in whole]
    derived = iter(parts.rows([cell for cells in strongest for cell in cells]))
    every: list[Row] = []
    for mine, cells in zip(single.values(), strongest, strict=True):
        for _ in cells:
            every += next(derived)
        every += [*mine, *_together(mine)]
    return every


@dataclass(frozen=True)
class _Cell:
    """A cell that is compared.

    Attributes:
        proof: why it is the same, where the keys say so.
        causes: what the keys say has changed.
    """

    key: CellKey
    role: str
    causes: frozenset[str]
    proof: str = ""


@dataclass(frozen=True)
class _Parts:
    """What rows are made of: both runs' outcomes, the tolerances, and label → number of classes."""

    baseline: Mapping[CellKey, CellOutcomes]
    current: Mapping[CellKey, CellOutcomes]
    tolerances: Tolerances
    classes: Mapping[str, int]

    def rows(self, cells: Sequence[_Cell]) -> list[list[Row]]:
        """The rows of each cell. Cells of one family are computed together."""
        groups: dict[tuple[Family, str], list[int]] = {}
        for place, cell in enumerate(cells):
            groups.setdefault((cell.key.family, cell.key.label), []).append(place)
        found: list[list[Row]] = [[] for _ in cells]
        for (family, label), places in groups.items():
            metrics = self.tolerances.metrics(family)
            pairs = [(self.baseline[cells[place].key], self.current[cells[place].key]) for place in places]
            changes = differences(pairs, metrics, self.classes.get(label, 0))
            for place, change in zip(places, changes, strict=True):
                found[place] = [
                    self._row(cells[place], metric, change[metric.name])
                    for metric in metrics
                    if metric.name in change and change[metric.name].finite
                ]
        return found

    def _row(self, cell: _Cell, metric: Metric, found: Difference) -> Row:
        leaks = cell.key.family != "recognition"
        # Of raw pictures nothing is hidden: what an attack gets there says how good the attack is.
        attack_alone = leaks and (cell.role == "raw" or method_same(cell.causes))
        bad = 1 if metric.direction == "lower" else -1
        proved = (cell.proof or "same outcomes") if found.same else ""
        return Row(
            cell.key,
            cell.role,
            metric,
            found,
            -bad if attack_alone else bad,
            "attack" if attack_alone else "method",
            self.tolerances.of(metric, cell.key),
            self.tolerances.leads(metric),
            proved,
            frozenset((NOTHING,)) if cell.proof and not proved else cell.causes,
        )


def _strongest(mine: Sequence[Row]) -> Iterator[_Cell]:
    """The strongest attack of each kind, with the causes of all attacks of that kind."""
    kinds: dict[tuple[str, str], list[Row]] = {}
    for row in mine:
        kinds.setdefault((row.key.attack_kind, row.key.label), []).append(row)
    for members in kinds.values():
        causes = frozenset[str]().union(*(row.causes for row in members))
        yield _Cell(members[0].key._replace(attack=STRONGEST, aux_share=1.0), members[0].role, causes)


def _together(mine: Sequence[Row]) -> Iterator[Row]:
    """The mean over the attacks of a kind, seed by seed: a change of all of them shows there first."""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in mine:
        if row.metric.name == MAIN.get(row.key.family) and row.key.aux_share == 1 and not row.proved:
            groups.setdefault((row.key.attack_kind, row.key.label, row.sign), []).append(row)
    for members in groups.values():
        lengths = {(len(row.found.baseline_seeds), len(row.found.current_seeds)) for row in members}
        if len(members) < 2 or len(lengths) > 1 or members[0].key.attack_kind == "none":
            continue
        first = members[0]
        causes = frozenset[str]().union(*(row.causes for row in members))
        found = _mean([row.found for row in members])
        key = first.key._replace(attack=ALL)
        yield Row(key, first.role, first.metric, found, first.sign, first.watched, first.tolerance, True, "", causes)


def _mean(members: Sequence[Difference]) -> Difference:
    old, new = (
        np.mean([getattr(each, name) for each in members], axis=0) for name in ("baseline_seeds", "current_seeds")
    )
    degrees = len(old) + len(new) - 2
    # The attacks see the same images, so their image noise may add up: of the mean it is at most the mean.
    images = float(np.mean(np.sqrt([each.image_variance for each in members]))) ** 2
    return Difference(
        float(np.mean([each.baseline for each in members])),
        float(np.mean([each.current for each in members])),
        old,
        new,
        min(each.images for each in members),
        _between(old, new) / degrees if degrees else float("nan"),
        images,
        float(np.mean([each.slope for each in members])),
        min(each.counted for each in members),
        False,
    )


def _between(old: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    return float(sum(np.square(side - side.mean()).sum() for side in (old, new)))


LED = 0.2
"""Share of a part's bound that goes to the metrics that do not lead, where there are others."""


def weights(found: Sequence[Row]) -> NDArray[np.float64]:
    """Each row's share of the bound on false alarms.

    Methods share alike, however many attacks each has; in a method what it keeps and each kind of attack; of a kind a
    third goes to all attacks together, a third to the strongest, and a third to the single cells. Of each part, a fifth
    goes to the metrics that do not lead: they are many, and mostly repeat what the leading ones say.
    """
    members: dict[tuple[object, object, str], tuple[list[int], list[int]]] = {}
    for place, row in enumerate(found):
        part = "all" if row.whole else "strongest" if row.key.attack == STRONGEST else "single"
        group = (row.key.method_key, (row.key.attack_kind, row.key.label), part)
        members.setdefault(group, ([], []))[row.leading].append(place)
    methods: dict[object, dict[object, set[object]]] = {}
    for method, kind, name in members:
        methods.setdefault(method, {}).setdefault(kind, set()).add(name)
    share = np.empty(len(found))
    for (method, kind, _), places in members.items():
        kinds = methods[method]
        own = 1 / (len(methods) * len(kinds) * len(kinds[kind]))
        led, leading = places
        parts = ((led, LED), (leading, 1 - LED)) if led and leading else ((led or leading, 1.0),)
        for rows_of_part, weight in parts:
            share[rows_of_part] = own * weight / len(rows_of_part)
    return share
