"""Writing a new plug-in and its test from a template that runs as it is."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue

_TEMPLATES = files("maskbench.conformance") / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Place:
    """Where a plug-in and its test go, and the package that the test imports the plug-in from."""

    code: Path
    tests: Path
    package: str

    @classmethod
    def of(cls, kind: str, folder: Path | None) -> Place:
        """The folder that was asked for; else the right ones of a maskbench checkout; else the current folder."""
        here = Path.cwd()
        plural = f"{kind}s"
        if folder is None and (here / "bench" / "maskbench").is_dir() and (here / plural).is_dir():
            return cls(here / plural, here / "tests" / plural, f"maskbench.{plural}.")
        return cls(folder or here, folder or here, "")


def write(kind: str, template: str, name: str, folder: Path | None) -> tuple[Path, Path]:
    """Write a plug-in and its test.

    Args:
        kind: ``method`` or ``attack``.
        template: ``method``, ``restoration``, ``inference`` or ``matching``.
        name: what the user will type, ``keep-edges``.
        folder: where both go; None lets :class:`Place` choose.

    Returns:
        The two files.

    Raises:
        UsageError: the name does not have that form, is taken, or would shadow something; or a file is there already.
    """
    place = Place.of(kind, folder)
    content = (_TEMPLATES / f"{template}.py").read_text(encoding="utf-8")
    module, title = name.replace("-", "_"), "".join(word.capitalize() for word in name.split("-"))
    _refuse_name(kind, name, title, content)
    code, test = place.code / f"{module}.py", place.tests / f"test_{module}.py"
    _refuse_place(module, code, test, place)
    for path, text in ((code, content), (test, (_TEMPLATES / f"check_{template}.py").read_text(encoding="utf-8"))):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_named(text, kind, name, module, title, place.package))
    return code, test


def _named(text: str, kind: str, name: str, module: str, title: str, package: str) -> str:
    """A template with the names of the new plug-in, its first-party imports in order again."""
    text = re.sub(r"from maskbench\.conformance\.templates\.\w+", f"from {package}{module}", text)
    text = text.replace(f"new-{kind}", name).replace(f"New{kind.capitalize()}", title)
    imports = rf"(?:from (?:maskbench|{re.escape(package)}{module})\b.*\n)+"
    return re.sub(imports, lambda block: "".join(sorted(block.group().splitlines(keepends=True))), text, count=1)


def _refuse_name(kind: str, name: str, title: str, content: str) -> None:
    if not _NAME.fullmatch(name):
        proposed = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        hint = f": '{proposed}', say" if _NAME.fullmatch(proposed) else ""
        raise UsageError(f"'{name}' is not a name in lower case with words joined by hyphens{hint}.")
    if name in catalogue().names(kind):
        raise UsageError(f"There is a {kind} '{name}' already; choose another name.")
    if keyword.iskeyword(name) or re.search(rf"\b{title}\b", content):
        raise UsageError(f"'{name}' means something else in Python or in maskbench; choose another name.")


def _refuse_place(module: str, code: Path, test: Path, place: Place) -> None:
    for path in (code, test):
        if path.exists():
            raise UsageError(f"{path} is there already, and nothing is overwritten; choose another name or --folder.")
    # A file in the current folder hides a library of the same name from every program that runs there.
    if not place.package and importlib.util.find_spec(module) is not None:
        raise UsageError(f"{code.name} would hide the Python module '{module}'; choose another name.")
    # pytest knows test files without packages by their names alone.
    other = next(place.tests.parent.rglob(test.name), None) if place.package else None
    if other is not None:
        raise UsageError(f"There is a {other} already, and pytest tells tests by their file names; choose another.")
