"""The suites that come with maskbench, found without importing what takes seconds."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from maskbench import plain_yaml
from maskbench.errors import UsageError, unknown

_FOLDER = files("maskbench.planning") / "suites"


def suite_names() -> list[str]:
    """Names of the suites that come with maskbench."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))


def suite_text(name: str) -> str:
    """The file of one of them."""
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def suite_descriptions() -> dict[str, str]:
    """Name → what the suite is for, and how long it takes where that was seen."""
    found = {}
    for name in suite_names():
        content = plain_yaml.load(suite_text(name))
        found[name] = str(content.get("description", "")) if isinstance(content, dict) else ""
    return found


def unknown_suite(name: str) -> UsageError:
    """Build the error for a name that no suite answers to."""
    if Path(name).suffix in (".yaml", ".yml"):
        return UsageError(f"There is no suite file {name}.")
    return unknown("suite", name, suite_names())


def refuse_unknown_suite(name: str) -> None:
    """Refuse a name that is neither of a suite that comes with maskbench nor of a file.

    Raises:
        UsageError: nothing answers to it; the message holds the nearest name.
    """
    if name not in suite_names() and not Path(name).is_file():
        raise unknown_suite(name)
