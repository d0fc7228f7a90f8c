"""Bayes' rule in a finite world: a sum over every picture that may have been released so. All in float64."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from maskbench.worlds.finite import Finite
from maskbench.worlds.gaussian import Answer
from maskbench.worlds.mixture import LEVELS

_BLOCK = 2**22  # numbers held at a time, 32 MB
_LEAST = 1e-300


class Likelihoods(ABC):
    """p(release | picture), of N releases and each of the K pictures of a world, but for a factor of each release."""

    @abstractmethod
    def of(self, part: slice) -> Tensor:
        """Float64 (n, K), for some of the releases."""


@dataclass(frozen=True, eq=False)
class Same(Likelihoods):
    """Releases that follow from the picture, or with its task label: how often a picture is released like this.

    Attributes:
        shown: int64 (N,), equal numbers for equal releases.
        every: int64 (T, R, K), the same of each picture, for each task label and draw; T is 1 where labels play no
            part, R where chance plays none.
        task: int64 (N,), row of ``every`` that goes with each release.
    """

    shown: Tensor
    every: Tensor
    task: Tensor

    def of(self, part: slice) -> Tensor:
        tasks, shown = self.task[part], self.shown[part]
        found = torch.empty(len(shown), self.every.shape[2], dtype=torch.float64)
        for task, draws in enumerate(self.every):
            mine = tasks == task
            found[mine] = sum((draw == shown[mine, None]).double() for draw in draws) / len(draws)
        return found

    def possible(self, pictures: Tensor) -> Tensor:
        """Whether each release is one of a picture's: bool (N,), for the numbers of N pictures, int64."""
        return (self.every[self.task, :, pictures] == self.shown[:, None]).any(1)


@dataclass(frozen=True, eq=False)
class KeptPixels(Likelihoods):
    """Masks that know nothing of the picture: 1 where a picture agrees with what is kept.

    Attributes:
        pictures: uint8 (K, D).
        values: uint8 (N, D); what stands where nothing is kept plays no part.
        kept: bool (N, D).
    """

    pictures: Tensor
    values: Tensor
    kept: Tensor

    def of(self, part: slice) -> Tensor:
        every, kept = self.pictures.double(), self.kept[part].double()
        shown = self.values[part].double() * kept
        # Σ kept · (shown − picture)²: whole numbers, so that 0 is 0.
        apart = shown.square().sum(1, keepdim=True) - 2 * shown @ every.T + kept @ every.square().T
        return (apart == 0).double()


@dataclass(frozen=True, eq=False)
class LaplaceNoise(Likelihoods):
    """Values with Laplace noise, clipped to [0, 1] and rounded to 8 bits.

    Attributes:
        every: float64 (K, M), the values of each picture before noise.
        values: float64 (N, M), as they are released.
        scale: float64 (M,), of the noise.
    """

    every: Tensor
    values: Tensor
    scale: Tensor

    def of(self, part: slice) -> Tensor:
        logs = torch.zeros(len(self.values[part]), len(self.every), dtype=torch.float64)
        for shown, expected, scale in zip(self.values[part].T, self.every.T, self.scale, strict=True):
            level = (shown * LEVELS).round()
            upper = torch.where(level == LEVELS, math.inf, (level + 0.5) / LEVELS)[:, None] - expected
            lower = torch.where(level == 0, -math.inf, (level - 0.5) / LEVELS)[:, None] - expected
            # The mass between two places, from the side of the mean that they lie on: no difference of near ones.
            mirrored = lower > 0
            first = torch.where(mirrored, -upper, lower) / scale
            second = torch.where(mirrored, -lower, upper) / scale
            logs += (_below(second) - _below(first)).clamp_min(_LEAST).log()
        return (logs - logs.amax(1, keepdim=True)).exp()


def _below(places: Tensor) -> Tensor:
    """The distribution function of Laplace noise of scale 1."""
    half = 0.5 * (-places.abs()).exp()
    return torch.where(places < 0, half, 1 - half)


def enumerated(world: Finite, likelihoods: Likelihoods, count: int, task: Tensor | None) -> Answer:
    """The best that can be known of each of ``count`` releases by someone who knows the world.

    Args:
        task: int64 (count,), the task label of each picture; None where it is not known.
    """
    joint, pictures = torch.from_numpy(world.joint), torch.from_numpy(world.pictures).double() / LEVELS
    step = max(1, _BLOCK // len(pictures))
    posteriors, restored = [], []
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        likely = likelihoods.of(part)
        if task is None:
            found, weights = likely @ joint.sum(2), likely * joint.sum((1, 2))
        else:
            by_task = torch.stack([likely @ joint[:, :, one] for one in range(joint.shape[2])], dim=1)
            found = by_task[torch.arange(len(likely)), task[part]]
            weights = likely * joint.sum(1).T[task[part]]
        posteriors.append(found / found.sum(1, keepdim=True))
        restored.append(weights @ pictures / weights.sum(1, keepdim=True))
    return Answer(torch.cat(posteriors).log(), torch.cat(restored))
