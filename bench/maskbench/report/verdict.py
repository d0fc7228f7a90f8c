"""The answer of a run in a few plain sentences, made from its numbers and their intervals alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskbench.report.attacked import attacks_to_add
from maskbench.report.cautions import cautions, trust
from maskbench.report.frontier import Placed, leakage_of, placed
from maskbench.report.hidden import method_names
from maskbench.report.paired import Leakage, PairedMethods, between
from maskbench.report.phrases import listed, share
from maskbench.results.reading import records
from maskbench.runfolder.folder import RunFolder

_WITH_NUMBERS = 3  # methods of which numbers are said: a sentence with more is not read


@dataclass(frozen=True)
class Verdict:
    """What a run says.

    Attributes:
        sentences: two or three, the answer first.
        cautions: how far the numbers can be trusted, one sentence each: what was not attacked, flags, failures.
    """

    sentences: tuple[str, ...]
    cautions: tuple[str, ...]


def verdict(run: RunFolder) -> Verdict:
    """Say which methods are worth their leakage, and how sure that is."""
    found = _Findings(run)
    said = [found.frontier(), found.others(), trust(run, found.kind)]
    return Verdict(tuple(filter(None, said)), cautions(run, found.kind, found.not_attacked))


class _Findings:
    """What is said of the methods of a run, sentence by sentence."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.kind: Leakage = leakage_of(run)
        self._methods = PairedMethods(run)
        self._rows = records(self._methods.rows)
        self._named = method_names(run.cells)
        everything = placed(self._methods, self.kind)
        self._raw = next((each for each in everything if each.role == "raw"), None)
        self._placed = [each for each in everything if each.role == "method"]

    @property
    def not_attacked(self) -> tuple[str, ...]:
        """The methods that nothing attacked that sees their pixels."""
        return tuple(
            self._name(row)
            for row in self._rows
            if row["role"] == "method" and row[f"{self.kind}_status"] == "not attacked" and row["ok"]
        )

    def frontier(self) -> str:
        """Which methods are on the frontier."""
        against = self._leakage_in_words()
        if not self._placed:
            return self._nothing_known(against)
        leaky = self._as_leaky_as_raw()
        if self._raw is not None and len(leaky) == len(self._placed):
            every = "The method leaks" if len(leaky) == 1 else f"Each of the {len(leaky)} methods leaks"
            return f"{every} no less than raw images, as far as the intervals tell ({against})."
        on = sorted((each for each in self._placed if each.on_frontier), key=lambda each: -each.accuracy)
        if not on:
            return f"Raw or fully masked images are no worse than any method in both, accuracy and leakage ({against})."
        if len(on) == 1:
            only = self._with_numbers(on[0])
            return f"No other method keeps more accuracy or leaks less than {only}; leakage is the {against}."
        numbers = [self._with_numbers(each) for each in on[:_WITH_NUMBERS]]
        return (
            f"On the frontier, where no other method keeps more and leaks less: {listed(numbers, len(on))}; leakage is "
            f"the {against}."
        )

    def others(self) -> str:
        """What is said of the methods that are not worth it, and of gains that are only shape."""
        clauses = {
            "beaten in accuracy and leakage": [each for each in self._placed if each.beaten_by],
            "not told apart from the frontier": [
                each for each in self._placed if not each.on_frontier and not each.beaten_by
            ],
            "no less leakage than raw images": self._as_leaky_as_raw(),
        }
        said = {what: [self._named(each.method, each.ratio) for each in those] for what, those in clauses.items()}
        said["no more accuracy than the shape of the masks alone gives"] = self._only_shape()
        text = "; ".join(f"{what}: {listed(names)}" for what, names in said.items() if names)
        return f"{text[0].upper()}{text[1:]}." if text else ""

    def _as_leaky_as_raw(self) -> list[Placed]:
        if self._raw is None:
            return []
        leakage, raw = self._methods.leakage(self.kind), self._raw.row
        return [each for each in self._placed if leakage.difference(raw, each.row).low <= 0]

    def _only_shape(self) -> list[str]:
        """Methods whose accuracy is not above that of a classifier that sees masks alone, where those tell a label."""
        accuracy, shape = self._methods.accuracy, self._methods.shape
        told = {(flag.method, _hashable(flag.ratio)) for flag in self._run.flags if flag.name == "shape-recognizes"}
        return [
            self._name(row)
            for place, row in enumerate(self._rows)
            if (row["method"], _hashable(row["ratio"])) in told
            and np.isfinite(accuracy.values[place])
            and between(accuracy, place, shape, place).low <= 0
        ]

    def _nothing_known(self, against: str) -> str:
        adding = " ".join(f"-a {name}" for name in attacks_to_add(self.kind)[:1])
        failed = [row for row in self._rows if row["role"] == "method" and row[f"{self.kind}_status"] == "failed"]
        if failed:
            return f"No leakage is known ({against}): attacks failed, and each could have been the strongest."
        return f"No leakage is known ({against}): no attack saw the released pixels. Add one, such as {adding}."

    def _leakage_in_words(self) -> str:
        if self.kind == "inference":
            return f"strongest inference of {self._run.provenance['data']['sensitive']}"
        return "strongest restoration"

    def _with_numbers(self, each: Placed) -> str:
        leaked = f"advantage {share(each.leakage)}" if self.kind == "inference" else f"hole SSIM {each.leakage:.2f}"
        return f"{self._named(each.method, each.ratio)} (accuracy {share(each.accuracy)}, {leaked})"

    def _name(self, row: dict[str, Any]) -> str:
        return self._named(row["method"], row["ratio"])


def _hashable(ratio: float) -> float | None:
    return None if np.isnan(ratio) else ratio
