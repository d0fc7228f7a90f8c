"""Names of methods as figures write them: without what all that have it share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ShortNames:
    """The names of some methods, made short.

    Attributes:
        of: ``name:parameters`` → the name without what all share.
        shared: the parameters that were left out, as ``name=value``.
    """

    of: Mapping[str, str]
    shared: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a caption has to say of them."""
        return f"all with {', '.join(self.shared)}" if self.shared else ""


def short_names(methods: Sequence[str]) -> ShortNames:
    """Leave out each parameter that two methods or more have, all of those with the same value.

    It stays where two methods would have one name without it.
    """
    parts = {method: method.split(":", 1) for method in methods}
    given = {method: part[1].split(",") if len(part) > 1 else [] for method, part in parts.items()}
    values: dict[str, list[str]] = {}
    for parameters in given.values():
        for parameter in parameters:
            values.setdefault(parameter.split("=", 1)[0], []).append(parameter)
    shared: list[str] = []
    short = {method: method for method in methods}
    for found in values.values():
        if len(found) > 1 and len(set(found)) == 1:
            tried = [*shared, found[0]]
            names = {method: _without(parts[method][0], given[method], tried) for method in methods}
            if len(set(names.values())) == len(names):
                shared, short = tried, names
    return ShortNames(short, tuple(shared))


def _without(name: str, parameters: Sequence[str], left_out: Sequence[str]) -> str:
    kept = ",".join(parameter for parameter in parameters if parameter not in left_out)
    return f"{name}:{kept}" if kept else name
