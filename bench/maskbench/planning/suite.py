"""A suite: the file that says what to run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic

from maskbench import plain_yaml
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError, nearest
from maskbench.planning.built_in import suite_names, suite_text, unknown_suite
from maskbench.stages.settings import Settings

_NAME = re.compile(r"\w[\w.-]*")
_LONGEST_NAME = 100  # bytes: results lie in a folder that begins with it
_SHOWN_PROBLEMS = 5
_SHOWN_CHARACTERS = 80

Typed = Annotated[str, pydantic.Field(max_length=10_000)]
"""A plug-in as a user types it."""


class Suite(pydantic.BaseModel):
    """What to run: every method at every ratio against every attack, with every seed.

    Attributes:
        name: letters, digits, ``-``, ``_`` and ``.``: the results lie in a folder of this name.
        methods, attacks: as a user types them, ``NAME`` or ``NAME:parameter=value,…``. The two controls (raw and
            fully masked) are always run, because nothing can be read without them.
        ratios: shares hidden, for the methods that take one and were not given one.
        seeds: how many, counted up from ``first_seed``: the same matrix under other seeds is a rerun.
        aux_shares: shares of the attacker's training pictures that the attacks which learn are given, for the curve of
            leakage against them. All of them (1) is always among these, because the strongest attack is
            chosen among attacks that have them.
        probe_target: run every inference attack for the target label too; without it only those that say so.
        settings: how things are trained, and how much is scored.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = pydantic.Field("", max_length=2000)
    data: DataOptions = DataOptions()
    methods: tuple[Typed, ...] = pydantic.Field(min_length=1, max_length=1000)
    attacks: tuple[Typed, ...] = pydantic.Field((), max_length=1000)
    ratios: tuple[float, ...] = pydantic.Field((0.75,), min_length=1, max_length=100)
    seeds: int = pydantic.Field(2, ge=1, le=1000)
    first_seed: int = pydantic.Field(0, ge=0, le=1_000_000)
    aux_shares: tuple[float, ...] = pydantic.Field((1.0,), max_length=100)
    probe_target: bool = False
    settings: Settings = Settings()

    @pydantic.field_validator("name")
    @classmethod
    def _folder_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"a suite is called by at most {_LONGEST_NAME} letters, digits, '-', '_' and '.', the first of which "
                "is a letter or a digit, because its results lie in a folder of that name"
            )
        return name

    @pydantic.field_validator("ratios")
    @classmethod
    def _shares(cls, ratios: tuple[float, ...]) -> tuple[float, ...]:
        for ratio in ratios:
            if not 0 <= ratio <= 1:
                raise ValueError(f"a ratio is the share that is hidden, between 0 and 1; {ratio:g} is not")
        return ratios

    @pydantic.field_validator("aux_shares")
    @classmethod
    def _all_and_some(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        for share in shares:
            if not 0 < share <= 1:
                raise ValueError(f"a share of the attacker's pictures lies above 0, at most at 1; not so {share:g}")
        return tuple(sorted({*shares, 1.0}))


def load(name: str, overrides: dict[str, Any] | None = None) -> Suite:
    """Read a suite by its built-in name or its file, and change some of its fields.

    Raises:
        UsageError: no such suite, not YAML, an unknown key (with the nearest valid one), a value out of range.
    """
    try:
        content = plain_yaml.load(_text(name))
    except plain_yaml.NotPlain as error:
        raise UsageError(f"Suite {name} cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise UsageError(f"Suite {name} must be a mapping of {', '.join(Suite.model_fields)}.")
    content.setdefault("name", _named_by(Path(name)))
    return validate({**content, **(overrides or {})}, f"Suite {name}")


def validate(content: Mapping[str, Any], who: str) -> Suite:
    """Build a suite from plain values; errors name the place, and the nearest valid key."""
    problems = [f"{place}: true or false does not belong here" for place in _misplaced_flags(Suite, content)]
    try:
        if not problems:
            return Suite.model_validate(content)
    except pydantic.ValidationError as error:
        problems = [_explain(problem) for problem in error.errors()]
    more = len(problems) - _SHOWN_PROBLEMS
    shown = [*problems[:_SHOWN_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
    raise UsageError(f"{who}: {'; '.join(shown)}") from None


def _text(name: str) -> str:
    """The text of a suite, by its built-in name or its file; of a file that is too long, more than is allowed."""
    path = Path(name)
    if name in suite_names():
        return suite_text(name)
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return stream.read(plain_yaml.MOST_BYTES + 1).decode()
    except UnicodeDecodeError as error:
        if error.start < plain_yaml.MOST_BYTES - len("\U0010ffff".encode()):
            raise UsageError(f"Suite {name} cannot be read as text: it is not UTF-8.") from None
        raise UsageError(f"Suite {name} cannot be read: it has more than {plain_yaml.MOST_BYTES:,} bytes.") from None
    except OSError as error:
        raise UsageError(f"Suite {name} cannot be read: {error.strerror}.") from None
    raise unknown_suite(name)


def _named_by(path: Path) -> str:
    """What a suite is called that does not say so: as its file, with ``-`` for what no name has."""
    name = re.sub(r"[^\w.-]+", "-", path.stem).lstrip("-.")
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore") or "suite"


def _misplaced_flags(model: type[pydantic.BaseModel], content: Mapping[str, Any]) -> Iterator[str]:
    """Places where true or false stands for something else: for a number it would be read as 1 or 0."""
    for key, value in content.items():
        field = model.model_fields.get(str(key))
        kind = None if field is None else field.annotation
        if isinstance(value, Mapping) and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            yield from (f"{key}.{place}" for place in _misplaced_flags(kind, value))
        elif kind is not bool and any(isinstance(each, bool) for each in _members(value)):
            yield str(key)


def _members(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _explain(problem: Any) -> str:
    *parents, last = problem["loc"]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key '{_shortened(place)}'{nearest(str(last)[:_SHOWN_CHARACTERS], _keys(parents))}"
    if problem["type"] == "missing":
        return f"'{place}' is missing"
    given = _shortened(repr(problem["input"]))
    return f"{place}: {problem['msg'].removeprefix('Value error, ')} (given: {given})"


def _shortened(text: str) -> str:
    """Its beginning, on one line."""
    beginning = " ".join(text[:_SHOWN_CHARACTERS].split())
    return beginning + ("…" if len(text) > _SHOWN_CHARACTERS else "")


def _keys(parents: list[Any]) -> list[str]:
    model: Any = Suite
    for part in parents:
        model = model.model_fields[part].annotation
    return list(model.model_fields)
