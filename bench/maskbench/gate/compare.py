"""Compare a run with a baseline: the whole of it, from two folders to one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from maskbench.errors import UsageError
from maskbench.gate import accepted as accept_file
from maskbench.gate.causes import Causes, changed_code
from maskbench.gate.comparable import obstacles
from maskbench.gate.matching import Match, matched
from maskbench.gate.outcomes import outcomes
from maskbench.gate.requirements import Checked, Requirement, check
from maskbench.gate.rows import rows
from maskbench.gate.slower import LIMIT, Slower, slower
from maskbench.gate.tolerances import Tolerances, scale
from maskbench.gate.uncompared import Uncompared, uncompared
from maskbench.gate.verdicts import Judged, judged
from maskbench.plugins.reserved import STRONGEST
from maskbench.runfolder.folder import OtherSchema, RunFolder


class HasResults(Protocol):
    """A run as Python holds it."""

    @property
    def results(self) -> RunFolder:
        """Everything that it found."""


Source = str | Path | RunFolder | HasResults


@dataclass(frozen=True)
class ComparedRuns:
    """What a comparison found.

    Attributes:
        judged: every metric of every cell that both runs have, with its verdict.
        unmatched: the cells that could not be compared: missing, failed, not run by choice, or new.
        obstacles: why the runs cannot be compared at all; then nothing was.
        requirements: absolute limits, and whether they are met.
        slower: stages that take longer than they did on the same device.
        accepted: place in ``judged`` → why that regression was accepted.
        uncompared: what the current run measured and the comparison passes over, with the reason.
        notes: what else to know, such as what the attack has to do with a drop.
        code: modules that changed.
        baseline, current: what ``run.json`` says of the two runs.
        strict: inconclusive cells count as missing.
        timed: slower stages count as a regression.
    """

    judged: tuple[Judged, ...] = ()
    unmatched: tuple[Match, ...] = ()
    obstacles: tuple[str, ...] = ()
    requirements: tuple[Checked, ...] = ()
    slower: tuple[Slower, ...] = ()
    accepted: Mapping[int, str] = field(default_factory=dict)
    uncompared: tuple[Uncompared, ...] = ()
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    baseline: Mapping[str, Any] = field(default_factory=dict)
    current: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    timed: bool = False

    @property
    def regressed(self) -> list[Judged]:
        """The regressions that were not accepted, those of leading metrics first."""
        worse = [place for place, each in enumerate(self.judged) if each.verdict == "regressed"]
        found = [self.judged[place] for place in worse if place not in self.accepted]
        return sorted(found, key=lambda each: not each.row.leading)

    @property
    def incomplete(self) -> list[Match]:
        """Cells that failed or are missing, though the run meant to have them."""
        return [match for match in self.unmatched if match.state in ("missing", "failed")]

    @property
    def inconclusive(self) -> list[Judged]:
        """Rows of leading metrics of which the runs cannot tell."""
        return [each for each in self.judged if each.verdict == "inconclusive" and each.row.leading]

    @property
    def nothing(self) -> bool:
        """Whether nothing was measured; that runs have the controls in common says nothing of their methods."""
        methods = [match.state for match in self.unmatched if match.role == "method"]
        apart = bool(methods) and all(state in ("not run", "new") for state in methods)
        compared = [each for each in self.judged if not apart or each.row.role == "method"]
        return not compared and not self.requirements

    @property
    def causes(self) -> dict[str, list[str]]:
        """Every reason against a clean answer, by its kind; the exit code follows from the kinds."""
        found = {
            "not comparable": list(self.obstacles),
            "nothing to compare": ["The runs have no method in common."] if self.nothing and not self.obstacles else [],
            "regressed": [row_name(each) for each in self.regressed],
            "requirement not met": [
                f"{each.requirement} by {each.method}" for each in self.requirements if not each.met
            ],
            "slower": [each.stage for each in self.slower] if self.timed else [],
            "failed": [match_name(match) for match in self.incomplete if match.state == "failed"],
            "missing": [match_name(match) for match in self.incomplete if match.state == "missing"],
            "inconclusive": [row_name(each) for each in self.inconclusive] if self.strict else [],
        }
        return {kind: reasons for kind, reasons in found.items() if reasons}

    @property
    def exit_code(self) -> int:
        """0: no regression; 3: not comparable or nothing to compare; 1: regressed; 4: failed or missing cells."""
        for code, kinds in _CODES.items():
            if self.causes.keys() & kinds:
                return code
        return 0

    @property
    def counts(self) -> dict[str, int]:
        """Verdict → how many rows have it; of cells that could not be compared, too."""
        found = Counter(each.verdict for each in self.judged) + Counter(match.state for match in self.unmatched)
        return {str(name): count for name, count in found.items()}

    @property
    def rows(self) -> pd.DataFrame:
        """One row a metric of a cell, values as they are held: shares in [0, 1]."""
        return pd.DataFrame([_as_record(each) for each in self.judged])

    def __repr__(self) -> str:
        return f"ComparedRuns(exit code {self.exit_code}: {self.counts})"


_CODES: Mapping[int, frozenset[str]] = {
    3: frozenset(("not comparable", "nothing to compare")),
    1: frozenset(("regressed", "requirement not met", "slower")),
    4: frozenset(("failed", "missing", "inconclusive")),
}
"""Exit code → the kinds of causes that give it; of several, the first."""


def compare(
    baseline: Source,
    current: Source,
    *,
    tolerances: Iterable[str] = (),
    require: Iterable[str] = (),
    strict: bool = False,
    timing: float | None = None,
) -> ComparedRuns:
    """Compare a run with a baseline, cell by cell: which got worse, by how much, and how sure that is.

    Args:
        baseline, current: run folders, or what ``maskbench.run`` and ``maskbench.load`` gave.
        tolerances: ``METRIC=VALUE`` or ``METRIC@METHOD=VALUE``: how much worse is no regression. Shares in points.
        require: ``METRIC>=NUMBER`` or ``METRIC<=NUMBER``, of the current run; shares in per cent.
        strict: whether rows that the runs cannot tell count as missing.
        timing: ratio of times above which slower stages count as a regression; None: they are a warning.

    Raises:
        UsageError: one is no run folder, or an argument does not fit.
    """
    allowed, wanted = Tolerances.parse(tolerances), [Requirement.parse(text) for text in require]
    if timing is not None and not timing > 1:
        raise UsageError(f"The ratio of times must be above 1; {timing:g} is not.")
    try:
        old, new = _read(baseline), _read(current)
    except OtherSchema as error:
        return ComparedRuns(obstacles=(f"schema: {error}",))
    checked = tuple(check(new.cells, wanted))
    about: dict[str, Any] = {
        "requirements": checked,
        "baseline": old.provenance,
        "current": new.provenance,
        "strict": strict,
        "timed": timing is not None,
    }
    against = tuple(obstacles(old.provenance, new.provenance))
    if against:
        return ComparedRuns(obstacles=against, **about)
    unknown = allowed.unused({name for run in (old, new) for name in _methods(run.cells)})
    if unknown:
        raise UsageError(f"A tolerance names the method '{unknown[0]}', and neither run has it.")
    matches = list(matched(old, new))
    causes = Causes.of(old.timings, new.timings)
    before, after = outcomes(old.cells, old.samples), outcomes(new.cells, new.samples)
    found = judged(rows(matches, before, after, allowed, causes, new.classes))
    entries = accept_file.read(Path(baseline)) if isinstance(baseline, str | Path) else []
    accepted, unused = accept_file.apply(found, entries)
    compared = {each.row.key for each in found}
    return ComparedRuns(
        judged=tuple(found),
        unmatched=tuple(_left(matches, compared)),
        slower=tuple(slower(old.timings, new.timings, timing or LIMIT)),
        accepted=accepted,
        uncompared=tuple(
            uncompared(
                new.cells,
                {(each.row.key, each.row.metric.name) for each in found},
                before,
                after,
                {match.key for match in matches if match.state == "compare"},
            )
        ),
        notes=(*_suspicions(found, old, new), *map(_unused, unused)),
        code=tuple(changed_code(old.provenance.get("code", {}), new.provenance.get("code", {}))),
        **about,
    )


def row_name(each: Judged) -> str:
    """``random:patch=2 75% × adaptive (sensitive), advantage``."""
    return f"{cell_name(each.row.key)}, {each.row.metric.name}"


def match_name(match: Match) -> str:
    """The cell, and the reason where there is one."""
    return cell_name(match.key) + (f": {match.reason}" if match.reason else "")


def cell_name(key: Any) -> str:
    """Method, ratio, attack, label."""
    ratio = "" if key.ratio is None else f" {key.ratio:.0%}"
    share = "" if key.aux_share == 1 else f" with {key.aux_share:.0%} of its pictures"
    attack = {"none": "recognition", "all": f"all {key.attack_kind} attacks", STRONGEST: f"strongest {key.attack_kind}"}
    label = f" ({key.label})" if key.label and key.attack_kind != "none" else ""
    return f"{key.method_label}{ratio} × {attack.get(key.attack, key.attack)}{label}{share}"


def _unused(entry: accept_file.Accepted) -> str:
    cell = f"{entry.method} × {entry.attack}, {entry.metric}"
    return f"{accept_file.FILE}: {cell} has not regressed, or by more than was accepted; look at the entry"


def _read(source: Source) -> RunFolder:
    if isinstance(source, str | Path):
        return RunFolder.read(Path(source), with_pictures=False)
    return source if isinstance(source, RunFolder) else source.results


def _methods(cells: pd.DataFrame) -> set[str]:
    pairs = cells[["method", "params"]].drop_duplicates().itertuples(index=False, name=None)
    return {name for method, params in pairs for name in (method, f"{method}:{params}" if params else method)}


def _left(matches: Iterable[Match], compared: set[Any]) -> Iterable[Match]:
    for match in matches:
        if match.state != "compare":
            yield match
        elif match.key not in compared:
            # Both ran, and there is nothing to hold side by side: that must not pass for a result.
            yield Match(match.key, match.baseline, match.current, "missing", "no images, or no metric, in common")


def _suspicions(found: Iterable[Judged], old: RunFolder, new: RunFolder) -> Iterable[str]:
    """Drops of leakage where the flags, or the attack on raw pictures, say that the attack is broken."""
    before = {
        (flag.name, flag.method, flag.ratio if flag.ratio == flag.ratio else None, flag.attack) for flag in old.flags
    }
    warned: dict[tuple[Any, ...], list[str]] = {}
    for flag in new.flags:
        ratio = flag.ratio if flag.ratio == flag.ratio else None
        if flag.level == "warning" and (flag.name, flag.method, ratio, flag.attack) not in before:
            warned.setdefault((flag.method, ratio, flag.attack), []).append(flag.title)
    every = list(found)
    weak_on_raw = {each.row.key.attack for each in every if each.row.role == "raw" and each.verdict == "regressed"}
    for each in every:
        key = each.row.key
        if each.verdict != "improved" or key.attack_kind == "none" or not each.row.leading:
            continue
        reasons = warned.get((key.method_label, key.ratio, key.attack), [])
        reasons = [*reasons, *(["it gets less from raw pictures too"] if key.attack in weak_on_raw else [])]
        if reasons:
            yield f"attack broken? {row_name(each)} dropped, and {'; '.join(reasons)}"


def _as_record(each: Judged) -> dict[str, Any]:
    row = each.row
    return {
        **row.key._asdict(),
        "role": row.role,
        "metric": row.metric.name,
        "leading": row.leading,
        "verdict": each.verdict,
        "baseline": row.found.baseline,
        "current": row.found.current,
        "change": each.change,
        "low": each.low,
        "high": each.high,
        "chance": each.chance,
        "tolerance": row.tolerance,
        "smallest_drop": each.smallest,
        "images": row.found.images,
        "baseline_seeds": len(row.found.baseline_seeds),
        "current_seeds": len(row.found.current_seeds),
        "changed": ", ".join(sorted(row.causes)),
        "note": each.note,
        "scale": scale(row.metric),
    }
