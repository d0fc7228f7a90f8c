"""Auditing: what a release leaks that another tool made, from Python and for the command."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from maskbench.artifacts.store import Store
from maskbench.artifacts.store_folder import store_folder
from maskbench.data.load import checked, resolve
from maskbench.data.pair_check import Checked
from maskbench.executors.choose import choose_executor
from maskbench.executors.executor import Silent
from maskbench.executors.hardware import choose_device
from maskbench.executors.progress import RunProgress
from maskbench.gate.requirements import Checked as Judged
from maskbench.gate.requirements import Requirement, check
from maskbench.planning.overrides import Overrides, all_typed
from maskbench.planning.suite import Suite, load
from maskbench.plugins.base import Plugin
from maskbench.plugins.files import add_file
from maskbench.plugins.reserved import AUDITED
from maskbench.running import refuse_places, run_suite
from maskbench.runs import Run

SUITE = "audit"


@dataclass(frozen=True)
class Audit:
    """What is to be audited.

    Attributes:
        suite: what to run, on which pairs.
        checked: what was found when every pair was looked at.
        wanted: the limits that the release must keep.
    """

    suite: Suite
    checked: Checked
    wanted: tuple[Requirement, ...]

    def judge(self, run: Run) -> list[Judged]:
        """Whether the release keeps each limit."""
        return check(run.cells, self.wanted)


def audit(
    raw: str | Path,
    released: str | Path,
    *,
    masks: str | Path | None = None,
    labels: str | Path | None = None,
    pairs: str | Path | None = None,
    target: str | None = None,
    sensitive: str | None = None,
    bins: Iterable[str] = (),
    methods: Iterable[str | Plugin | type[Plugin]] | None = None,
    attacks: Iterable[str | Plugin | type[Plugin]] | None = None,
    suite: str | Path = SUITE,
    seeds: int | None = None,
    size: int | None = None,
    limit: int | None = None,
    recognizer: str | None = None,
    device: str = "auto",
    plugins: Iterable[str | Path] = (),
    out: str | Path | None = None,
    store: str | Path | None = None,
    pictures: bool = True,
    progress: bool = True,
    jobs: int | None = None,
) -> Run:
    """Measure what a release leaks that any tool made: pairs of pictures are all that is known of it.

    Args:
        raw: folder of raw pictures. Labels are its class folders, its ``metadata.csv``, or ``labels``.
        released: folder of released pictures, of the same names or as ``pairs`` says.
        masks: folder of masks that were handed out: white is kept, black is hidden.
        labels: CSV file: the raw picture's name, then any columns.
        pairs: CSV file with the columns ``raw`` and ``released``, and ``mask`` where there are masks.
        target, sensitive: label columns that the recognizer learns, and that the attacker infers.
        bins: classes made of numbers, such as ``age=18,40,65``.
        methods: methods of maskbench to be measured beside the release, on the same pictures.
        attacks, suite, seeds, size, limit, recognizer, device, plugins, out, store, pictures, progress, jobs: as of
            :func:`maskbench.run`.

    Raises:
        UsageError: too few pictures are paired, sizes differ, labels are missing, or another thing does not fit.
    """
    for file in plugins:
        add_file(Path(file))
    found = prepare(
        raw,
        released,
        masks=masks,
        pairs=pairs,
        overrides=Overrides(
            methods=all_typed("method", methods),
            attacks=all_typed("attack", attacks),
            seeds=seeds,
            recognizer=recognizer,
            labels=labels,
            target=target,
            sensitive=sensitive,
            bins=tuple(bins),
            size=size,
            limit=limit,
        ),
        suite=suite,
        out=None if out is None else Path(out),
        store=store,
    )
    executor = choose_executor(Store(store_folder(store)), choose_device(device), jobs)
    with RunProgress(Console()) if progress else nullcontext(Silent()) as observer:
        place = None if out is None else Path(out)
        run = run_suite(found.suite, executor, observer, out=place, command="maskbench.audit(…)", pictures=pictures)
    write_left_out(found.checked, run.path)
    return run


def prepare(
    raw: str | Path,
    released: str | Path,
    *,
    masks: str | Path | None,
    pairs: str | Path | None,
    overrides: Overrides,
    suite: str | Path = SUITE,
    require: Iterable[str] = (),
    out: Path | None = None,
    store: str | Path | None = None,
) -> Audit:
    """Find the pairs and look at each, before anything is computed or written.

    Args:
        overrides: all but the source and what was released.

    Raises:
        UsageError: something is missing or does not fit; the message says what to do.
    """
    places = {"folder": released, "masks": masks, "pairs": pairs}
    given = {
        name: None if place is None else str(Path(place).expanduser().absolute()) for name, place in places.items()
    }
    source = str(raw) if Path(raw).is_absolute() else f"./{raw}"
    chosen = replace(overrides, source=source, released=given).applied(load(str(suite)))
    refuse_places(chosen, out, store)
    wanted = tuple(_of_release(Requirement.parse(text)) for text in require)
    found = checked(chosen.data)
    options = resolve(chosen.data.model_copy(update={"released": found.options}))
    return Audit(chosen.model_copy(update={"data": options}), found, wanted)


def left_out(found: Checked) -> list[tuple[str, str]]:
    """The name of every picture that was left out, and why."""
    reasons = {
        "it has no released picture": found.raw_alone,
        "it has no raw picture": found.released_alone,
        "it has no mask": found.without_mask,
        "it has no label": found.unlabelled,
    }
    return sorted([*((name, why) for why, names in reasons.items() for name in names), *found.unreadable.items()])


def write_left_out(found: Checked, run: Path) -> Path | None:
    """List what was left out in a file beside the run folder, readable by its owner alone; None where nothing was.

    The folder itself names no file: it may be handed on.
    """
    listed = left_out(found)
    if not listed:
        return None
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([("picture", "why"), *listed])
    place = run.with_name(f"{run.name}.left-out.csv")
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
    return place


def _of_release(requirement: Requirement) -> Requirement:
    """A limit that names no method is one on the release, not on what is measured beside it."""
    return requirement if requirement.method else replace(requirement, method=AUDITED)
