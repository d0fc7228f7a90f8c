"""What every plug-in must keep, and what the checks of all kinds build on."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch

from maskbench.artifacts.fingerprint import digest
from maskbench.conformance.check import Broken, NotChecked, define, provided, raise_all
from maskbench.conformance.snapshot import changes, snapshot
from maskbench.plugins.base import Plugin

SEED = 20  # of every release and every training here; any number would do
NO_CUDA = "no CUDA device"

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Subject:
    """A plug-in under examination.

    Args:
        plugin: its class.
        parameters: those that differ from their defaults.
    """

    def __init__(self, plugin: type[Plugin], parameters: Mapping[str, Any] | None = None) -> None:
        self.plugin = plugin
        self.parameters = dict(parameters or {})
        self.before = snapshot(plugin)

    def build(self, **changed: Any) -> Any:
        """A fresh instance."""
        return self.plugin.create({**self.parameters, **changed})

    def fresh(self) -> Any:
        """The same, for a check that takes it for granted that there is one."""
        return provided(self.build, "parameters")

    @cached_property
    def built(self) -> Any:
        """An instance to ask about its declarations."""
        return self.fresh()

    def nothing_left_behind(self) -> None:
        """Raise where the globals or class attributes of the plug-in are not what they were."""
        changed = changes(self.before, snapshot(self.plugin))
        if changed:
            raise Broken(f"it left something behind in {', '.join(changed)}")


@define("name", "give the class `name: ClassVar[str]` in lower case, words joined by hyphens, as in 'random-patches'.")
def _name(subject: Subject) -> None:
    name = getattr(subject.plugin, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Broken(f"its name is {name!r}")


@define(
    "documented",
    "say in the first line of the class's docstring what it does (`maskbench list` shows it), and in "
    "`source: ClassVar[str]` which paper it follows, or 'maskbench'.",
)
def _documented(subject: Subject) -> None:
    # getdoc would inherit the docstring of the contract.
    if not (vars(subject.plugin).get("__doc__") or "").strip():
        raise Broken("it has no docstring")
    source = getattr(subject.plugin, "source", None)
    if not isinstance(source, str) or not source.strip():
        raise Broken(f"its source is {source!r}")


HOOKS = "hooks"


@define(HOOKS, "spell what you implement as the docstring of the contract does, and implement what it asks for.")
def _hooks(subject: Subject) -> None:
    plugin = subject.plugin
    found = [f"it has '{name}', which nothing calls: did you mean '{hook}'?" for name, hook in misspelt_hooks(plugin)]
    missing = sorted(plugin.__abstractmethods__)
    if missing:
        found.insert(0, f"it does not implement {', '.join(missing)}")
    raise_all(found)


def misspelt_hooks(plugin: type[Plugin]) -> list[tuple[str, str]]:
    """Methods of a class's own whose name is almost that of a hook which the class does not implement, and the hook."""
    contracts = [base for base in plugin.__mro__[1:] if issubclass(base, Plugin)]
    hooks = {name for base in contracts for name, value in vars(base).items() if _is_hook(name, value)}
    open_ = hooks - set(vars(plugin))
    own = [name for name, value in vars(plugin).items() if _is_hook(name, value) and name not in hooks]
    near = [(name, difflib.get_close_matches(name, open_, n=1, cutoff=_ALIKE)) for name in own]
    return [(name, hook[0]) for name, hook in near if hook]


_ALIKE = 0.85  # "score" and "scores" are, "restore" and "restorer" too


def _is_hook(name: str, value: Any) -> bool:
    return inspect.isfunction(value) and not name.startswith("_") and not getattr(value, "__final__", False)


@define(
    "parameters",
    "give every parameter a default that its own validation accepts, of a plain type: int, float, str or bool; "
    "unavailable() returns None, or why it cannot run here.",
)
def _parameters(subject: Subject) -> None:
    if subject.plugin.__abstractmethods__:
        raise NotChecked(f"mend '{HOOKS}' first")
    plugin = subject.build()
    try:
        digest(plugin.model_dump())
    except (TypeError, ValueError) as error:
        raise Broken(f"its parameters cannot be part of a cache key: {error}") from error
    reason = plugin.unavailable()
    if not (reason is None or isinstance(reason, str)):
        raise Broken(f"unavailable() returned {reason!r}")


COMMON = (_name, _documented, _hooks, _parameters)


def cuda() -> torch.device:
    """The CUDA device, where there is one."""
    if not torch.cuda.is_available():
        raise NotChecked(NO_CUDA)
    return torch.device("cuda")
