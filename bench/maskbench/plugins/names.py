"""How a user writes a plug-in: ``NAME`` or ``NAME:key=value,key=value``; a value may be a plug-in in brackets."""

from __future__ import annotations

import re
from typing import Any

import yaml

from maskbench.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-./]*")


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``saliency:patch=8,adjust=masknet(gates=input)`` into its name and its parameters.

    Values are read as YAML scalars (``4`` is an int, ``0.75`` a float, ``true`` a bool);
    a value with brackets, or one that is no such scalar, stays text.

    Raises:
        UsageError: the text does not have that form.
    """
    name, separator, rest = text.strip().partition(":")
    if not _NAME.fullmatch(name) or (separator and not rest):
        raise UsageError(f"'{text}' is not NAME or NAME:parameter=value,…")
    parameters: dict[str, Any] = {}
    for part in split_outside_brackets(rest):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(f"'{text}': expected parameter=value, found '{part}'")
        if key.strip() in parameters:
            raise UsageError(f"'{text}': parameter '{key.strip()}' is given twice")
        parameters[key.strip()] = _scalar(value.strip())
    return name, parameters


def _scalar(text: str) -> Any:
    if "(" in text:
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, str | int | float | bool) else text


def parse_nested(text: str) -> tuple[str, dict[str, Any]]:
    """The same for a plug-in given as a value: ``masknet(gates=input,width=8)``."""
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return parse(name)
    if not rest.endswith(")"):
        raise UsageError(f"'{text}': the bracket is not closed")
    return parse(f"{name}:{rest[:-1]}")


def split_outside_brackets(text: str) -> list[str]:
    """Split at commas that are not inside brackets; an empty text has no parts."""
    return [part for part in re.split(r",(?![^(]*\))", text) if part] if text else []
