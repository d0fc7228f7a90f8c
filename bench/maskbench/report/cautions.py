"""How far the numbers of a run can be trusted, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from maskbench.plugins.reserved import OPTIMUM, RECOGNITION
from maskbench.report.attacked import attacks_to_add
from maskbench.report.hidden import method_names
from maskbench.report.paired import Leakage
from maskbench.report.phrases import count, listed
from maskbench.results.flags.kind import Flag
from maskbench.results.measure import planned_of
from maskbench.results.reading import HEADLINE_SPLIT, pooled
from maskbench.runfolder.folder import RunFolder

_SAID = 2  # warnings that the verdict itself names
_FEW_IMAGES = 200  # an accuracy of one half is then known to 7 points


def trust(run: RunFolder, kind: Leakage) -> str:
    """One sentence: what the numbers are made of, and what stands against them."""
    planned = planned_of(run.cells)
    attacks = planned[(planned["status"] == "ok") & ~planned["attack"].isin((RECOGNITION, OPTIMUM))]
    made = [
        count(_seeds(run), "seed"),
        count(_images(run, kind), "attacked image"),
        count(attacks["attack"].nunique(), "attack"),
    ]
    against = [] if _seeds(run) != 1 else ["one seed does not tell how far another would differ"]
    against += list(dict.fromkeys(flag.title for flag in run.flags if flag.level == "warning"))
    text = f"Measured with {listed(made)}"
    if not against:
        return f"{text}; no flag warns, and leakage to attacks that were not run may be higher."
    more = f"; and {len(against) - _SAID} more" if len(against) > _SAID else ""
    return f"{text}; read with care: {'; '.join(against[:_SAID])}{more}."


def cautions(run: RunFolder, kind: Leakage, not_attacked: Sequence[str]) -> tuple[str, ...]:
    """A sentence for each thing that limits what the numbers say, the gravest first."""
    named = method_names(run.cells)
    shown = [flag for flag in run.flags if flag.name != "coverage"]
    alike = (list(same) for _, same in groupby(shown, key=lambda flag: flag.name))
    return (*_limits(run, kind, not_attacked), *(_flag(flags, named) for flags in alike))


def _limits(run: RunFolder, kind: Leakage, not_attacked: Sequence[str]) -> Iterator[str]:
    if not_attacked:
        such = listed([f"-a {name}" for name in attacks_to_add(kind)])
        yield f"Not attacked by any {kind} that sees its pixels: {listed(not_attacked)}. Add one of {such}."
    planned = planned_of(run.cells)
    lost = [
        f"{int((planned['status'] == status).sum())} {status}"
        for status in ("failed", "unavailable")
        if (planned["status"] == status).any()
    ]
    if lost:
        ok = int((planned["status"] == "ok").sum())
        yield f"{ok} of {len(planned)} cells ran; {listed(lost)}: the strongest attack is that of those that ran."
    if _seeds(run) == 1:
        yield "One seed: intervals hold the chance of the images alone. Use --seeds 3."
    images = _images(run, kind)
    if 0 < images < _FEW_IMAGES:
        yield f"{count(images, 'image')} were attacked: differences of a few points cannot be seen. Use more (--limit)."
    if run.samples.empty:
        yield "The folder holds no samples: differences are judged as if methods had been run on different images."


def _flag(alike: Sequence[Flag], named: Callable[[str, float], str]) -> str:
    first = alike[0]
    where = listed(
        list(dict.fromkeys(named(flag.method, flag.ratio) if flag.method else flag.finding for flag in alike))
    )
    return f"{first.title[0].upper()}{first.title[1:]}: {where}. {first.action}"


def _seeds(run: RunFolder) -> int:
    seeds = run.cells["seeds"]
    return int(seeds.max()) if seeds.notna().any() else 0


def _images(run: RunFolder, kind: Leakage) -> int:
    """How many images the strongest attack was scored on, at most."""
    rows = pooled(run.cells)
    label = run.inferred if kind == "inference" else ""
    rows = rows[(rows["attack_kind"] == kind) & (rows["label"] == label) & (rows["split"] == HEADLINE_SPLIT[label])]
    return int(rows["n"].max()) if rows["n"].notna().any() else 0
