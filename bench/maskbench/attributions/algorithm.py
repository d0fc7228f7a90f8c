"""What an attribution algorithm is, and how one is found by its name."""

from __future__ import annotations

import ast
import importlib
from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

import maskbench.attributions
from maskbench.attributions.passes import PassSize
from maskbench.errors import ContractViolation, unknown
from maskbench.models.recognizer import Recognizer


class Algorithm(ABC):
    """An attribution algorithm. Implement ``attribute``.

    Attributes:
        name: what the user types.
        source: the paper.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        """How much each pixel matters to the network's logit of the class that it predicts for the image.

        Args:
            network: in evaluation mode, its weights without gradients.
            images: float32 N C H W in [0, 1], N ≤ ``pass_size``.
            pass_size: at most this many images go through the network at once; of each image,
                ``pass_size // N`` variations.

        Returns:
            float32 N 1 H W, higher = matters more; the scale is the algorithm's own.
        """

    def explain(self, network: Recognizer, images: Tensor, pass_size: PassSize | None = None) -> Tensor:
        """Attribute the class that the network predicts, in bounded memory, and check the answer: float32 N 1 H W.

        An image's answer depends on the other images only in its rounding.

        Args:
            network: in evaluation mode, its weights without gradients.
            images: float32 N C H W in [0, 1].
            pass_size: how many images go through the network at once; halved where the GPU's memory runs out. Without
                one it is measured; who calls often measures once.

        Raises:
            ContractViolation: the answer has another shape, or values that are not finite.
            torch.OutOfMemoryError: the GPU has no room for a single image.
        """
        size = PassSize.fitting(network, images) if pass_size is None else pass_size
        parts: list[Tensor] = []
        start = 0
        while start < len(images):
            rest = len(images) - start
            count = -(-rest // -(-rest // size.images))  # equal parts: no small one at the end
            try:
                parts.append(self.attribute(network, images[start : start + count], size.images).detach())
            except torch.OutOfMemoryError:
                if size.images == 1:
                    raise
                size.halve()
            else:
                start += count
        scores = torch.cat(parts).to(torch.float32)
        expected = (images.shape[0], 1, *images.shape[2:])
        if scores.shape != expected or not bool(torch.isfinite(scores).all()):
            raise ContractViolation(
                f"attribution '{self.name}' gave {tuple(scores.shape)} (finite: {bool(torch.isfinite(scores).all())}), "
                f"expected finite values of shape {expected}"
            )
        return scores


@cache
def modules() -> dict[str, str]:
    """Name → module of every algorithm in ``bench/attributions``, read from the text: planning needs no Captum."""
    found: dict[str, str] = {}
    for path in sorted(Path(str(maskbench.attributions.__file__)).parent.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and (name := _name_of(node)) is not None:
                found[name] = f"maskbench.attributions.{path.stem}"
    return found


def _name_of(definition: ast.ClassDef) -> str | None:
    """The literal that a class gives to its ``name``."""
    for node in definition.body:
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == "name"
            and isinstance(node.value, ast.Constant)
        ):
            return str(node.value.value)
    return None


def module_of(name: str) -> str:
    """The module that holds an algorithm.

    Raises:
        UsageError: there is none of that name; the message has the nearest one.
    """
    if name not in modules():
        raise unknown("attribution", name, modules())
    return modules()[name]


def find(name: str) -> Algorithm:
    """The algorithm of a name.

    Raises:
        UsageError: as ``module_of``.
    """
    for value in vars(importlib.import_module(module_of(name))).values():
        if isinstance(value, type) and issubclass(value, Algorithm) and vars(value).get("name") == name:
            return value()
    raise unknown("attribution", name, modules())


def algorithms() -> dict[str, Algorithm]:
    """Name → algorithm, for all that lie in ``bench/attributions``."""
    return {name: find(name) for name in modules()}
