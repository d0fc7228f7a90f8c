"""The answer of a run in a few plain sentences, made from its numbers and their intervals alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskbench.report.attacked import Status, attacks_to_add, shape_recognizes
from maskbench.report.cautions import cautions, trust
from maskbench.report.equal_leakage import AtReference, at_equal_leakage
from maskbench.report.frontier import Placed, leakage_of, placed
from maskbench.report.hidden import method_names
from maskbench.report.paired import Leakage, between, paired_methods
from maskbench.report.phrases import listed, share
from maskbench.report.summary import value_of
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

_MOSTLY = 0.5  # of the releases are traced
_WITH_NUMBERS = 3  # methods of which numbers are said: a sentence with more is not read


@dataclass(frozen=True)
class Verdict:
    """What a run says.

    Attributes:
        sentences: two or three, the answer first, how it was measured last.
        findings: what else there is to know of methods, each as ``what: methods.``
        cautions: how far the numbers can be trusted, one sentence each: what was not attacked, flags, failures.
    """

    sentences: tuple[str, ...]
    findings: tuple[str, ...]
    cautions: tuple[str, ...]


def verdict(run: RunFolder) -> Verdict:
    """Say which methods are worth their leakage, and how sure that is.

    The answer at equal leakage comes first where it can be computed, else the frontier. Methods differ where the paired
    95 % interval of their difference, on the same images, excludes 0.
    """
    found = _Findings(run)
    equal = found.at_equal_leakage()
    said = [equal, found.frontier(numbers=not equal)]
    sentences = [f"{text[0].upper()}{text[1:]}." for text in said if text]
    return Verdict(
        (*sentences, trust(run, found.kind)),
        found.others(),
        cautions(run, found.kind, found.with_status("not attacked")),
    )


class _Findings:
    """What is said of the methods of a run, sentence by sentence."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.kind: Leakage = leakage_of(run)
        self._methods = paired_methods(run)
        self._rows = records(self._methods.rows)
        self._named = method_names(run.cells)
        everything = placed(self._methods, self.kind)
        controls = {each.role: each for each in everything if each.role != "method"}
        self._raw, self._null = controls.get("raw"), controls.get("null")
        self._placed = [each for each in everything if each.role == "method"]

    def with_status(self, status: Status) -> list[str]:
        """The methods that were attacked, or not, in the way that the leakage is measured by."""
        return [
            self._name(row) for row in self._rows if row["role"] == "method" and row[f"{self.kind}_status"] == status
        ]

    def at_equal_leakage(self) -> str:
        """What methods keep where they leak as much as the reference; empty where that is not known."""
        found = at_equal_leakage(self._run)
        if found is None or self._blind():
            return ""
        read = [(each, each.gain) for each in found.methods if each.gain is not None]
        more = sorted(((each, gain) for each, gain in read if gain.low > 0), key=lambda pair: -pair[1].value)
        fewer = [(each, gain) for each, gain in read if gain.high < 0]
        said = [f"{each.method} keeps {_points(gain)} more accuracy{_in_all(each)}" for each, gain in more]
        clauses = ["; ".join([*said[:_WITH_NUMBERS], *_and_more(said)])] if said else []
        if fewer:
            names = [f"{each.method} {_points(_minus(gain))}" for each, gain in fewer]
            clauses.append(f"less accuracy: {listed(names)}")
        alike = [each.method for each, gain in read if gain.low <= 0 <= gain.high]
        if alike:
            clauses.append(f"not told apart from it: {listed(alike)}")
        for why in dict.fromkeys(each.outside for each in found.methods if each.outside):
            clauses.append(f"{why}: {listed([each.method for each in found.methods if each.outside == why])}")
        at = f"advantage {share(found.leakage)}" if self.kind == "inference" else f"hole SSIM {found.leakage:.2f}"
        return f"at the leakage of {found.reference} ({at}): {'; '.join(clauses)}"

    def frontier(self, *, numbers: bool = True) -> str:
        """Which methods are on the frontier."""
        against = self._leakage_in_words()
        if not self._placed:
            return self._nothing_known(against)
        if self._blind():
            return (
                f"the {against} gets no more of raw images than of fully masked ones, as far as intervals tell, so it "
                "tells nothing of any method: train attacks longer, or use more images"
            )
        if len(self._as_leaky_as_raw()) == len(self._placed):
            every = "the method leaks" if len(self._placed) == 1 else f"each of the {len(self._placed)} methods leaks"
            return f"{every} no less than raw images, as far as the intervals tell; leakage is the {against}"
        said = self._with_numbers if numbers else lambda each: self._named(each.method, each.ratio)
        if len(self._placed) == 1 and self._raw is not None:  # a frontier of one says nothing
            only, raw = said(self._placed[0]), said(self._raw)
            return f"one method was measured, {only}, beside {raw}; leakage is the {against}"
        # One that leaks as much as raw images comes last: nobody gains by it.
        leaky = self._as_leaky_as_raw()
        on = [each for each in self._placed if each.on_frontier]
        on.sort(key=lambda each: (each in leaky, -each.accuracy))
        if not on:
            return f"raw or fully masked images are as good as any method in accuracy and in leakage, the {against}"
        if len(on) == 1:
            return f"no other method keeps more accuracy or leaks less than {said(on[0])}; leakage is the {against}"
        names = [said(each) for each in on[:_WITH_NUMBERS]]
        return (
            f"on the frontier, where no other method keeps more and leaks less: {listed(names, len(on))}; leakage is "
            f"the {against}"
        )

    def others(self) -> tuple[str, ...]:
        """What is said of the methods that are not worth it, of gains that are only shape, and of what is not known."""
        leaky = self._as_leaky_as_raw()
        clauses = {
            "beaten in accuracy and leakage": [each for each in self._placed if each.beaten_by],
            "not told apart from the frontier": [
                each for each in self._placed if not each.on_frontier and not each.beaten_by
            ],
            "no less leakage than raw images": leaky if len(leaky) < len(self._placed) else [],
        }
        said = {what: [self._named(each.method, each.ratio) for each in those] for what, those in clauses.items()}
        said |= self._traced()
        said["accuracy not told apart from that of the masks' shape alone"] = self._only_shape()
        if self._placed:
            said[f"not attacked, add -a {attacks_to_add(self.kind)[0]}"] = self.with_status("not attacked")
            said["leakage not known, since an attack failed"] = self.with_status("failed")
        said["could not run here"] = self.with_status("unavailable")
        return tuple(f"{what[0].upper()}{what[1:]}: {listed(names)}." for what, names in said.items() if names)

    def _blind(self) -> bool:
        """Whether the attacks cannot even tell raw images from fully masked ones."""
        if self._raw is None or self._null is None:
            return False
        return self._methods.leakage(self.kind).difference(self._raw.row, self._null.row).low <= 0

    def _as_leaky_as_raw(self) -> list[Placed]:
        if self._raw is None or self._blind():
            return []
        leakage, raw = self._methods.leakage(self.kind), self._raw.row
        return [each for each in self._placed if leakage.difference(raw, each.row).low <= 0]

    def _traced(self) -> dict[str, list[str]]:
        """The methods on the frontier whose releases a matching attack mostly traces to their raw pictures.

        Leakage is of a label: a method can be good at hiding that, and hide nothing of which picture it is.
        """
        found = {each: value_of(self._rows[each.row], "matching") for each in self._placed if each.on_frontier}
        traced = {each: value.value for each, value in found.items() if value is not None and value.value >= _MOSTLY}
        if not traced:
            return {}
        least = min(traced.values())
        more = " or more" if max(traced.values()) > least else ""
        return {
            f"traced to its raw picture in {share(least)} of cases{more}": [
                self._named(each.method, each.ratio) for each in traced
            ]
        }

    def _only_shape(self) -> list[str]:
        """Methods whose accuracy is not above that of a classifier that sees masks alone, where those tell a label."""
        accuracy, shape = self._methods.accuracy, self._methods.shape
        return [
            self._name(row)
            for place, row in enumerate(self._rows)
            if shape_recognizes(self._run, row)
            and np.isfinite(accuracy.values[place])
            and between(accuracy, place, shape, place).low <= 0
        ]

    def _nothing_known(self, against: str) -> str:
        if self.with_status("failed"):
            return f"no leakage is known, the {against}: an attack failed that could have been the strongest"
        return f"no leakage is known: no attack saw the released pixels; add one, -a {attacks_to_add(self.kind)[0]}"

    def _leakage_in_words(self) -> str:
        if self.kind == "inference":
            return f"strongest inference of {self._run.provenance['data']['sensitive']}"
        return "strongest restoration"

    def _with_numbers(self, each: Placed) -> str:
        leaked = f"advantage {share(each.leakage)}" if self.kind == "inference" else f"hole SSIM {each.leakage:.2f}"
        return f"{self._named(each.method, each.ratio)} (accuracy {share(each.accuracy)}, {leaked})"

    def _name(self, row: Mapping[str, Any]) -> str:
        return self._named(row["method"], row["ratio"])


def _points(gain: Value) -> str:
    return f"{100 * gain.value:.1f} points [{100 * gain.low:.1f}, {100 * gain.high:.1f}]"


def _minus(gain: Value) -> Value:
    return Value(-gain.value, -gain.high, -gain.low)


def _in_all(each: AtReference) -> str:
    if each.accuracy is None or each.shape is None:
        return ""
    return f", {share(each.accuracy.value)} in all, where its masks' shape alone gives {share(each.shape.value)}"


def _and_more(said: Sequence[str]) -> list[str]:
    return [f"and {len(said) - _WITH_NUMBERS} more do"] if len(said) > _WITH_NUMBERS else []
