"""How much each method hides, as tables and figures say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from maskbench.plugins.names import parts
from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import methods, pooled, read
from maskbench.runfolder.folder import RunFolder


def hidden_shares(cells: pd.DataFrame) -> Callable[[str, float], str]:
    """What to call the share that a method hides: (``name:parameters``, ratio) → ``75%``.

    It is the measured share, in the mean over the released test images. The ratio that was asked for stands in where
    nothing was measured: recognition failed, or the run is older than that metric.
    """
    measured = {}
    for method, ratio, mine in methods(pooled(cells)):
        found = read(mine[mine["attack_kind"] == "none"], "hidden")
        if found is not None:
            measured[_key(method, ratio)] = found.value

    def written(method: str, ratio: float) -> str:
        share = measured.get(_key(method, ratio), ratio)
        return NOT_MEASURED if pd.isna(share) else f"{share:.0%}"

    return written


def by_method(cells: pd.DataFrame, rows: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Some rows of ``cells`` method by method, each with the columns in which a table names the method."""
    hidden = hidden_shares(cells)
    for method, ratio, mine in methods(rows):
        yield {"method": method, "hidden": hidden(method, ratio)}, mine


def method_names(cells: pd.DataFrame) -> Callable[[str, float], str]:
    """What to call a method in a sentence: (``name:parameters``, ratio) → ``random 75%``."""
    hidden = hidden_shares(cells)
    return lambda method, ratio: _named(method, hidden(method, ratio))


def names_of_examples(run: RunFolder) -> Callable[[str], str]:
    """What to call the method of an example: ``random:ratio=0.75`` → ``random 75%``, as ``method_names`` writes it.

    The label of an example has the ratio in it, unless it is the default, and lacks the adjustment.
    """
    hidden = hidden_shares(run.cells)
    asked = {_release(label) for label in run.provenance.get("methods", ())}
    names: dict[tuple[str, float | None], str] = {}
    for method, ratio, _ in methods(run.cells):
        release, _ = _release(method)
        key = (release, ratio) if (release, ratio) in asked else (release, None)
        names.setdefault(key, _named(release, hidden(method, ratio)))
    return lambda label: names.get(_release(label), label)


def _named(method: str, share: str) -> str:
    return method if share == NOT_MEASURED else f"{method} {share}"


def _release(label: str) -> tuple[str, float | None]:
    """A label without its adjustment, which changes no picture, and without its ratio; and the ratio, if it has one."""
    name, _, rest = label.partition(":")
    given = {part.partition("=")[0]: part for part in parts(rest, ",")}
    ratio = given.pop("ratio", None)
    given.pop("adjust", None)
    release = f"{name}:{','.join(given.values())}" if given else name
    return release, None if ratio is None else float(ratio.partition("=")[2])


def _key(method: str, ratio: float) -> tuple[str, float | None]:
    return method, None if pd.isna(ratio) else ratio  # NaN equals nothing
