"""What the user names instead of what a suite says, or beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskbench.errors import UsageError
from maskbench.planning.suite import Suite, validate
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import catalogue

_ADD = "+"


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What is put in place of a suite's entries; None leaves the suite's.

    Attributes:
        methods, attacks: as a user types them. They replace the suite's, unless each is ``+NAME``: those are added to
            the suite's. A ``+`` alone makes one of the others such too.
        ratios: shares hidden, in [0, 1].
        seeds: how many.
        first_seed: from which they count up.
        recognizer: as a user types it.
        source: the data. Other data, or another target, bring their own labels.
        target, sensitive, labels, bins, size, limit: as of ``DataOptions``.
        released: where a release lies that was made elsewhere, its masks, and which picture is whose.
    """

    methods: Sequence[str] | None = None
    attacks: Sequence[str] | None = None
    ratios: Sequence[float] | None = None
    seeds: int | None = None
    first_seed: int | None = None
    recognizer: str | None = None
    source: str | Path | None = None
    target: str | None = None
    sensitive: str | None = None
    labels: str | Path | None = None
    bins: Sequence[str] | None = None
    size: int | None = None
    limit: int | None = None
    released: Mapping[str, str | None] | None = None

    def applied(self, suite: Suite) -> Suite:
        """The suite with what was named.

        Raises:
            UsageError: something does not fit, or is named with ``+`` beside others without.
        """
        content = suite.model_dump() | _given(
            methods=_beside("method", self.methods, suite.methods),
            attacks=_beside("attack", self.attacks, suite.attacks),
            ratios=self.ratios,
            seeds=self.seeds,
            first_seed=self.first_seed,
        )
        if self.source is not None:
            content["data"] = {}
        elif self.target is not None:
            content["data"] |= {"sensitive": None}
        content["data"] |= _given(
            source=None if self.source is None else str(self.source),
            target=self.target,
            sensitive=self.sensitive,
            labels=None if self.labels is None else str(self.labels),
            bins=self.bins,
            size=self.size,
            limit=self.limit,
            released=self.released,
        )
        content["settings"] |= _given(recognizer=self.recognizer)
        return validate(content, "Options")


def all_typed(kind: str, plugins: Iterable[str | Plugin | type[Plugin]] | None) -> tuple[str, ...] | None:
    """Plug-ins as a user types them; classes that no file holds become known by their names."""
    if isinstance(plugins, str):
        # Its letters would be taken one by one.
        raise UsageError(f"{kind}s={plugins!r} is one text: write a list, {kind}s=[{plugins!r}].")
    return None if plugins is None else tuple(_typed(kind, each) for each in plugins)


def _typed(kind: str, plugin: str | Plugin | type[Plugin]) -> str:
    """A plug-in as a user types it; a class that no file holds becomes known by its name."""
    if isinstance(plugin, str):
        return plugin
    plugin_class = plugin if isinstance(plugin, type) else type(plugin)
    catalogue().add(plugin_class)
    if isinstance(plugin, type):
        return plugin.name
    given = plugin.model_dump(exclude_defaults=True)
    return plugin.name + (":" + ",".join(f"{name}={value}" for name, value in given.items()) if given else "")


def _beside(kind: str, typed: Sequence[str] | None, suites: Sequence[str]) -> Sequence[str] | None:
    """What was typed, after the suite's where it is to be added to them."""
    if typed is None or not any(text.startswith(_ADD) for text in typed):
        return typed
    named = [text for text in typed if text != _ADD]
    plain = [text for text in named if not text.startswith(_ADD)]
    if plain and _ADD not in typed:
        added = next(text for text in named if text.startswith(_ADD))
        raise UsageError(
            f"The {kind} {plain[0]} would replace the suite's, and {added} is added to them: write + before each "
            f"{kind}, or before none."
        )
    names = [text.removeprefix(_ADD) for text in named]
    for name in names:
        if name in suites:
            raise UsageError(f"The suite has the {kind} {name} already: leave {_ADD}{name} out.")
    return (*suites, *names)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
