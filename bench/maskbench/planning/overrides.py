"""What the user names instead of what a suite says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskbench.errors import UsageError
from maskbench.planning.suite import Suite, validate
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import catalogue


def changed(
    suite: Suite, overrides: Mapping[str, Any], data: Mapping[str, Any], recognizer: str | None = None
) -> Suite:
    """A suite with what the user named instead; None leaves the suite's.

    Other data or another target bring their own labels, not the suite's.
    """
    content = suite.model_dump() | {name: value for name, value in overrides.items() if value is not None}
    if data.get("source") is not None:
        content["data"] = {}
    elif data.get("target") is not None:
        content["data"] |= {"sensitive": None}
    content["data"] |= {name: _plain(value) for name, value in data.items() if value is not None}
    if recognizer is not None:
        content["settings"]["recognizer"] = recognizer
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


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
