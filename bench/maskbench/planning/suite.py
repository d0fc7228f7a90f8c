"""A suite: the file that says what to run."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pydantic
import yaml

from maskbench.data.options import DataOptions
from maskbench.errors import UsageError, nearest, unknown
from maskbench.stages.settings import Settings

_FOLDER = files("maskbench.planning") / "suites"


class Suite(pydantic.BaseModel):
    """What to run: every method at every ratio against every attack, with every seed.

    Attributes:
        methods, attacks: as a user types them, ``NAME`` or ``NAME:parameter=value,…``. The two controls (raw and
            fully masked) are always run, because nothing can be read without them.
        ratios: shares hidden, for the methods that take one and were not given one.
        seeds: how many; they are 0, 1, ….
        aux_shares: shares of the attacker's training pictures that the attacks which learn are given, for the curve of
            leakage against them. All of them (1) is always among these, because the strongest attack is
            chosen among attacks that have them.
        probe_target: run every inference attack for the target label too; without it only those that say so.
        settings: how things are trained, and how much is scored.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    data: DataOptions = DataOptions()
    methods: tuple[str, ...] = pydantic.Field(min_length=1)
    attacks: tuple[str, ...] = ()
    ratios: tuple[float, ...] = pydantic.Field((0.75,), min_length=1)
    seeds: int = pydantic.Field(2, ge=1, le=1000)
    aux_shares: tuple[float, ...] = (1.0,)
    probe_target: bool = False
    settings: Settings = Settings()

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


def built_in() -> list[str]:
    """Names of the suites that come with maskbench."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))


def load(name: str, overrides: dict[str, Any] | None = None) -> Suite:
    """Read a suite by its built-in name or its file, and change some of its fields.

    Raises:
        UsageError: no such suite, not YAML, an unknown key (with the nearest valid one), a value out of range.
    """
    path = Path(name)
    if name in built_in():
        text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    elif path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"Suite {name} cannot be read as text: {error}") from None
    elif path.suffix in (".yaml", ".yml"):
        raise UsageError(f"There is no suite file {name}.")
    else:
        raise unknown("suite", name, built_in())
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"Suite {name} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"Suite {name} must be a mapping of {', '.join(Suite.model_fields)}.")
    content.setdefault("name", path.stem)
    return validate({**content, **(overrides or {})}, f"Suite {name}")


def validate(content: dict[str, Any], who: str) -> Suite:
    """Build a suite from plain values; errors name the place, and the nearest valid key."""
    try:
        return Suite.model_validate(content)
    except pydantic.ValidationError as error:
        raise UsageError(f"{who}: " + "; ".join(_explain(problem) for problem in error.errors())) from None


def _explain(problem: Any) -> str:
    *parents, last = problem["loc"]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key '{place}'{nearest(str(last), _keys(parents))}"
    if problem["type"] == "missing":
        return f"'{place}' is missing"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')} (given: {problem['input']!r})"


def _keys(parents: list[Any]) -> list[str]:
    model: Any = Suite
    for part in parents:
        model = model.model_fields[part].annotation
    return list(model.model_fields)
