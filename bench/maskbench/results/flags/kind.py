"""What a flag is, and what the rules of flags are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.plugins.attack import Attack
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.reserved import BESIDE
from maskbench.results.reading import Value, grouped, headline, methods, read
from maskbench.results.schema import DERIVED

Finding = tuple[str, str, str]
"""Attack, inferred label, and what was seen, in numbers; the first two empty where they do not apply."""


@dataclass(frozen=True)
class Flag:
    """A flag on a result, or on the whole run.

    Attributes:
        name: of its kind.
        mark: the letter that stands for it in the summary.
        level: a warning says that a number should not be trusted as it is; a note, how it is to be read.
        title: what is wrong, in general.
        action: what to do.
        method: empty where the flag is on the whole run; ``ratio`` is NaN where the method has none.
        attack, label: empty where it is on no attack, and where nothing is inferred.
        finding: what was seen, in numbers.
    """

    name: str
    mark: str
    level: Literal["warning", "note"]
    title: str
    action: str
    method: str
    ratio: float
    attack: str
    label: str
    finding: str

    def record(self) -> dict[str, Any]:
        """The flag as JSON values, for ``flags.json``."""
        ratio = None if pd.isna(self.ratio) else self.ratio
        return {**vars(self), "ratio": ratio}

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Flag:
        """What ``record`` gave."""
        ratio = float("nan") if record["ratio"] is None else record["ratio"]
        return cls(**{**record, "ratio": ratio})


@dataclass(frozen=True)
class Judged:
    """The rows of one method.

    Attributes:
        cells: all of them.
        leaks: those over seeds of attackers with all of their data, on the split where it counts.
    """

    method: str
    ratio: float
    role: str
    cells: pd.DataFrame
    leaks: pd.DataFrame


@dataclass(frozen=True)
class FlagKind:
    """A kind of flag: its words, and the rule by which it goes up.

    Attributes:
        find: rows of a method → findings; of kinds on the whole run: all cells → findings.
        roles: of the methods that it is about; empty: it is about the whole run.
    """

    name: str
    mark: str
    level: Literal["warning", "note"]
    title: str
    action: str
    find: Callable[[Judged], Iterator[Finding]]
    roles: tuple[str, ...] = ("method",)

    def flags(self, cells: pd.DataFrame) -> Iterator[Flag]:
        """The flags of this kind on a run, in the order of the methods."""
        for judged in self._judged(cells):
            if not self.roles or judged.role in self.roles:
                for attack, label, finding in self.find(judged):
                    words = (self.name, self.mark, self.level, self.title, self.action)
                    yield Flag(*words, judged.method, judged.ratio, attack, label, finding)

    def _judged(self, cells: pd.DataFrame) -> Iterator[Judged]:
        if not self.roles:
            yield Judged("", float("nan"), "", cells, headline(cells))
            return
        for method, ratio, mine in methods(cells):
            yield Judged(method, ratio, mine["role"].iloc[0], mine, headline(mine))


def attacks(rows: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Attack, inferred label and rows of every single attack; what is made of several is none, nor is the optimum.

    Nor is what learns from labels that were shuffled.
    """
    own = rows[~rows["attack"].isin((*DERIVED, *BESIDE))]
    return [(attack, label, part) for (_, attack, label), part in grouped(own, "attack_kind", "attack", "label")]


def outdone(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> tuple[str, str] | None:
    """The best of ours and the best of theirs, where the latter is higher beyond its interval.

    An attack that itself infers nothing cannot show another one up.

    Args:
        ours, theirs: name of an attack → its advantage.
    """
    if not ours or not theirs:
        return None
    best, other = (max(each, key=lambda name: each[name].value) for each in (ours, theirs))
    return (best, other) if theirs[other].low > max(ours[best].value, 0.0) else None


def values(rows: pd.DataFrame) -> dict[tuple[str, str, str], Value]:
    """(attack, label, what it learns from) → its main metric."""
    found = {}
    for attack, label, part in attacks(rows):
        value = read(part, MAIN[part["attack_kind"].iloc[0]])
        if value:
            found[attack, label, part["learns_from"].iloc[0]] = value
    return found


def declared(attack: str) -> type[Attack] | None:
    """The class of an attack, by what tables call it; None where it is not installed here."""
    name = attack.partition(":")[0]
    found = catalogue()
    return found.get("attack", name) if name in found.names("attack") else None


MAIN_WORDS = {
    "restoration": "hole SSIM",
    "inference": "advantage",
    "matching": "rank 1",
    "linkage": "rank 1 of links",
    "person-linkage": "rank 1 of persons",
}
"""What findings call the main metric of a kind of attack."""


def percent(value: Value) -> str:
    """``12.3 [10.0, 14.6] %``."""
    return f"{100 * value.value:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}] %"


def decimal(value: Value) -> str:
    """``0.412 [0.398, 0.425]``."""
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
