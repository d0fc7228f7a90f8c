"""What the user asked for, and the method that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.method import Method
from maskbench.plugins.names import parse

LEAST_SIZE = 8
"""Smallest side in pixels that images may be resized to, as for ``maskbench run``."""


@dataclass(frozen=True)
class Options:
    """One call of ``maskbench desensitize``.

    Attributes:
        source: a folder of images, or a folder or file of Parquet.
        destination: the folder that is written.
        method: as a user types it; None where ``load`` names a saved method.
        ratio: share hidden; None leaves it to the method.
        size: side in pixels of the square that every image is brought to; None keeps each image's own.
        limit: at most this many images, in even steps over the source; None takes all.
        target, sensitive: label columns that teachers are trained for.
        recognizer, epochs: of the teachers; None is the default.
        seed: for a release that can be repeated; None draws one from the operating system.
        masks: whether masks are written.
        save: where the fitted method is written to.
        load: a saved method that is applied instead of fitting one.
        resume: whether to go on with a release that was cut off.
    """

    source: Path
    destination: Path
    method: str | None = None
    ratio: float | None = None
    size: int | None = None
    limit: int | None = None
    target: str | None = None
    sensitive: str | None = None
    recognizer: str | None = None
    epochs: int | None = None
    seed: int | None = None
    masks: bool = True
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
        if self.size is not None and self.size < LEAST_SIZE:
            raise UsageError(f"--size is {self.size}; the smallest is {LEAST_SIZE} px.")
        for name in ("limit", "epochs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"--{name} is {value}; the smallest is 1.")
        if self.target is not None and self.target == self.sensitive:
            raise UsageError(f"Target and sensitive label are both '{self.target}': name two different columns.")


def build_method(text: str, ratio: float | None) -> Method:
    """The method that ``--method`` and ``--ratio`` name.

    Raises:
        UsageError: there is no such method or parameter, it has no ratio, or it cannot run here.
    """
    name, parameters = parse(text)
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
