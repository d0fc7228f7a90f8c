"""From outcomes of images to the table of cells: every metric, per seed and over seeds, with its interval.

``cells`` is a function of the planned cells and the samples alone, so anyone can compute it again from a run folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from maskbench.metrics.catalogue import FAMILIES, estimates, metric_of
from maskbench.metrics.metric import Columns, Family, Outcomes
from maskbench.plugins.reserved import BESIDE, OPTIMUM, ORACLE, STRONGEST
from maskbench.results.reading import ATTACKS, grouped, records
from maskbench.results.schema import (
    CELL,
    COLUMNS,
    DERIVED,
    METHOD,
    PROBABILITIES,
    SCORED_SPLITS,
    VALIDATION,
    gain_for,
    score_for,
    typed,
)
from maskbench.results.strongest import FAILED, NONE_RAN, Attacked, Ensemble, Part, Validated

FAMILY: Mapping[str, Family] = {
    "none": "recognition",
    "masks": "masks",
    "restoration": "restoration",
    "inference": "inference",
    "matching": "matching",
    "linkage": "linkage",
    "person-linkage": "person-linkage",
    "membership": "membership",
}
"""Column ``attack_kind`` → the family of the cell's metrics."""

_ABOUT = tuple(COLUMNS)[: list(COLUMNS).index("seed")]
"""The columns that say what a cell is. All others are of one row, and planned cells may come from rows with numbers."""


class _Key(NamedTuple):
    """A cell, seeds aside; a ratio of None where there is none."""

    method: str
    params: str
    ratio: float | None
    attack: str
    attack_kind: str
    label: str
    aux_share: float

    @classmethod
    def of(cls, values: Sequence[Any]) -> _Key:
        given = dict(zip(CELL, values, strict=True))
        return cls(**given | {"ratio": None if pd.isna(given["ratio"]) else float(given["ratio"])})


@dataclass(frozen=True)
class _Group:
    """One cell under all of its seeds: what it is, what became of each seed, and the outcomes of those that ran."""

    base: Mapping[str, Any]
    planned: pd.DataFrame
    ran: Mapping[int, Attacked]

    @property
    def complete(self) -> bool:
        """Whether no seed is missing."""
        return len(self.ran) == len(self.planned)


def measure(planned: pd.DataFrame, samples: pd.DataFrame, classes: Mapping[str, int]) -> pd.DataFrame:
    """Compute the table of cells.

    Args:
        planned, samples: as in :class:`maskbench.results.collect.Collected`.
        classes: label (target, sensitive) → its number of classes; 0 where there is no such label.
    """
    groups = _groups(planned, samples)
    beside = _Beside(groups)
    rows: list[dict[str, Any]] = []
    for key, group in groups.items():
        rows += _missing(group)
        parts = [Part(seed, ran.columns) for seed, ran in group.ran.items()]
        rows += _measured(group.base, parts, beside.of(key), classes, group.complete, _keys_of(group))
    rows += _strongest(groups, beside, classes)
    return typed(rows)


def planned_of(cells: pd.DataFrame) -> pd.DataFrame:
    """The planned cells that a table of cells was made of."""
    own = cells[cells["seed"].notna() & ~cells["attack"].isin(DERIVED)]
    return own.drop_duplicates([*CELL, "seed"])


def _groups(planned: pd.DataFrame, samples: pd.DataFrame) -> dict[_Key, _Group]:
    ran: dict[tuple[_Key, int], dict[str, pd.DataFrame]] = {}
    for values, part in grouped(samples, *CELL, "seed", "split"):
        *cell, seed, split = values
        ran.setdefault((_Key.of(cell), int(seed)), {})[str(split)] = part
    groups = {}
    for values, part in grouped(planned, *CELL):
        key = _Key.of(values)
        of_seed = {int(seed): ran[key, int(seed)] for seed in part["seed"] if (key, int(seed)) in ran}
        attacked = {seed: _attacked(splits, FAMILY[key.attack_kind]) for seed, splits in of_seed.items()}
        base = {name: part[name].iloc[0] for name in _ABOUT if name in part}
        groups[key] = _Group(base, part, attacked)
    return groups


def _attacked(splits: Mapping[str, pd.DataFrame], family: Family) -> Attacked:
    columns: dict[str, Columns] = {split: _columns(splits[split], family) for split in SCORED_SPLITS if split in splits}
    validation = splits.get(VALIDATION)
    return Attacked(columns, {} if validation is None else _validated(validation))


def _validated(rows: pd.DataFrame) -> dict[str, Validated]:
    """Split → how an attack did on validation pictures, of the splits that it was judged for."""
    found: dict[str, Validated] = {}
    for split in SCORED_SPLITS:
        scores, gains = (
            rows[name].to_numpy(np.float64) if name in rows else np.full(len(rows), np.nan)
            for name in (score_for(split), gain_for(split))
        )
        if not np.isnan(scores).all():
            found[split] = Validated(scores, None if np.isnan(gains).any() else gains)
    return found


def _columns(part: pd.DataFrame, family: Family) -> Columns:
    """Outcome → (images,): those that the cell has, of all that any cell has; of probabilities (images, classes)."""
    found = {}
    for name in map(str, part):
        if name in CELL or name in ("seed", "split", "target_class") or part[name].dtype == object:
            continue
        values = part[name].to_numpy()
        if _always(family, name) or not np.isnan(values.astype(np.float64)).all():
            found[name] = values.astype(np.int64) if name in ("number", "truth", "guess") else values
    if PROBABILITIES in part and part[PROBABILITIES].notna().all():
        found[PROBABILITIES] = np.stack(list(part[PROBABILITIES]))
    return found


def _always(family: Family, name: str) -> bool:
    """Whether every restoration has an outcome, be it undefined for all of its images."""
    if family != "restoration":
        return False
    return any(metric.name == name and not metric.needs for metric in FAMILIES[family])


class _Beside:
    """Finds what a cell is measured against."""

    def __init__(self, groups: Mapping[_Key, _Group]) -> None:
        self._raw: _Group | None = None
        self._null: dict[tuple[Any, ...], _Group] = {}
        self._shares: dict[tuple[Any, ...], list[tuple[float, _Group]]] = {}
        self._optimum = {key: group for key, group in groups.items() if key.attack == OPTIMUM}
        for key, group in groups.items():
            role = group.base["role"]
            if role == "raw" and key.attack_kind == "none" and self._raw is None:
                self._raw = group
            if role == "null":
                self._null.setdefault(key[len(METHOD) :], group)
            self._shares.setdefault(key[:-1], []).append((key.aux_share, group))

    def of(self, key: _Key) -> dict[str, _Group]:
        """The references of a cell, by what they are."""
        if key.attack_kind == "none":
            return {} if self._raw is None else {"raw": self._raw}
        if key.attack_kind in ("masks", "membership"):
            return {}
        found = {}
        if key[len(METHOD) :] in self._null:
            found["null"] = self._null[key[len(METHOD) :]]
        less = [(share, group) for share, group in self._shares[key[:-1]] if share < key.aux_share]
        if less:
            found["less_data"] = max(less, key=lambda pair: pair[0])[1]
        return found | self.optimum(key)

    def optimum(self, key: _Key) -> dict[str, _Group]:
        """The best possible attack, beside any other, where it is known."""
        best = self._optimum.get(key._replace(attack=OPTIMUM))
        return {} if best is None or key.attack == OPTIMUM else {"optimum": best}


def _keys_of(group: _Group) -> dict[int, str]:
    return dict(zip(group.planned["seed"].astype(int), group.planned["stage_key"].astype(str), strict=True))


def _missing(group: _Group) -> list[dict[str, Any]]:
    """A row with the reason for every seed that did not run."""
    if group.complete:
        return []
    absent = group.planned[group.planned["status"] != "ok"]
    return records(absent.assign(seed=absent["seed"].astype(int)))


def _measured(
    base: Mapping[str, Any],
    parts: Sequence[Part],
    references: Mapping[str, _Group],
    classes: Mapping[str, int],
    complete: bool = True,
    keys: Mapping[int, str] | None = None,
) -> list[dict[str, Any]]:
    """A row for each split, metric and seed and, where no seed is missing, over seeds (seed empty)."""
    rows: list[dict[str, Any]] = []
    family = FAMILY[base["attack_kind"]]
    for split in SCORED_SPLITS:
        scored = [part for part in parts if split in part.columns]
        if not scored:
            continue
        for together in [[part] for part in scored] + ([scored] if complete else []):
            pooled = together is scored
            seed = None if pooled else together[0].seed
            found = estimates(family, _outcomes(together, split, references, classes.get(base["label"], 0)))
            rows += [
                {
                    **base,
                    "seed": seed,
                    "split": split,
                    "metric": name,
                    "direction": metric_of(family, name).direction,
                    "value": estimate.value,
                    "ci_low": estimate.low,
                    "ci_high": estimate.high,
                    "n": estimate.n,
                    "seeds": estimate.seeds,
                    "status": "ok",
                    "chosen": ", ".join(dict.fromkeys(part.chosen for part in together)),
                    "stage_key": "" if seed is None else (keys or {}).get(seed, ""),
                }
                for name, estimate in found.items()
            ]
    return rows


def _outcomes(parts: Sequence[Part], split: str, references: Mapping[str, _Group], classes: int) -> Outcomes:
    """The outcomes of some seeds on a split, with those references that have the same seeds."""
    seeds = [part.seed for part in parts]
    beside = {
        name: Outcomes(_stacked([group.ran[seed].columns[split] for seed in seeds]), classes)
        for name, group in references.items()
        if all(seed in group.ran and split in group.ran[seed].columns for seed in seeds)
    }
    return Outcomes(_stacked([part.columns[split] for part in parts]), classes, beside)


def _stacked(tables: Sequence[Columns]) -> Columns:
    """Column → (seeds, images), of the columns that all have: chosen attacks may differ from seed to seed."""
    names = [name for name in tables[0] if all(name in table for table in tables)]
    return {name: np.stack([table[name] for table in tables]) for name in names}


def _strongest(groups: Mapping[_Key, _Group], beside: _Beside, classes: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Rows of the strongest attack and of the oracle, each against the same attacks on the null."""
    inferred = "sensitive" if classes.get("sensitive") else "target"
    methods: dict[tuple[Any, ...], dict[_Key, _Group]] = {}
    for key, group in groups.items():
        methods.setdefault(key[: len(METHOD)], {})[key] = group
    null = next((mine for mine in methods.values() if next(iter(mine.values())).base["role"] == "null"), {})
    for mine in methods.values():
        for kind, label in _judged(inferred):
            ensemble = _ensemble(mine, kind, label)
            if not ensemble.attacks:
                continue
            own = next(iter(mine.values())).base
            base = {**own, "attack_kind": kind, "label": label, "learns_from": "", "aux_share": 1.0}
            best = beside.optimum(next(iter(mine))._replace(attack="", attack_kind=kind, label=label, aux_share=1.0))
            if not ensemble.known:
                status, reason = ("failed", FAILED) if ensemble.failed else ("unavailable", NONE_RAN)
                for name in DERIVED:
                    yield {**base, "attack": name, "status": status, "reason": reason}
                continue
            control = _ensemble(null, kind, label).like(ensemble.ran)
            for name, judged in ((STRONGEST, Ensemble.realizable), (ORACLE, Ensemble.oracle)):
                chance = judged(control) if control.known else []
                references = {"null": _as_group(base, chance)} if chance else {}
                yield from _measured(base | {"attack": name}, judged(ensemble), references | best, classes)


def _judged(inferred: str) -> Iterator[tuple[Family, str]]:
    """Kinds of attack among which the strongest one is looked for, with the label that is inferred."""
    yield from ((kind, inferred if kind == "inference" else "") for kind in ATTACKS)


def _as_group(base: Mapping[str, Any], parts: Sequence[Part]) -> _Group:
    """Parts of several splits as one group: what a reference has to be."""
    columns: dict[int, dict[str, Columns]] = {}
    for part in parts:
        columns.setdefault(part.seed, {}).update(part.columns)
    ran = {seed: Attacked(found, {}) for seed, found in columns.items()}
    return _Group(base, pd.DataFrame(), ran)


def _ensemble(mine: Mapping[_Key, _Group], kind: str, label: str) -> Ensemble:
    """The attacks of a kind on a method; what needs less data, or more than an attacker has, is none of them."""
    chosen = {
        key.attack: group
        for key, group in mine.items()
        if (key.attack_kind, key.label, key.aux_share) == (kind, label, 1.0) and key.attack not in BESIDE
    }
    statuses = {
        name: dict(zip(group.planned["seed"].astype(int), group.planned["status"].astype(str), strict=True))
        for name, group in chosen.items()
    }
    return Ensemble(statuses, {name: group.ran for name, group in chosen.items()})
