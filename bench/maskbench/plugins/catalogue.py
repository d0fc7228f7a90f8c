"""The one catalogue of plug-ins: in maskbench's folders, behind entry points, and in files the user names.

Of every kind (:mod:`maskbench.plugins.kinds`) all three ways work alike, and the order of files decides nothing.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from maskbench.errors import UsageError, unknown
from maskbench.plugins.imports import FAILURES, complaint, watched
from maskbench.plugins.index import Entry, read_index
from maskbench.plugins.kinds import KINDS, Kind, kind_of
from maskbench.plugins.names import parse_nested

_OWN = "maskbench."

_EAGER = frozenset(kind.name for kind in KINDS.values() if not kind.indexed)


@dataclass
class Catalogue:
    """All plug-ins of a process. A folder is searched when a plug-in of its kind is first asked for.

    Attributes:
        found: (kind, name) → class, of the modules that were imported.
        broken: module → why it could not be read.
        added: (kind, name) → class, of those that lie in no place that is searched: a process beside this one does not
            find them by itself.
    """

    found: dict[tuple[str, str], type[Any]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    added: dict[tuple[str, str], type[Any]] = field(default_factory=dict)
    _indexed: dict[tuple[str, str], Entry] = field(default_factory=dict)
    _searched: set[str] = field(default_factory=set)

    def names(self, kind: str) -> list[str]:
        """The names of one kind, sorted.

        Raises:
            UsageError: there is not one, so maskbench is not installed whole; or two plug-ins have the same name.
        """
        self._search(KINDS[kind])
        names = sorted({name for found, name in (*self.found, *self._indexed) if found == kind})
        if not names:
            raise UsageError(
                f"No {kind} was found: not in {KINDS[kind].package}, not under the entry points '{KINDS[kind].group}' "
                f"of installed packages, and not in a --plugin file. Install maskbench again.{self._not_read()}"
            )
        return names

    def get(self, kind: str, name: str) -> type[Any]:
        """The class behind a name.

        Raises:
            UsageError: nothing answers to the name; the message holds the nearest one and any module that is broken.
        """
        names = self.names(kind)
        self._import_indexed(kind, name)
        if (kind, name) in self.found:
            return self.found[kind, name]
        if name in names:
            raise UsageError(f"The {kind} '{name}' cannot be used.{self._not_read()}")
        raise UsageError(f"{unknown(kind, name, names)}{self._not_read()}")

    def classes(self, kind: str) -> list[type[Any]]:
        """The classes of one kind, by name. What does not load is left out, and its reason is in ``broken``."""
        names = self.names(kind)
        for name in names:
            self._import_indexed(kind, name)
        return [self.found[kind, name] for name in names if (kind, name) in self.found]

    def module(self, kind: str, name: str) -> str:
        """The dotted name of the module that defines a plug-in. Raises as ``get``, and imports less."""
        self._search(KINDS[kind])
        entry = self._indexed.get((kind, name))
        return str(self.get(kind, name).__module__) if entry is None else entry.module

    def add(self, plugin: type[Any]) -> None:
        """Add one class, as a notebook defines it. Defined again, it takes its own place.

        Raises:
            UsageError: it extends no contract or has no name, or another plug-in has its name.
        """
        kind = kind_of(plugin)
        if kind is None or "name" not in vars(plugin):
            raise UsageError(
                f"{plugin.__qualname__} is no plug-in: extend Method, MaskMethod, RestorationAttack, InferenceAttack, "
                "Adjustment or another contract of maskbench, and give the class a name."
            )
        self._search(KINDS[kind])
        self._insert(kind, plugin)
        self.added[kind, plugin.name] = plugin

    def add_module(self, module: ModuleType) -> int:
        """Add the plug-ins that a module defines (not those it imports); return how many there are."""
        plugins = list(_plugins_of(module))
        for plugin in plugins:
            self.add(plugin)
        return len(plugins)

    def _search(self, kind: Kind) -> None:
        """Search all places where plug-ins of a kind may lie, each once."""
        self._once("entry points", self._search_installed)
        if kind.indexed:
            self._once(kind.package, partial(self._search_text, kind))
            return
        for other in KINDS.values():  # a file in methods/ may hold attacks or adjustments as well
            if not other.indexed:
                self._once(other.package, partial(self._search_modules, other.package))

    def _once(self, place: str, search: Callable[[], None]) -> None:
        if place in self._searched:
            return
        self._searched.add(place)
        try:
            search()
        except BaseException:
            self._searched.discard(place)
            raise

    def _search_installed(self) -> None:
        for name in _installed_modules():
            module = self._imported(name)
            for plugin in () if module is None else _plugins_of(module):
                self._insert(str(kind_of(plugin)), plugin)

    def _search_modules(self, package: str) -> None:
        for module in self._modules_below(package):
            self._insert_fitting(module, _EAGER)

    def _modules_below(self, package: str) -> Iterator[ModuleType]:
        module = self._imported(package)
        if module is None:
            return
        yield module
        for info in pkgutil.iter_modules(module.__path__, f"{package}."):
            if info.ispkg:
                yield from self._modules_below(info.name)
            elif (inner := self._imported(info.name)) is not None:
                yield inner

    def _search_text(self, kind: Kind) -> None:
        package = self._imported(kind.package)
        for folder in () if package is None else package.__path__:
            index = read_index(kind.package, Path(folder))
            self.broken |= index.broken
            for entry in index.entries:
                key = kind.name, entry.name
                other = self._indexed.setdefault(key, entry)
                if other is not entry:
                    raise _same_name(*key, str(other.file), str(entry.file))
                if key in self.found and self.found[key].__module__ != entry.module:
                    raise _same_name(*key, origin(self.found[key]), str(entry.file))

    def _import_indexed(self, kind: str, name: str) -> None:
        """Import the module of a plug-in that only its text is known of."""
        entry = self._indexed.get((kind, name))
        if entry is None or (kind, name) in self.found:
            return
        module = self._imported(entry.module)
        if module is None:
            return
        self._insert_fitting(module, {kind})
        if (kind, name) not in self.found:
            self.broken[entry.module] = f"the class named '{name}' does not extend {KINDS[kind].contract}"

    def _insert_fitting(self, module: ModuleType, kinds: Collection[str]) -> None:
        """Insert the plug-ins of a module in a folder that is for some kinds."""
        for plugin in _plugins_of(module):
            kind = str(kind_of(plugin))
            if kind in kinds:
                self._insert(kind, plugin)
            else:
                place = KINDS[kind].package
                self.broken[module.__name__] = f"the {kind} '{plugin.name}' must lie in {place} to be found"

    def _imported(self, name: str) -> ModuleType | None:
        ours = name.startswith(_OWN) or name in sys.modules
        changed: list[str] = []
        try:
            with nullcontext() if ours else watched(changed):
                module = importlib.import_module(name)
        except FAILURES as error:
            self.broken[name] = f"{type(error).__name__}: {error}"
            return None
        if changed:
            self.broken[name] = f"its import {complaint(changed)}"
            return None
        return module

    def _insert(self, kind: str, plugin: type[Any]) -> None:
        name = plugin.name
        if name in KINDS[kind].reserved:
            raise UsageError(f"{origin(plugin)}: '{name}' is a name that tables use. Rename the {kind}.")
        other = self.found.get((kind, name))
        if other is not None and _place(other) != _place(plugin):
            raise _same_name(kind, name, origin(other), origin(plugin))
        entry = self._indexed.get((kind, name))
        if entry is not None and entry.module != plugin.__module__:
            raise _same_name(kind, name, str(entry.file), origin(plugin))
        self.found[kind, name] = plugin

    def _not_read(self) -> str:
        reasons = "; ".join(f"{module}: {reason}" for module, reason in sorted(self.broken.items()))
        return f" Not read: {reasons}" if reasons else ""


def _plugins_of(module: ModuleType) -> Iterator[type[Any]]:
    """The classes that a module defines, extend a contract, and have a name of their own."""
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and value.__module__ == module.__name__
            and "name" in vars(value)
            and kind_of(value) is not None
        ):
            yield value


def _place(plugin: type) -> tuple[str, str]:
    return plugin.__module__, plugin.__qualname__


def _same_name(kind: str, name: str, *files: str) -> UsageError:
    one, two = sorted(files)
    return UsageError(f"Two plug-ins call themselves the {kind} '{name}': {one} and {two}. Rename one.")


def origin(plugin: type) -> str:
    """Where a plug-in comes from: its file."""
    return str(getattr(sys.modules.get(plugin.__module__), "__file__", plugin.__module__))


@cache
def _installed_modules() -> tuple[str, ...]:
    """The modules that installed packages name under any group, each once: a module may hold several kinds."""
    return tuple(sorted({entry.module for kind in KINDS.values() for entry in entry_points(group=kind.group)}))


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue of this process."""
    return Catalogue()


def create(kind: str, name: str, parameters: dict[str, Any]) -> Any:
    """Build a plug-in by kind, name and parameters."""
    return catalogue().get(kind, name).create(parameters)


def create_nested(kind: str, text: str) -> Any:
    """Build a plug-in that is the value of a parameter: ``masknet(gates=input)``."""
    name, parameters = parse_nested(text)
    return create(kind, name, parameters)
