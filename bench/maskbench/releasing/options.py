"""What the user asked for, and the method that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.method import Method
from maskbench.plugins.names import parse


@dataclass(frozen=True)
class Options:
    """One call of ``maskbench desensitize``: see ``maskbench.releasing.command.desensitize``."""

    source: Path
    destination: Path
    method: str | Method | None = None
    ratio: float | None = None
    size: int | None = None
    limit: int | None = None
    target: str | None = None
    sensitive: str | None = None
    recognizer: str | None = None
    epochs: int | None = None
    seed: int | None = None
    masks: bool = True
    rename: bool = False
    save: Path | None = None
    load: Path | None = None
    resume: bool = False

    def check(self) -> None:
        """Raise UsageError for options that exclude each other or are out of range."""
        if (self.method is None) == (self.load is None):
            raise UsageError("Name a method, as in --method saliency:patch=8, or a saved one with --load FILE.")
        if self.load is not None:
            for name in ("ratio", "target", "sensitive", "recognizer", "epochs", "seed"):
                if getattr(self, name) is not None:
                    raise UsageError(f"--{name} does not go with --load: the saved method has its own.")
        for name in ("size", "limit", "epochs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"--{name} is {value}; the smallest is 1.")
        if self.target is not None and self.target == self.sensitive:
            raise UsageError(f"Target and sensitive label are both '{self.target}': name two different columns.")


def build_method(wanted: str | Method | None, ratio: float | None) -> Method:
    """The method that ``--method`` and ``--ratio`` name, or that was handed over.

    Raises:
        UsageError: there is no such method or parameter, it has no ratio, or it cannot run here.
    """
    if isinstance(wanted, Method):
        if ratio is not None:
            raise UsageError("A method that is handed over has its own ratio: leave out the other.")
        return wanted
    name, parameters = parse(wanted or "")
    return create_method(name, _with_ratio(name, parameters, ratio))


def create_method(name: str, parameters: dict[str, Any]) -> Method:
    """A method by its name and parameters; raises as ``build_method``."""
    method: Method = catalogue().get("method", name).create(parameters)
    reason = method.unavailable()
    if reason is not None:
        raise UsageError(f"Method '{name}' cannot run here: {reason}")
    return method


def _with_ratio(name: str, parameters: dict[str, Any], ratio: float | None) -> dict[str, Any]:
    if ratio is None:
        return parameters
    if "ratio" not in catalogue().get("method", name).model_fields:
        raise UsageError(f"Method '{name}' takes no ratio, so leave out --ratio.")
    if "ratio" in parameters:
        raise UsageError("The ratio is given twice: by --ratio and by --method.")
    return {**parameters, "ratio": ratio}
