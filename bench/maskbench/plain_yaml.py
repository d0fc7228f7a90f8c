"""Plain YAML: text, numbers, true, false, null, lists and mappings, within bounds; nothing that runs, refers or grows.

Scalars are those of YAML 1.2's core schema. What YAML 1.1 reads otherwise than it looks (``010`` as 8, ``1:30`` as 90,
``no`` as false, a date) is text here, and a number with a leading zero is refused, because readers disagree on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

MOST_BYTES = 1_000_000
_DEEPEST = 20
_MOST_VALUES = 10_000
_MOST_DIGITS = 40

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"(?P<sign>[-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class NotPlain(ValueError):
    """A text is no plain YAML; the message says why, in one line."""


def scalar(text: str) -> str | int | float | bool | None:
    """Read one value that is not in quotes.

    Raises:
        NotPlain: it is a number with a leading zero or of too many digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _LEADING_ZERO.fullmatch(text):
        raise NotPlain(f"'{text[:_MOST_DIGITS]}' has a leading zero: leave it out, or write it in quotes if it is text")
    if _INTEGER.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise NotPlain(f"a number has {len(text)} digits; the most is {_MOST_DIGITS}")
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    odd = _NO_NUMBER.fullmatch(text)
    return text if odd is None else float(f"{odd['sign'] or ''}{text.lower().split('.')[1]}")


def load(text: str) -> Any:
    """Read one document of plain YAML.

    Raises:
        NotPlain: it is not YAML, or uses more of it than is read here: anchors, aliases, tags, a key twice, control
            characters, more than a megabyte, 10,000 values or 20 levels.
    """
    if len(text.encode(errors="surrogatepass")) > MOST_BYTES:
        raise NotPlain(f"it has more than {MOST_BYTES:,} bytes")
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as error:
        raise _at(error.problem_mark, error.problem or "it is not valid YAML") from None
    except yaml.YAMLError as error:
        raise NotPlain(" ".join(str(error).split())) from None


class _Reader:
    """Builds values from events, which come one by one: what is refused is never built."""

    def __init__(self, text: str) -> None:
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._values = 0

    def document(self) -> Any:
        value, documents = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _at(event.start_mark, "a second document begins; there is room for one")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, 0)
        return value

    def _value(self, event: Any, depth: int) -> Any:
        self._check(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(inner, depth + 1) for inner in self._until(yaml.SequenceEndEvent)]
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth + 1)
        if not event.implicit[0]:  # in quotes, or a block
            return event.value
        try:
            return scalar(event.value)
        except NotPlain as error:
            raise _at(event.start_mark, str(error)) from None

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in self._until(yaml.MappingEndEvent):
            self._check(key, depth)
            if not isinstance(key, yaml.ScalarEvent):
                raise _at(key.start_mark, "a key must be a word")
            if key.value in found:
                raise _at(key.start_mark, f"the key '{key.value[:_MOST_DIGITS]}' is given twice")
            found[key.value] = self._value(next(self._events), depth)
        return found

    def _until(self, end: type[Any]) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _check(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _at(event.start_mark, "anchors (&) and aliases (*) are not read: write the value out")
        if event.tag is not None:
            raise _at(event.start_mark, "tags (!) are not read: write the value alone")
        if depth > _DEEPEST:
            raise _at(event.start_mark, f"it is nested more than {_DEEPEST} levels deep")
        self._values += 1
        if self._values > _MOST_VALUES:
            raise _at(event.start_mark, f"it has more than {_MOST_VALUES:,} values")
        if isinstance(event, yaml.ScalarEvent) and _CONTROL.search(event.value):
            raise _at(event.start_mark, "a text holds a control character")


def _at(mark: Any, problem: str) -> NotPlain:
    where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    return NotPlain(where + " ".join(problem.split()))
