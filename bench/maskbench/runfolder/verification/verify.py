"""Whether a bundle is what it says: files, splits and numbers against each other, and the code beside today's."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from maskbench.errors import UsageError
from maskbench.runfolder import checksums
from maskbench.runfolder.folder import CELLS_CSV, NEEDED, RunFolder
from maskbench.runfolder.verification.code import differences
from maskbench.runfolder.verification.consistency import inconsistencies
from maskbench.runfolder.verification.recomputed import recompute

_RUN = "run.json"


@dataclass(frozen=True)
class Verification:
    """What came of checking a bundle.

    Attributes:
        folder: the bundle.
        problems: why it does not verify, one sentence each; none where it does.
        notes: what could not be checked, and what was made by other code than that of today.
        rows: rows of ``cells`` that were computed again from the samples.
        results: what the bundle holds; None where it cannot be read.
    """

    folder: Path
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    rows: int
    results: RunFolder | None

    @property
    def verified(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.problems


def verify(folder: str | Path) -> Verification:
    """Check a run folder that somebody else made, from the folder alone: neither store nor data are needed.

    Every number of ``cells``, the choice of the strongest attacks and the flags are computed again from ``samples``.
    Checksums, splits, stages and provenance are held against each other. A folder that somebody made up from
    consistent outcomes passes: only a run of the same command tells.

    Raises:
        UsageError: it is no run folder.
    """
    place = Path(folder)
    if not (place / _RUN).is_file():
        what = "no run folder" if place.is_dir() else "no folder"
        raise UsageError(f"{place} is {what}: there is no {_RUN} in it. Name one that `maskbench run` has written.")
    problems, notes = _files(place)
    try:
        results = RunFolder.read(place)
    except UsageError as error:
        return Verification(place, (*problems, str(error)), tuple(notes), 0, None)
    try:
        problems += inconsistencies(results)
        other_code = list(differences(results.provenance))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # Somebody else's files may be anything.
        reason = f"The files of the folder do not fit together: {type(error).__name__}: {error}"
        return Verification(place, (*problems, reason), tuple(notes), 0, None)
    again = recompute(results)
    problems += again.problems
    notes += other_code
    if again.problems and other_code:
        notes.append("Other code may be all that differs: the maskbench that made it can tell. See git in run.json.")
    if (place / CELLS_CSV).is_file() and not _same_as_csv(results, place / CELLS_CSV):
        problems.append(f"{CELLS_CSV} does not hold what cells.parquet holds.")
    return Verification(place, tuple(problems), tuple(notes), again.rows, results)


def _files(place: Path) -> tuple[list[str], list[str]]:
    """Problems with the files of a folder by their checksums, and what is not checked."""
    try:
        compared = checksums.compare(place)
    except ValueError as error:
        return [str(error)], []
    if compared is None:
        reason = f"There is no {checksums.CHECKSUMS} in it: an older maskbench wrote it, or somebody took it out."
        return [f"{reason} Run the suite again."], []
    problems = [f"{name} is not what the run wrote: its checksum differs." for name in compared.changed]
    known = {*compared.same, *compared.changed, *compared.absent}
    problems += [f"{checksums.CHECKSUMS} does not name {name}." for name in (_RUN, *NEEDED) if name not in known]
    notes = []
    left_out = [name for name in compared.absent if name not in NEEDED]
    if left_out:
        notes.append(f"Left out of the bundle, and not needed: {_shown(left_out)}.")
    return problems, notes


def _shown(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _same_as_csv(results: RunFolder, file: Path) -> bool:
    written = io.StringIO()
    results.cells.to_csv(written, index=False)
    # By lines: git may have changed their ends.
    return written.getvalue().splitlines() == file.read_text(encoding="utf-8").splitlines()
