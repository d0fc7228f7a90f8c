"""What every plug-in has: a name, typed and validated parameters, and methods of the base it cannot replace."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, final

import pydantic

from maskbench.artifacts.file_digest import content_digest
from maskbench.errors import UsageError, nearest

CONTRACT = 2
"""Version of the contracts between engine and plug-ins. 2: the package is maskbench; attacks say ``learns_from``."""

_RETIRED = {
    "trains_on": "it is called learns_from now",
    "shape_probe": "an attack that learns from masks is one: learns_from = 'masks'",
    "probes_target": "attacks that learn from masks are run for the target label too: learns_from = 'masks'",
    "learns_from_restorations": "say learns_from = 'restorations'",
}
"""What contract 1 had → what to write instead. Left in a class, it would be passed over without a word."""


class Plugin(pydantic.BaseModel):
    """Base of every kind of plug-in but data sources. Annotated class attributes are its parameters.

    A parameter is validated when the plug-in is created (``size: int = Field(4, ge=1)``), cannot change afterwards,
    and is part of every cache key. A plug-in keeps no other state than what its ``fit`` returns, which the engine
    hands back as ``self.state``: so nothing of one party can reach another party's copy.

    Attributes:
        name: what the user types; lower case, words joined by hyphens.
        source: the paper (arXiv number, section or equation) that the plug-in follows, or "maskbench".
        contract: the version of the contracts that the plug-in was written for.
        paths: the parameters that name a file or a folder. Tables and messages show its name, never where it lies.
    """

    # An infinite budget, width or weight means nothing, and no range of a parameter rules it out.
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_enum_values=True, allow_inf_nan=False
    )

    name: ClassVar[str]
    source: ClassVar[str] = "maskbench"
    contract: ClassVar[int] = CONTRACT
    paths: ClassVar[tuple[str, ...]] = ()

    _state: Any = pydantic.PrivateAttr(default=None)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._refuse_other_contracts()
        for attribute in vars(cls):
            for base in cls.__mro__[1:]:
                if getattr(vars(base).get(attribute), "__final__", False):
                    raise TypeError(
                        f"{cls.__qualname__} redefines {base.__name__}.{attribute}, which judges what a plug-in "
                        f"proposes and is sealed. Implement the hooks that the docstring of {base.__name__} names."
                    )

    @classmethod
    def _refuse_other_contracts(cls) -> None:
        if cls.contract != CONTRACT:
            raise TypeError(
                f"{cls.__qualname__} was written for version {cls.contract} of maskbench's contracts, and this is "
                f"version {CONTRACT}: see CHANGELOG.md for what changed, then set contract = {CONTRACT}."
            )
        retired = [f"{name}: {mend}" for name, mend in _RETIRED.items() if name in vars(cls)]
        if retired:
            raise TypeError(f"{cls.__qualname__} says what contract {CONTRACT} has no place for. {'; '.join(retired)}.")

    @classmethod
    def create(cls, parameters: Mapping[str, Any]) -> Self:
        """Build the plug-in from user input.

        Raises:
            UsageError: an unknown parameter (with the nearest valid one), or a value outside its range.
        """
        try:
            return cls(**parameters)
        except pydantic.ValidationError as error:
            raise UsageError("; ".join(cls._explain(problem) for problem in error.errors())) from None

    @classmethod
    def _explain(cls, problem: Any) -> str:
        parameter = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            if not cls.model_fields:
                return f"'{cls.name}' takes no parameters, so not '{parameter}' either"
            return f"'{cls.name}' has no parameter '{parameter}'{nearest(parameter, cls.model_fields)}"
        if problem["type"] == "missing":
            return f"'{cls.name}': its parameter '{parameter}' has no default, and no value was given for it"
        message = problem["msg"].removeprefix("Value error, ")
        if not parameter:  # about several parameters at once
            return f"'{cls.name}': {message}"
        return f"'{cls.name}': {parameter}={problem['input']!r} is not valid: {message}"

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(cls) or "").split("\n", 1)[0]

    @property
    def state(self) -> Any:
        """What ``fit`` returned for this party; None before it ran."""
        return self._state

    def with_state(self, state: Any) -> Self:
        """A copy of the plug-in that carries what ``fit`` returned."""
        copy = self.model_copy()
        copy._state = state
        return copy

    def label(self, leave_out: tuple[str, ...] = ()) -> str:
        """``name:parameter=value,…`` with the parameters that differ from their defaults; of a path its name alone."""
        fields = type(self).model_fields
        given = {
            key: value
            for key, value in self.model_dump().items()
            if key not in leave_out and value != fields[key].default
        }
        return self.shown(given)

    @classmethod
    def shown(cls, parameters: Mapping[str, Any]) -> str:
        """``name:parameter=value,…`` of some parameters, without saying where files lie on this machine."""
        parts = [f"{key}={Path(value).name if key in cls.paths else value}" for key, value in parameters.items()]
        return cls.name + (":" + ",".join(parts) if parts else "")

    def files(self) -> tuple[Path, ...]:
        """The files (weights, say) that the result depends on. Asked for where ``unavailable`` gives no reason."""
        return ()

    @final
    def identity(self) -> dict[str, Any]:
        """The parameters as they go into keys: files stand there by their content, not by the path that names them."""
        files, parameters = self.files(), self.model_dump()
        if not files:
            return parameters
        kept = {
            name: value for name, value in parameters.items() if name not in self.paths and not _leads_to(value, files)
        }
        return {**kept, "files": [content_digest(file) for file in files]}

    def unavailable(self) -> str | None:
        """Why this plug-in cannot run here (a missing extra, missing weights), with the step that mends it; or None."""
        return None


def _leads_to(value: Any, files: tuple[Path, ...]) -> bool:
    """Whether a parameter's value is the path of one of the files, or of a folder they lie in."""
    if not isinstance(value, str) or not value:
        return False
    return any(file.is_relative_to(Path(value).expanduser()) for file in files)
