"""The flags a result can carry: what each says, how much it matters, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """A kind of flag.

    Attributes:
        mark: the letter that stands for it in the headline table.
        level: a warning says that a number should not be trusted as it is; a note, how it is to be read.
        action: what to do.
    """

    name: str
    mark: str
    level: Literal["warning", "note"]
    title: str
    action: str


@dataclass(frozen=True)
class Flag:
    """A flag on a result. ``method`` is empty where it is on the whole run, ``attack`` where it is on no attack.

    Attributes:
        label: what is inferred, where something is.
        finding: what was seen, in numbers.
    """

    kind: Kind
    method: str
    ratio: float
    attack: str
    label: str
    finding: str


FAILED = Kind(
    "failed",
    "F",
    "warning",
    "a cell failed",
    "Mend it (failures.log has the traceback) and run again: what is done is found in the store. Until then the worst "
    "case of the method is not known.",
)
FAILS_ON_RAW = Kind(
    "fails-on-raw",
    "R",
    "warning",
    "an attack does not work on raw images",
    "Little leakage to it says nothing about any method. Train it longer, give it more pictures, or leave it out.",
)
LEARNED_BELOW_CLASSICAL = Kind(
    "learned-below-classical",
    "L",
    "warning",
    "a learned restorer stays below one that learned nothing",
    "It is not trained enough: raise settings.restoration.epochs or the attacker's data before it stands for what can "
    "be restored.",
)
ADAPTIVE_BELOW_NAIVE = Kind(
    "adaptive-below-naive",
    "A",
    "warning",
    "an attacker that adapts to the method stays below one that does not",
    "It is not trained enough: raise settings.attack.epochs or the attacker's data, and read its leakage as too low.",
)
WORST_MISSED = Kind(
    "worst-missed",
    "W",
    "warning",
    "an attack that was not chosen gets more than the worst case",
    "Attacker-validation was too small to choose by, or is unlike the owner's pictures: give the attacker more data "
    "(--limit), and read the worst case as too low.",
)
SHAPE_LEAKS = Kind(
    "shape-leaks",
    "S",
    "warning",
    "the shape of the masks alone leaks the sensitive label",
    "Hiding more pixels or filling holes in another way does not help: choose masks that depend less on the image.",
)
MORE_DATA = Kind(
    "more-data",
    "D",
    "warning",
    "leakage still rises with more of the attacker's data",
    "Read it as a lower bound, and run with more data (--limit) until the curve of aux_shares is flat.",
)
SHAPE_RECOGNIZES = Kind(
    "shape-recognizes",
    "T",
    "note",
    "the shape of the masks alone tells the target label",
    "Compare the accuracy with the one from the shape alone: only what is above it comes from visible pixels.",
)
NOT_ABOVE_NULL = Kind(
    "not-above-null",
    "N",
    "note",
    "the worst advantage cannot be told from that on fully masked images",
    "This is no proof that nothing leaks: use more images (settings.scored), more seeds and more attacks before "
    "reading it as small.",
)
COVERAGE = Kind(
    "coverage",
    "C",
    "note",
    "not every cell ran",
    "The worst case is over the attacks that ran: see the reasons in cells.csv, and compare only methods that faced "
    "the same attacks.",
)

KINDS = (
    FAILED,
    FAILS_ON_RAW,
    LEARNED_BELOW_CLASSICAL,
    ADAPTIVE_BELOW_NAIVE,
    WORST_MISSED,
    SHAPE_LEAKS,
    MORE_DATA,
    SHAPE_RECOGNIZES,
    NOT_ABOVE_NULL,
    COVERAGE,
)
"""All kinds, in the order they are shown: warnings first."""
