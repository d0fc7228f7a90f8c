"""A method that is ready to be applied, with all it needs for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.plugins.method import Method
from maskbench.randomness import seeded
from maskbench.releasing.secret import Secret
from maskbench.releasing.soft_labels import SoftLabels

Shape = tuple[int, int, int]
"""(C, H, W)."""


@dataclass(frozen=True)
class TeacherWeights:
    """A trained teacher: the recognizer's name without a weights file, its number of classes, its state dict."""

    recognizer: str
    classes: int
    weights: Mapping[str, Tensor]

    def network(self, shape: Shape, device: torch.device) -> Recognizer:
        """The network, in evaluation mode and without gradients for its weights."""
        channels, *sides = shape
        with seeded(0):  # the weights that are drawn here are replaced, and the caller's generator stays as it is
            network = build(self.recognizer, channels=channels, classes=self.classes, size=(sides[0], sides[1]))
        network.load_state_dict(dict(self.weights))
        return network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)


@dataclass(frozen=True)
class Fitted:
    """What ``--save`` keeps. It holds the secret of the release: it is the owner's alone.

    Attributes:
        method: with its state, on the CPU.
        secret: where all randomness comes from.
        seed_policy: where the secret came from, in words for the manifest.
        size: side in pixels that images are brought to; None keeps theirs.
        shape: the images that it can be applied to; None where it takes any.
        sensitive: the column that no release has.
        teachers: label (target, sensitive) → the teacher that attributions explain, and that gives soft labels.
        learned_from: what it was fitted on, for the manifest; empty where nothing was learned.
    """

    method: Method
    secret: Secret
    seed_policy: str
    size: int | None = None
    shape: Shape | None = None
    sensitive: str | None = None
    teachers: Mapping[str, TeacherWeights] = field(default_factory=dict)
    learned_from: Mapping[str, Any] = field(default_factory=dict)

    def soft_labels(self) -> SoftLabels | None:
        """What soft labels are, where the method hands out any."""
        if not self.method.needs_answers():
            return None
        return SoftLabels(self.learned_from["target"], self.learned_from["classes"], self.method.answer_temperature())


def learns(method: Method) -> bool:
    """Whether a method needs images before it can be applied: it has a ``fit``, or needs a teacher."""
    return type(method).fit is not Method.fit or bool(method.requests()) or method.needs_answers()
