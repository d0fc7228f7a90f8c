"""Which methods are on the frontier of accuracy and leakage, and which are beaten in both."""

from __future__ import annotations

from dataclasses import dataclass

from maskbench.report.paired import Leakage, PairedMethods, paired_methods
from maskbench.runfolder.folder import RunFolder


@dataclass(frozen=True)
class Placed:
    """A method of which accuracy and leakage are known.

    Attributes:
        method, ratio: as in ``cells``: ``name:parameters``, and the share hidden, NaN where there is none.
        accuracy: on owner-test, a share.
        leakage: to the strongest attack.
        on_frontier: no method, nor raw or fully masked images, has more accuracy at no more leakage, or less leakage
            at no less accuracy.
        beaten_by: places, among the methods of the run, of those that have more accuracy and less leakage, both beyond
            the 95 % interval of the difference on the same images.
    """

    row: int
    method: str
    ratio: float
    role: str
    accuracy: float
    leakage: float
    on_frontier: bool
    beaten_by: tuple[int, ...]


def leakage_of(run: RunFolder) -> Leakage:
    """What leakage is in a run: the advantage on the sensitive label, else the SSIM in the hole.

    It is the latter where the data have no sensitive label, and where no attack inferred it from what it saw.
    """
    cells = run.cells
    inferred = cells[(cells["attack_kind"] == "inference") & (cells["label"] == "sensitive")]
    saw = inferred[(inferred["status"] == "ok") & (inferred["learns_from"] != "masks")]
    restored = (cells["attack_kind"] == "restoration").any()
    return "inference" if run.inferred == "sensitive" and (len(saw) or not restored) else "restoration"


def frontier(run: RunFolder, leakage: Leakage | None = None) -> list[Placed]:
    """The methods and controls of which both are known, in the order of the suite.

    Args:
        leakage: to which kind of attack; None: as ``leakage_of`` says.
    """
    return placed(paired_methods(run), leakage or leakage_of(run))


def placed(methods: PairedMethods, kind: Leakage) -> list[Placed]:
    """``frontier`` of methods that are resampled already."""
    accuracy, leakage = methods.accuracy, methods.leakage(kind)
    rows = methods.rows.to_dict("records")
    known = methods.compared(kind)
    kept, leaked = accuracy.values, leakage.values
    found = []
    for own in known:
        others = [other for other in known if other != own]
        above = [
            other
            for other in others
            if kept[other] >= kept[own]
            and leaked[other] <= leaked[own]
            and (kept[other] > kept[own] or leaked[other] < leaked[own])
        ]
        beaten_by = [
            other
            for other in above
            if accuracy.difference(other, own).low > 0 and leakage.difference(other, own).high < 0
        ]
        row = rows[own]
        found.append(
            Placed(
                own,
                row["method"],
                row["ratio"],
                row["role"],
                float(kept[own]),
                float(leaked[own]),
                not above,
                tuple(beaten_by),
            )
        )
    return found
