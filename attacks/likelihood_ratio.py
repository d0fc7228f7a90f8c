"""Which candidate a release is of, by a Gaussian model of what a picture and its release have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from maskbench import MatchingAttack, MatchingAux, Release
from pydantic import Field
from torch import Tensor

from ._factors import Factors

_PER_DIRECTION = 8  # pictures for each direction that is learned: of fewer, most of what is in common is chance
_MOST = 0.9999  # correlation: of exact copies the ratio would be infinite
_RIDGE = 1e-3  # of the mean variance
_LEAST = 1e-6  # spread below which a coordinate is the same everywhere


class LikelihoodRatio(MatchingAttack):
    """How much likelier two releases go together than not, by their canonical correlations; for noise, and persons."""

    name: ClassVar[str] = "likelihood-ratio"
    source: ClassVar[str] = "Hotelling 1936 (canonical correlations); Ioffe 2006 (probabilistic linear discriminants)"
    learns_from = "pairs"

    components: int = Field(100, ge=2, description="principal components of the pictures, at most")

    def fit(self, aux: MatchingAux) -> Any:
        pictures = aux.train.raw_images.to(aux.device)
        factors = Factors.fitted(pictures, min(self.components, max(2, len(pictures) // _PER_DIRECTION)))
        shown, other = (_pair(aux, factors, of_validation) for of_validation in (False, True))
        return factors, Canonical.fitted(*shown, *other)

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        factors, canonical = self.state
        return canonical.ratios(factors.coordinates(release), factors.coordinates(candidates)).float().cpu()


class LikelihoodRatioRestored(MatchingAttack):
    """The same of raw pictures and restored ones, by the restoration that has most in common with raw ones.

    How much that is, each principal component says for itself, on the attacker's validation pictures. What a
    restoration leaves out then weighs nothing; by plain differences, the palest candidates would be the nearest.
    """

    name: ClassVar[str] = "likelihood-ratio-restored"
    source: ClassVar[str] = "Ioffe 2006 (probabilistic linear discriminants); 1609.00408 (restored before it is told)"
    questions = ("matching",)
    learns_from = "pairs"
    needs_restorations: ClassVar[bool] = True

    components: int = Field(50, ge=2, description="principal components of the pictures, at most")

    def fit(self, aux: MatchingAux) -> Any:
        pictures = aux.train.raw_images.to(aux.device)
        factors = Factors.fitted(pictures, min(self.components, max(2, len(pictures) // _PER_DIRECTION)))
        raw = factors.coordinates(Release(aux.validation.raw_images))
        known = aux.validation.release.restorations
        found = {name: Canonical.of_namesakes(factors.coordinates(Release(known[name])), raw) for name in sorted(known)}
        best = max(found, key=lambda name: found[name].information)
        return factors, best, found[best]

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        factors, best, canonical = self.state
        restored = Release(release.restorations[best])
        return canonical.ratios(factors.coordinates(restored), factors.coordinates(candidates)).float().cpu()


def _pair(aux: MatchingAux, factors: Factors, of_validation: bool) -> tuple[Tensor, Tensor]:
    """Coordinates of releases, and of what is looked for, of the same pictures: (N, K) each."""
    known = aux.validation if of_validation else aux.train
    if aux.question == "person-linkage":
        persons = aux.validation_persons if of_validation else aux.train_persons
        assert persons is not None, "nobody asks of persons where none are known"
        one, two = _same_person(persons)
        shown = factors.coordinates(known.release)
        return shown[one], shown[two]
    if aux.question == "matching":
        other = Release(known.raw_images)
    else:
        # Where the method cannot be run on the spot, its releases of one picture are taken to be alike.
        other = known.release if aux.release is None else aux.release(known.raw_bytes, 1)
    return factors.coordinates(known.release), factors.coordinates(other)


def _same_person(persons: Tensor) -> tuple[Tensor, Tensor]:
    """Places of all pairs of different pictures of one person, either way round: int64 (P,) each, for int64 (N,)."""
    order = persons.argsort(stable=True)
    counts = persons[order].unique_consecutive(return_counts=True)[1]
    most = int(counts.max())
    # Sorted by person, a pair is never further apart than a person has pictures.
    near = [(order[:-step], order[step:]) for step in range(1, most)]
    pairs = [(one[persons[one] == persons[two]], two[persons[one] == persons[two]]) for one, two in near]
    one, two = (torch.cat([pair[side] for pair in pairs]) for side in (0, 1))
    return torch.cat([one, two]), torch.cat([two, one])


@dataclass(frozen=True)
class Canonical:
    """Directions of two sets of coordinates, each with variance 1, that go together one by one.

    Attributes:
        left, right: the means, (K,), and the directions, (K, D).
        correlations: (D,), of the pairs of directions, in [0, 1).
    """

    left: tuple[Tensor, Tensor]
    right: tuple[Tensor, Tensor]
    correlations: Tensor

    @staticmethod
    def fitted(one: Tensor, two: Tensor, held_one: Tensor, held_two: Tensor) -> Canonical:
        """Learn the directions on some pairs, (N, K) each, and how well they go together on others, held out."""
        (mean_one, white_one), (mean_two, white_two) = _whitened(one), _whitened(two)
        whitened = ((one - mean_one) @ white_one, (two - mean_two) @ white_two)
        turned_one, _, turned_two = torch.linalg.svd(whitened[0].T @ whitened[1] / len(one), full_matrices=False)
        left, right = (mean_one, white_one @ turned_one), (mean_two, white_two @ turned_two.T)
        a, b = _projected(held_one, left), _projected(held_two, right)
        a, b = a - a.mean(0), b - b.mean(0)
        lengths = (a.square().sum(0) * b.square().sum(0)).sqrt()
        correlations = (a * b).sum(0) / lengths.clamp_min(1e-12)
        return Canonical(left, right, correlations.clamp(0, _MOST))

    @staticmethod
    def of_namesakes(one: Tensor, two: Tensor) -> Canonical:
        """Take each coordinate with its namesake, as far as they go together in some pairs, (N, K) each."""
        left, right = _standard(one), _standard(two)
        correlations = (_projected(one, left) * _projected(two, right)).mean(0)
        return Canonical(left, right, correlations.clamp(0, _MOST))

    @property
    def information(self) -> float:
        """What one side tells of the other were both Gaussian, in nats."""
        return float(-torch.log1p(-self.correlations.square()).sum() / 2)

    def ratios(self, one: Tensor, two: Tensor) -> Tensor:
        """Log of the ratio of the likelihoods, for each of N with each of M: (N, M), but for a constant."""
        a, b, known = _projected(one, self.left), _projected(two, self.right), self.correlations
        squares = known.square() / (1 - known.square())
        products = known / (1 - known.square())
        return (a * products) @ b.T - (a.square() @ squares)[:, None] / 2 - (b.square() @ squares) / 2


def _standard(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and the diagonal matrix that gives deviations from it variance 1, where they have any."""
    mean, spread = rows.mean(0), rows.std(0, correction=0)
    return mean, torch.where(spread > _LEAST, 1 / spread.clamp_min(_LEAST), 0.0).diag()


def _whitened(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and the matrix that gives deviations from it unit covariance."""
    mean = rows.mean(0)
    covariance = (rows - mean).T @ (rows - mean) / len(rows)
    ridge = _RIDGE * covariance.diagonal().mean().clamp_min(1e-12)
    values, vectors = torch.linalg.eigh(covariance + ridge * torch.eye(len(mean), device=mean.device))
    return mean, vectors / values.clamp_min(1e-12).sqrt()


def _projected(rows: Tensor, side: tuple[Tensor, Tensor]) -> Tensor:
    mean, directions = side
    return (rows - mean) @ directions
