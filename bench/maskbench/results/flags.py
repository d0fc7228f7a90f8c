"""Which results should not be trusted as they are: rules over the table of cells.

A comparison of two attacks counts where the lower value lies outside the other's interval.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from maskbench.plugins.reserved import STRONGEST
from maskbench.results import flag
from maskbench.results.estimates import MAIN
from maskbench.results.flag import Flag, Kind
from maskbench.results.reading import Value, headline, methods, planned, read
from maskbench.results.schema import DERIVED

_FAITHFUL = 20 * np.log10(255)
"""dB: off by one 8-bit step. An attack that is given the raw image itself and comes out further from it distorts it."""

_LEAST_RISE = 0.005
"""Of SSIM or advantage: paired intervals tell smaller rises from none, but they change no conclusion."""

_SHOWN = {"restoration": "hole SSIM", "inference": "advantage"}

_ADAPTS = ("releases", "restorations")


def find_flags(cells: pd.DataFrame) -> list[Flag]:
    """All flags on a run, in the order of ``flag.KINDS`` and, within a kind, of the methods.

    The raw control is judged by whether attacks work on it; the fully masked one is what others are compared with.
    """
    found: list[Flag] = []
    for method, ratio, mine in methods(cells):
        marked = _Marked(method, ratio)
        leaks = headline(mine)
        role = mine["role"].iloc[0]
        _failed(mine, marked)
        if role == "raw":
            _fails_on_raw(leaks, marked)
        elif role == "method":
            _learned_below_classical(leaks, marked)
            _adaptive_below_naive(leaks, marked)
            _worst_missed(leaks, marked)
            _shape(leaks, marked)
            _more_data(mine, leaks, marked)
            _not_above_null(leaks, marked)
        found += marked.flags
    found += _coverage(cells)
    return sorted(found, key=lambda each: flag.KINDS.index(each.kind))


class _Marked:
    """Collects the flags of one method."""

    def __init__(self, method: str, ratio: float) -> None:
        self.method, self.ratio = method, ratio
        self.flags: list[Flag] = []

    def add(self, kind: Kind, attack: str, label: str, finding: str) -> None:
        """Flag an attack on the method."""
        self.flags.append(Flag(kind, self.method, self.ratio, attack, label, finding))


def _failed(mine: pd.DataFrame, marked: _Marked) -> None:
    cells = planned(mine)
    for reason, part in cells[cells["status"] == "failed"].groupby("reason", sort=False):
        attacks = ", ".join("recognition" if name == "none" else name for name in part["attack"].unique())
        marked.add(flag.FAILED, attacks, ", ".join(filter(None, part["label"].unique())), f"{len(part)} × {reason}")


def _fails_on_raw(leaks: pd.DataFrame, marked: _Marked) -> None:
    for attack, label, part in _attacks(leaks):
        if part["attack_kind"].iloc[0] == "inference":
            value = read(part, "advantage")
            if value and value.low <= 0:
                marked.add(flag.FAILS_ON_RAW, attack, label, f"advantage {_percent(value)} on raw images")
        else:
            value = read(part, "psnr")
            if value and value.value < _FAITHFUL:
                finding = f"PSNR {value.value:.1f} dB on raw images, which it only had to leave as they are"
                marked.add(flag.FAILS_ON_RAW, attack, label, finding)


def _learned_below_classical(leaks: pd.DataFrame, marked: _Marked) -> None:
    values = _values(leaks[leaks["attack_kind"] == "restoration"])
    learned = {name: value for (name, _, learns_from), value in values.items() if learns_from}
    classical = {name: value for (name, _, learns_from), value in values.items() if not learns_from}
    if not classical:
        return
    best = max(classical, key=lambda name: classical[name].value)
    for name, value in learned.items():
        if value.value < classical[best].low:
            finding = f"hole SSIM {_decimal(value)}, {best} {_decimal(classical[best])}"
            marked.add(flag.LEARNED_BELOW_CLASSICAL, name, "", finding)


def _adaptive_below_naive(leaks: pd.DataFrame, marked: _Marked) -> None:
    values = _values(leaks[leaks["attack_kind"] == "inference"])
    for label in dict.fromkeys(label for _, label, _ in values):
        adaptive = {name: value for (name, of, on), value in values.items() if of == label and on in _ADAPTS}
        naive = {name: value for (name, of, on), value in values.items() if of == label and on == "raw"}
        if not adaptive or not naive:
            continue
        best = max(adaptive, key=lambda name: adaptive[name].value)
        other = max(naive, key=lambda name: naive[name].value)
        # An attack that itself infers nothing cannot show another one up.
        if naive[other].low > max(adaptive[best].value, 0.0):
            finding = f"advantage {_percent(adaptive[best])}, {other} {_percent(naive[other])}"
            marked.add(flag.ADAPTIVE_BELOW_NAIVE, best, label, finding)


def _worst_missed(leaks: pd.DataFrame, marked: _Marked) -> None:
    for (kind, label), part in leaks.groupby(["attack_kind", "label"], sort=False):
        worst = read(part[part["attack"] == STRONGEST], MAIN[kind])
        for (attack, _, _), value in _values(part).items() if worst else ():
            if value.low > worst.value:
                shown = _decimal if kind == "restoration" else _percent
                finding = f"{_SHOWN[kind]} {shown(value)}, worst case {shown(worst)}"
                marked.add(flag.WORST_MISSED, attack, label, finding)


def _shape(leaks: pd.DataFrame, marked: _Marked) -> None:
    for attack, label, part in _attacks(leaks[leaks["probe"] == "shape"]):
        value = read(part, "advantage")
        if value and value.low > 0:
            kind = flag.SHAPE_LEAKS if label == "sensitive" else flag.SHAPE_RECOGNIZES
            marked.add(kind, attack, label, f"advantage {_percent(value)} from masks alone")


def _more_data(mine: pd.DataFrame, leaks: pd.DataFrame, marked: _Marked) -> None:
    for attack, label, part in _attacks(leaks):
        kind = part["attack_kind"].iloc[0]
        value = read(part, f"{MAIN[kind]}_over_less_data")
        if value and value.low > 0 and value.value > _LEAST_RISE:
            same = mine[(mine["attack"] == attack) & (mine["label"] == label)]
            less = sorted(same["aux_share"].unique())[-2]
            rise = _decimal(value) if kind == "restoration" else _percent(value)
            finding = f"{_SHOWN[kind]} up by {rise} from {less:.0%} of the data to all"
            marked.add(flag.MORE_DATA, attack, label, finding)


def _not_above_null(leaks: pd.DataFrame, marked: _Marked) -> None:
    worst = leaks[(leaks["attack"] == STRONGEST) & (leaks["attack_kind"] == "inference")]
    value = read(worst, "advantage_over_null")
    if value and value.low <= 0:
        label = worst["label"].iloc[0]
        marked.add(flag.NOT_ABOVE_NULL, value.attack, label, f"{_percent(value)} over the null")


def _coverage(cells: pd.DataFrame) -> list[Flag]:
    every = planned(cells)
    ok = int((every["status"] == "ok").sum())
    if ok == len(every):
        return []
    missing = [f"{int((every['status'] == status).sum())} {status}" for status in ("failed", "unavailable")]
    finding = f"{ok} of {len(every)} cells ok ({ok / len(every):.1%}): {', '.join(missing)}"
    return [Flag(flag.COVERAGE, "", np.nan, "", "", finding)]


def _attacks(rows: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    own = rows[~rows["attack"].isin(DERIVED)]
    return [(attack, label, part) for (attack, label), part in own.groupby(["attack", "label"], sort=False)]


def _values(rows: pd.DataFrame) -> dict[tuple[str, str, str], Value]:
    """(attack, label, what it trains on) → its main metric."""
    found = {}
    for attack, label, part in _attacks(rows):
        value = read(part, MAIN[part["attack_kind"].iloc[0]])
        if value:
            found[attack, label, part["learns_from"].iloc[0]] = value
    return found


def _percent(value: Value) -> str:
    return f"{100 * value.value:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}] %"


def _decimal(value: Value) -> str:
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
