"""Methods compared where they leak alike: accuracy at the leakage of a reference, and leakage at its accuracy.

At the same ratio methods leak differently, so that more accuracy there says little. A method that was run at three
strengths or more has a curve of accuracy over leakage; it is read off where the reference is.

The curve goes straight from point to point, after accuracy was made to rise with leakage by isotonic regression. All
methods are resampled together, and the curve is drawn anew in each resample. Nothing is extrapolated: where the
reference lies outside the curve, that is said. A resample in which it does so takes the end of the curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskbench.errors import UsageError, unknown
from maskbench.report.attacked import shape_recognizes
from maskbench.report.frontier import leakage_of
from maskbench.report.hidden import method_names
from maskbench.report.once import once_for_a_run
from maskbench.report.paired import Leakage, PairedMethods, Resampled, paired_methods
from maskbench.report.strengths import Curve, curves
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

_RATIO = 0.75
"""Of the reference, unless one is chosen."""


_ENDS = ("", "_low", "_high")

_OUTSIDE = {-1: "{} more at each of its {} strengths", 0: "", 1: "{} less at each of its {} strengths"}
"""Where the reference lies, as ``_Reading.side`` has it → why nothing can be read off there."""


@dataclass(frozen=True)
class AtReference:
    """A method read off at the reference; shares. What cannot be read off is None.

    Attributes:
        method: without the parameter of its strength.
        rows: places of its strengths among the methods of the run.
        accuracy: at the leakage of the reference; ``gain``: the same minus the accuracy of the reference, paired.
        shape: accuracy that the shape of its masks alone gives there.
        leakage: at the accuracy of the reference; ``more``: the same minus the leakage of the reference, paired.
        outside, outside_accuracy: why accuracy and leakage cannot be read off, in words; empty where they can.
    """

    method: str
    rows: tuple[int, ...]
    accuracy: Value | None
    gain: Value | None
    shape: Value | None
    leakage: Value | None
    more: Value | None
    outside: str = ""
    outside_accuracy: str = ""


@dataclass(frozen=True)
class EqualLeakage:
    """Methods at the leakage, and at the accuracy, of a reference.

    Attributes:
        reference: its name; ``row``: its place among the methods of the run.
        kind: of the attacks by which leakage is measured.
        accuracy, leakage: of the reference, shares or SSIM.
        methods: every other method that was run at enough strengths.
    """

    reference: str
    row: int
    kind: Leakage
    accuracy: float
    leakage: float
    methods: tuple[AtReference, ...]


def at_equal_leakage(run: RunFolder, reference: str | None = None, kind: Leakage | None = None) -> EqualLeakage | None:
    """Compare methods at the leakage of a reference; None where no method has a curve, or there is no reference.

    Args:
        reference: a method as tables write it, such as ``random:patch=4 75%``. None: the first whose masks hide about
            75 % and say nothing of the target label by their shape, which is ``random`` in the built-in suites.
        kind: of the attacks by which leakage is measured; None: as ``leakage_of`` says.

    Raises:
        UsageError: the run has no such method, or its accuracy or leakage is not known.
    """
    if reference is None and kind is None:
        return _at_first_reference(run)
    return _compared(paired_methods(run), run, reference, kind or leakage_of(run))


@once_for_a_run
def _at_first_reference(run: RunFolder) -> EqualLeakage | None:
    return _compared(paired_methods(run), run, None, leakage_of(run))


def _compared(methods: PairedMethods, run: RunFolder, reference: str | None, kind: Leakage) -> EqualLeakage | None:
    """``at_equal_leakage`` of methods that are resampled already."""
    known = methods.compared(kind)
    row = _reference(methods, run, known, reference)
    rows = records(methods.rows)
    own = [each for each in curves(rows, [place for place in known if rows[place]["role"] == "method"])]
    others = [each for each in own if row not in each.rows]
    if row is None or not others:
        return None
    accuracy, leakage = methods.accuracy, methods.leakage(kind)
    return EqualLeakage(
        method_names(run.cells)(rows[row]["method"], rows[row]["ratio"]),
        row,
        kind,
        float(accuracy.values[row]),
        float(leakage.values[row]),
        tuple(_at(each, row, methods, kind) for each in others),
    )


def curve_points(run: RunFolder, kind: Leakage | None = None) -> pd.DataFrame:
    """The points of every curve: what is drawn of accuracy over leakage.

    Columns: ``method``, ``strength`` (the parameter's name), ``at`` (its value, NaN for its default), ``accuracy``,
    ``leakage`` and ``shape``, each with ``…_low`` and ``…_high``.
    """
    kind = kind or leakage_of(run)
    methods = paired_methods(run)
    rows = records(methods.rows)
    known = [place for place in methods.compared(kind) if rows[place]["role"] == "method"]
    points = [
        {"method": curve.method, "strength": curve.strength, "at": value}
        | {f"{name}{end}": rows[place][f"{column}{end}"] for name, column in _columns(kind) for end in _ENDS}
        for curve in curves(rows, known)
        for place, value in zip(curve.rows, curve.values, strict=True)
    ]
    names = [f"{name}{end}" for name, _ in _columns(kind) for end in _ENDS]
    return pd.DataFrame(points, columns=["method", "strength", "at", *names])


def _columns(kind: Leakage) -> tuple[tuple[str, str], ...]:
    return (("accuracy", "accuracy"), ("leakage", kind), ("shape", "shape"))


def _reference(methods: PairedMethods, run: RunFolder, known: list[int], chosen: str | None) -> int | None:
    rows, named = records(methods.rows), method_names(run.cells)
    if chosen is not None:
        names = {named(rows[place]["method"], rows[place]["ratio"]): place for place in known}
        if chosen not in names:
            raise UsageError(unknown("reference", chosen, list(names)))
        return names[chosen]
    masked = [place for place in known if rows[place]["role"] == "method" and abs(rows[place]["ratio"] - _RATIO) < 0.01]
    silent = [place for place in masked if not shape_recognizes(run, rows[place])]
    return next(iter(silent or masked), None)


def _at(curve: Curve, reference: int, methods: PairedMethods, kind: Leakage) -> AtReference:
    accuracy, leakage = methods.accuracy, methods.leakage(kind)
    here, back = _Reading(curve, reference, leakage), _Reading(curve, reference, accuracy)
    kept, shape, leaked = here.of(accuracy), here.of(methods.shape), back.of(leakage)
    return AtReference(
        curve.method,
        curve.rows,
        accuracy=None if kept is None else kept.value(),
        gain=None if kept is None else kept.beside(accuracy, reference),
        shape=None if shape is None else shape.value(),
        leakage=None if leaked is None else leaked.value(),
        more=None if leaked is None else leaked.beside(leakage, reference),
        outside=_OUTSIDE[here.side].format("leaks", len(curve.rows)),
        outside_accuracy=_OUTSIDE[back.side].format("keeps", len(curve.rows)),
    )


@dataclass(frozen=True)
class _Read:
    """A quantity that was read off a curve, and its value in each resample."""

    centre: float
    draws: NDArray[np.float64]

    def value(self) -> Value:
        low, high = np.quantile(self.draws, (0.025, 0.975))
        return Value(self.centre, float(low), float(high))

    def beside(self, quantity: Resampled, reference: int) -> Value:
        """The same minus what the reference has."""
        own = _Read(self.centre - float(quantity.values[reference]), self.draws - quantity.draws[:, reference])
        return own.value()


class _Reading:
    """Where a curve is read off: at what the reference has of one quantity."""

    def __init__(self, curve: Curve, reference: int, along: Resampled) -> None:
        self._rows = list(curve.rows)
        self._points = np.vstack([along.values[self._rows], along.draws[:, self._rows]])
        self._where = np.append(along.values[reference], along.draws[:, reference])

    @property
    def side(self) -> int:
        """-1 where the reference lies below all points of the curve, 1 above them, 0 among them."""
        return int(self._where[0] > self._points[0].max()) - int(self._where[0] < self._points[0].min())

    def of(self, quantity: Resampled) -> _Read | None:
        """Another quantity, read off there; None outside the curve, or where it was not measured."""
        from scipy.optimize import isotonic_regression  # takes half a second to import

        values = np.vstack([quantity.values[self._rows], quantity.draws[:, self._rows]])
        if self.side or not np.isfinite(values[0]).all():
            return None
        order = np.argsort(self._points, axis=1, kind="stable")
        along, values = (np.take_along_axis(table, order, axis=1) for table in (self._points, values))
        read = [
            np.interp(where, x, isotonic_regression(y).x)
            for where, x, y in zip(self._where, along, values, strict=True)
        ]
        return _Read(float(read[0]), np.asarray(read[1:]))
