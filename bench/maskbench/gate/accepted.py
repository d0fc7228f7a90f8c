"""Regressions that were accepted: a small file in the folder of a baseline, gone with the next baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pydantic

from maskbench import plain_yaml
from maskbench.errors import UsageError
from maskbench.gate.tolerances import led_by, scale
from maskbench.gate.verdicts import Judged

FILE = "accepted.yaml"


class Accepted(pydantic.BaseModel):
    """One regression that is known and accepted.

    Attributes:
        method: as the report shows it, with its parameters; ``ratio`` where it has one.
        attack: as the report shows it; "none" for recognition.
        metric: which of the cell; one that leads its family stands for those that it leads, in the same unit.
        up_to: the loss that is accepted, in the report's unit; a larger one is a regression again.
        reason: why; it stands in every report.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    method: str
    ratio: float | None = None
    attack: str
    label: str = ""
    metric: str
    up_to: float = pydantic.Field(gt=0)
    reason: str = pydantic.Field(min_length=3)

    def covers(self, judged: Judged) -> bool:
        """Whether this is the regression of a row, and the row's loss is not above what was accepted."""
        row = judged.row
        mine = (row.key.method_label, row.key.ratio, row.key.attack, row.key.label)
        if mine != (self.method, self.ratio, self.attack, self.label):
            return False
        if self.metric not in (row.metric.name, *led_by(row.metric)):
            return False
        return judged.change * row.sign * scale(row.metric) <= self.up_to


def read(baseline: Path) -> list[Accepted]:
    """What was accepted beside a baseline; nothing where there is no such file.

    Raises:
        UsageError: the file is no list of such entries.
    """
    file = baseline / FILE
    if not file.is_file():
        return []
    try:
        content = plain_yaml.load(file.read_text(encoding="utf-8"))
        return [Accepted.model_validate(each) for each in content or []]
    except (plain_yaml.NotPlain, pydantic.ValidationError, TypeError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise UsageError(
            f"{file} is not a list of accepted regressions, each with method, attack, metric, up_to and reason: {text}"
        ) from None


def apply(found: Sequence[Judged], accepted: Iterable[Accepted]) -> tuple[dict[int, str], list[Accepted]]:
    """Place of a regressed row → the reason for which it was accepted; and the entries that accept nothing."""
    reasons: dict[int, str] = {}
    unused = []
    for entry in accepted:
        places = [place for place, each in enumerate(found) if each.verdict == "regressed" and entry.covers(each)]
        reasons |= dict.fromkeys(places, entry.reason)
        if not places:
            unused.append(entry)
    return reasons, unused


def example(judged: Judged) -> str:
    """The entry that would accept a regression, to be pasted."""
    row = judged.row
    loss = judged.change * row.sign * scale(row.metric)
    lines = [f"method: '{row.key.method_label}'"]
    lines += [] if row.key.ratio is None else [f"ratio: {row.key.ratio:g}"]
    lines += [f"attack: '{row.key.attack}'"]
    lines += [f"label: {row.key.label}"] if row.key.label else []
    lines += [f"metric: {row.metric.name}", f"up_to: {loss * 1.25:.3g}", "reason: why this is as it should be"]
    return "- " + "\n  ".join(lines)
