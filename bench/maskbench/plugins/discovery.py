"""Finding plug-ins: in ``methods/`` and ``attacks/``, behind entry points, and in files the user names."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from maskbench.errors import UsageError, unknown
from maskbench.plugins.base import Plugin
from maskbench.plugins.names import parse_nested
from maskbench.plugins.reserved import RESERVED

FOLDERS = ("maskbench.methods", "maskbench.attacks")
KINDS = {"method": "Method", "attack": "Attack", "adjustment": "Adjustment"}


@dataclass
class Catalogue:
    """All plug-ins that were found: (kind, name) → class; and modules that could not be read, with the reason."""

    found: dict[tuple[str, str], type[Plugin]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def add_module(self, module: ModuleType) -> int:
        """Add the plug-ins that a module defines (not those it imports); return how many there are."""
        count = 0
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Plugin) and value.__module__ == module.__name__:
                kind = kind_of(value)
                if kind is not None and "name" in vars(value):
                    self._add(kind, value)
                    count += 1
        return count

    def _add(self, kind: str, plugin: type[Plugin]) -> None:
        if kind == "attack" and plugin.name in RESERVED:
            raise UsageError(f"{origin(plugin)}: '{plugin.name}' is a name that tables use. Rename the attack.")
        other = self.found.setdefault((kind, plugin.name), plugin)
        if other is not plugin:
            raise UsageError(
                f"Two plug-ins call themselves the {kind} '{plugin.name}': {origin(other)} and {origin(plugin)}. "
                "Rename one."
            )

    def names(self, kind: str) -> list[str]:
        """The names of one kind, sorted."""
        return sorted(name for found_kind, name in self.found if found_kind == kind)

    def get(self, kind: str, name: str) -> type[Plugin]:
        """The class behind a name.

        Raises:
            UsageError: nothing answers to the name; the message holds the nearest one and any module that is broken.
        """
        plugin = self.found.get((kind, name))
        if plugin is None:
            error = unknown(kind, name, self.names(kind))
            if self.broken:
                reasons = "; ".join(f"{module}: {reason}" for module, reason in self.broken.items())
                error = UsageError(f"{error} Not read: {reasons}")
            raise error
        return plugin


def kind_of(plugin: type[Plugin]) -> str | None:
    """Which kind a plug-in class is, by the contract it extends."""
    bases = {base.__name__ for base in plugin.__mro__ if base.__module__.startswith("maskbench.plugins.")}
    if bases & {"RestorationAttack", "InferenceAttack"}:
        return "attack"
    return next((kind for kind, contract in KINDS.items() if contract in bases), None)


def origin(plugin: type[Plugin]) -> str:
    """Where a plug-in comes from: its file."""
    return str(getattr(sys.modules.get(plugin.__module__), "__file__", plugin.__module__))


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The plug-ins of this process. Read once; ``add_file`` adds to it."""
    found = Catalogue()
    installed = [entry for group in FOLDERS for entry in entry_points(group=group)]
    for name in (*_built_in_modules(), *(entry.module for entry in installed)):
        _add(found, name)
    return found


def _add(found: Catalogue, name: str) -> None:
    try:
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever one module raises, the others must stay usable; it is named
        found.broken[name] = f"{type(error).__name__}: {error}"
        return
    found.add_module(module)


def _built_in_modules() -> Iterator[str]:
    for folder in FOLDERS:
        package = importlib.import_module(folder)
        for info in pkgutil.walk_packages(package.__path__, prefix=f"{folder}."):
            yield info.name


def add_file(path: Path) -> None:
    """Load one file of plug-ins (``--plugin FILE.py``).

    Raises:
        UsageError: the file is missing, does not load, or defines no plug-in.
    """
    if not path.is_file():
        raise UsageError(f"--plugin {path}: there is no such file.")
    name = f"maskbench_plugin_{path.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None:
        if Path(str(loaded.__file__)).resolve() == path.resolve():
            return
        raise UsageError(f"--plugin {path}: {loaded.__file__} has the same name. Rename one of the files.")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"--plugin {path}: not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"--plugin {path} does not load: {type(error).__name__}: {error}") from error
    if catalogue().add_module(module) == 0:
        raise UsageError(
            f"--plugin {path} defines no plug-in: extend Method, MaskMethod, RestorationAttack, InferenceAttack or "
            "Adjustment of maskbench and give the class a name."
        )


def create(kind: str, name: str, parameters: dict[str, Any]) -> Any:
    """Build a plug-in by kind, name and parameters."""
    return catalogue().get(kind, name).create(parameters)


def create_nested(kind: str, text: str) -> Any:
    """Build a plug-in that is the value of a parameter: ``masknet(gates=input)``."""
    name, parameters = parse_nested(text)
    return create(kind, name, parameters)
