"""Inference by patterns that come with either sign, or lie anywhere: one for each class, found among all its places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ._factors import Factors

_STARTS, _ROUNDS = 6, 30  # pictures that a pattern starts from, and rounds from each
_NOISE = 1.5  # times the median power: what counts as noise in a picture to start from
_FLOOR = 0.05  # of the power of a frequency that is noise in any case
_LEAST = 1e-9
_ENTRIES = 2**25  # numbers that all ways of all patterns take together with the factors: 128 MB
_CLASSES = 100  # more patterns would take that much in one place alone


class PatternMixture(InferenceAttack):
    """Bayes' rule where the pattern of a class comes with either sign, or at any place, and pictures are Gaussian.

    Patterns are found in the attacker's raw pictures; what they look like in a release, by releasing them. Validation
    says whether it is the sign or the place that is random.
    """

    name: ClassVar[str] = "pattern-mixture"
    source: ClassVar[str] = "Frey and Jojic 1999 (mixtures of images, and transformations inferred by EM)"
    trains_network: ClassVar[bool] = False

    components: int = Field(64, ge=2, description="principal components of the covariance; the rest is noise")
    places: int = Field(8, ge=1, le=32, description="places along each axis that a pattern may lie at")

    def cannot_infer(self, classes: int) -> str | None:
        return None if classes <= _CLASSES else f"it keeps a pattern of each class, of {_CLASSES} at most"

    def fit(self, aux: InferenceAux) -> Any:
        shares = torch.bincount(aux.train.known_labels, minlength=aux.classes).to(aux.device) + 1
        log_prior = (shares / shares.sum()).log()
        masked = aux.train.release.masks is not None
        if aux.train.raw is None or not (masked or aux.release is not None):
            return None, log_prior  # nothing to find patterns in, or no way to see how they are released
        sign = _Variants(torch.zeros(1, 2, dtype=torch.int64, device=aux.device), signed=True)
        place = _Variants(self._grid(aux).to(aux.device), signed=False)
        truth = aux.validation.known_labels

        def loss_of(model: _Model) -> float:
            return float(F.cross_entropy(model.answers(aux.validation.release) + log_prior.cpu(), truth))

        models = (_Model.fitted(aux, variants, self.components) for variants in (sign, place))
        return min(models, key=loss_of), log_prior

    def _grid(self, aux: InferenceAux) -> Tensor:
        """Where a pattern may lie: int64 (P, 2); fewer places where pictures are large, or classes many."""
        height, width = aux.train.release.images.shape[2:]
        each = self.components * aux.train.release.images[0].numel() * aux.classes
        most = max(1, min(self.places, math.isqrt(_ENTRIES // each)))
        rows, columns = (torch.arange(min(most, side)) * side // min(most, side) for side in (height, width))
        return torch.stack([rows.repeat_interleave(len(columns)), columns.repeat(len(rows))], dim=1)

    def infer(self, release: Release, device: torch.device) -> Tensor:
        model, log_prior = self.state
        if model is None:
            return log_prior.expand(len(release), -1).cpu()
        return model.answers(release) + log_prior.cpu()


@dataclass(frozen=True)
class _Variants:
    """The ways in which a pattern comes.

    Attributes:
        grid: int64 (P, 2), by how many pixels it is shifted round.
        signed: whether it comes with either sign.
    """

    grid: Tensor
    signed: bool

    def of(self, pattern: Tensor) -> Tensor:
        """A pattern (C, H, W) in each of its V ways: (V, C, H, W)."""
        shifted = torch.stack([pattern.roll((down, right), (1, 2)) for down, right in self.grid.tolist()])
        return torch.cat([shifted, -shifted]) if self.signed else shifted

    def scores(self, alike: Tensor, energy: Tensor) -> Tensor:
        """Log-likelihoods of the ways against no pattern at all: (N, V).

        Args:
            alike: (N, H, W), how much like the pattern, shifted round to each place, a picture is.
            energy: of the pattern.
        """
        there = alike[:, self.grid[:, 0], self.grid[:, 1]]
        return (torch.cat([there, -there], dim=1) if self.signed else there) - energy / 2

    def weights(self, scores: Tensor, like: Tensor) -> Tensor:
        """How much of each picture's shift to each place is the pattern: (N, H, W)."""
        shares = scores.softmax(1)
        if self.signed:
            shares = shares[:, : len(self.grid)] - shares[:, len(self.grid) :]
        found = torch.zeros_like(like)
        found[:, self.grid[:, 0], self.grid[:, 1]] = shares
        return found


@dataclass(frozen=True)
class _Model:
    """What releases look like: float32 means (classes · V, D) of every way of every pattern, and factors about them."""

    factors: Factors
    means: Tensor
    ways: int

    @staticmethod
    def fitted(aux: InferenceAux, variants: _Variants, components: int) -> _Model:
        count = len(aux.train.release) // aux.train.copies
        labels = aux.train.known_labels[:count].to(aux.device)
        raw = aux.train.raw_images[:count].to(aux.device)
        mean = raw.mean(0)
        generator = torch.Generator().manual_seed(aux.seed)
        means, about = [], torch.empty_like(raw)
        for one in range(aux.classes):
            mine = labels == one
            pattern, chosen = _pattern(raw[mine] - mean, variants, generator)
            means.append(mean + variants.of(pattern))
            about[mine] = means[-1][chosen]
        known, shown = raw, torch.cat(means)
        if aux.train.release.masks is None and aux.release is not None:
            known = aux.train.release.images[:count].to(aux.device)
            shown, about = (aux.release(each.clamp(0, 1), 0).images.to(aux.device) for each in (shown, about))
        return _Model(Factors.fitted(known, components, about=about), shown.flatten(1), len(means[0]))

    def answers(self, release: Release) -> Tensor:
        """Log-likelihoods of the classes, but for a number for each picture: float32 (N, classes), on the CPU."""
        found = self.factors.log_likelihoods(release, self.means)
        return found.unflatten(1, (-1, self.ways)).logsumexp(2).cpu()


def _pattern(pictures: Tensor, variants: _Variants, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The pattern of pictures (N, C, H, W) that each show it in some way: (C, H, W), and in which: int64 (N,).

    What else pictures show is taken as Gaussian and alike everywhere: its power at each frequency is found as well.
    """
    if len(pictures) == 0:
        return torch.zeros_like(pictures.sum(0)), torch.zeros(0, dtype=torch.int64, device=pictures.device)
    seen = torch.fft.rfft2(pictures)
    power = seen.abs().square().mean(0)
    # A single picture, without the frequencies in which there is hardly more than noise: else rounds get nowhere.
    clear = (1 - _NOISE * power.median() / power.clamp_min(_LEAST)).clamp_min(0)
    starts = torch.randperm(len(pictures), generator=generator)[:_STARTS].to(pictures.device)
    tried = [_maximised(seen, seen[start] * clear, pictures.shape[2:], variants) for start in starts]
    pattern, _, chosen = max(tried, key=lambda each: each[1])
    return torch.fft.irfft2(pattern, s=pictures.shape[2:]), chosen


def _maximised(seen: Tensor, pattern: Tensor, size: torch.Size, variants: _Variants) -> tuple[Tensor, float, Tensor]:
    """Expectation maximisation from a pattern, all in frequencies (N, C, h, w).

    Returns:
        The pattern, the log-likelihood but for a number, and the likeliest way of each picture, int64 (N,).
    """
    power, pixels = seen.abs().square().mean(0), size.numel()
    value, chosen = -math.inf, torch.zeros(len(seen), dtype=torch.int64)
    for _ in range(_ROUNDS):
        noise = (power - pattern.abs().square()).maximum(_FLOOR * power).clamp_min(_LEAST)
        # Of each place, the pattern there against nothing: correlation, whitened, less half of the pattern's energy.
        alike = torch.fft.irfft2((seen * pattern.conj() / noise).sum(1), s=size) * pixels
        energy = torch.fft.irfft2((pattern.abs().square() / noise).sum(0), s=size)[0, 0] * pixels
        scores = variants.scores(alike, energy)
        value = float(scores.logsumexp(1).mean() - noise.log().sum())
        chosen = scores.argmax(1)
        weights = torch.fft.rfft2(variants.weights(scores, alike))
        pattern = (seen * weights.conj()[:, None]).mean(0)
    return pattern, value, chosen
