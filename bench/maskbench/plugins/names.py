"""How a user writes a plug-in: ``NAME`` or ``NAME:key=value,key=value``; a value may be a plug-in in brackets."""

from __future__ import annotations

import re
from typing import Any

from maskbench.errors import UsageError
from maskbench.plain_yaml import NotPlain, scalar

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-./]*")
_QUOTES = "\"'"


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``saliency:patch=8,adjust=masknet(gates=input)`` into its name and its parameters.

    Values are read as YAML scalars (``4`` is an int, ``0.75`` a float, ``true`` a bool); a value with brackets, or one
    that is no such scalar, stays text. So does a value in quotes, with all that stands in them: ``weights="a,b.pt"``.

    Raises:
        UsageError: the text does not have that form.
    """
    name, separator, rest = text.strip().partition(":")
    if not _NAME.fullmatch(name) or (separator and not rest):
        raise UsageError(f"'{text}' is not NAME or NAME:parameter=value,…")
    parameters: dict[str, Any] = {}
    for part in parts(rest, ",", text):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or not value.strip():
            before = next(reversed(parameters), None)
            hint = f'. A value with a comma is written in quotes: {before}="…,…"' if before and not equals else ""
            raise UsageError(f"'{text}': expected parameter=value, found '{part}'{hint}")
        if key.strip() in parameters:
            raise UsageError(f"'{text}': parameter '{key.strip()}' is given twice")
        parameters[key.strip()] = _value(key.strip(), value.strip(), text)
    return name, parameters


def _value(key: str, value: str, text: str) -> Any:
    if value[0] in _QUOTES and value[-1] == value[0] and len(value) > 1:
        return value[1:-1]
    if "(" in value:
        return value
    try:
        found = scalar(value)
    except NotPlain as error:
        raise UsageError(f"'{text}': {key}: {error}") from None
    return value if found is None else found


def parse_nested(text: str) -> tuple[str, dict[str, Any]]:
    """The same for a plug-in given as a value: ``masknet(gates=input,width=8)``."""
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return parse(name)
    if not rest.endswith(")"):
        raise UsageError(f"'{text}': the bracket is not closed")
    return parse(f"{name}:{rest[:-1]}")


def parts(text: str, separator: str, whole: str | None = None) -> list[str]:
    """Split at the separators that are neither in brackets nor in quotes; an empty text has no parts.

    Args:
        whole: what the user typed, for messages; the text itself unless given.

    Raises:
        UsageError: a bracket or a quote is not closed.
    """
    found, start, depth, quote, before = [], 0, 0, "", ""
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES and before == "=":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == separator and depth == 0:
            found.append(text[start:place])
            start = place + 1
        if depth < 0:
            break
        before = before if character.isspace() else character
    if depth or quote:
        what = "quote" if quote else "bracket"
        raise UsageError(
            f"'{whole or text}': a {what} is not closed. A value with a bracket of its own is written in quotes."
        )
    return [part for part in (*found, text[start:]) if part]
