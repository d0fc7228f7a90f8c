"""Plug-ins that the user names, in files (``--plugin FILE.py``) or as classes, which no search would find."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.imports import FAILURES, complaint, watched
from maskbench.plugins.kinds import kind_of

_FILE = "maskbench_plugin_"  # what the names of modules start with that were loaded from a file


def add_file(path: Path) -> None:
    """Load one file of plug-ins (``--plugin FILE.py``).

    Raises:
        UsageError: the file is missing, does not load, defines no plug-in, or one whose name is taken.
    """
    if not path.is_file():
        raise UsageError(f"--plugin {path}: there is no such file.")
    module = _loaded(path)
    nameless = _nameless(module)
    if nameless:
        example = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", nameless).lower()
        raise UsageError(
            f"--plugin {path}: the class {nameless} has no name, and nobody could ask for it. Give it "
            f'`name: ClassVar[str] = "{example}"`; a class that only others extend begins with an underscore.'
        )
    if catalogue().add_module(module) == 0:
        raise UsageError(
            f"--plugin {path} defines no plug-in: extend Method, MaskMethod, RestorationAttack, InferenceAttack, "
            "Adjustment, Architecture, Algorithm or Source of maskbench, and give the class a name."
        )


def added_files() -> tuple[Path, ...]:
    """The files that were given to :func:`add_file`, in the order in which they were."""
    modules = dict.fromkeys(each.__module__ for each in catalogue().added.values())
    return tuple(Path(str(sys.modules[name].__file__)).resolve() for name in modules if name.startswith(_FILE))


def added_classes() -> tuple[type[Any], ...]:
    """The classes that were added from Python, as a notebook defines them."""
    return tuple(each for each in catalogue().added.values() if not each.__module__.startswith(_FILE))


def _loaded(path: Path) -> ModuleType:
    """The module of a file, executed once in a process."""
    name = f"{_FILE}{path.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None:
        if Path(str(loaded.__file__)).resolve() == path.resolve():
            return loaded
        raise UsageError(f"--plugin {path}: {loaded.__file__} has the same name. Rename one of the files.")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"--plugin {path}: not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    changed: list[str] = []
    try:
        with watched(changed):
            spec.loader.exec_module(module)
    except FAILURES as error:
        del sys.modules[name]
        raise UsageError(f"--plugin {path} does not load: {type(error).__name__}: {error}") from error
    if changed:
        del sys.modules[name]
        raise UsageError(f"--plugin {path} does not load: its import {complaint(changed)}.")
    return module


def _nameless(module: ModuleType) -> str:
    """A class of a module that extends a contract and has no name, although no other class there extends it."""
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    for each in classes:
        own = each.__module__ == module.__name__ and not each.__name__.startswith("_") and kind_of(each) is not None
        extended = any(other is not each and issubclass(other, each) for other in classes)
        if own and not extended and not hasattr(each, "name"):
            return each.__name__
    return ""
