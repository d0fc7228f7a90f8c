"""A joint distribution of picture, task label and sensitive label: a finite mixture of Gaussians, rounded to 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskbench.worlds.distribution import Array, Distribution, drawn_given_labels

LEVELS = 255
ROUNDING = 1 / (12 * LEVELS**2)
"""Variance of the error of rounding to 8 bits, taken as uniform noise of one level."""

_BLOCK = 4096  # pictures drawn at a time: 16 px take 8 MB
_JITTER = 1e-10  # a smooth covariance is singular to machine precision; a hundredth of a thousandth of a grey value


@dataclass(frozen=True, eq=False)
class Mixture(Distribution):
    """K Gaussians over pictures of D pixels; each belongs to one task label and one sensitive label.

    Attributes:
        means: (K, D), grey values in [0, 1].
        covariances: (L, D, D), of a picture around the mean of its component, before it is rounded.
        covariance_of: int64 (K,), 0 … L − 1: which covariance a component has.
        sensitive, task: int64 (K,), the labels of a component.
        log_weights: (K,), log p(component); their exponentials add up to 1.
        shared: (D, D), the part of the one covariance that all pictures of a person have in common; None where no two
            pictures have anything in common but their labels.
    """

    means: Array
    covariances: Array
    covariance_of: NDArray[np.int64]
    sensitive: NDArray[np.int64]
    task: NDArray[np.int64]
    log_weights: Array
    shared: Array | None = None

    @property
    def prior(self) -> Array:
        joint = np.zeros((self.sensitive.max() + 1, self.task.max() + 1))
        np.add.at(joint, (self.sensitive, self.task), np.exp(self.log_weights))
        return joint

    @property
    def of_persons(self) -> bool:
        return self.shared is not None

    def draw(
        self,
        sensitive: NDArray[np.int64],
        task: NDArray[np.int64],
        generator: np.random.Generator,
        persons: NDArray[np.int64] | None = None,
    ) -> NDArray[np.uint8]:
        joint = np.zeros((len(self.means), *self.prior.shape))
        joint[np.arange(len(self.means)), self.sensitive, self.task] = np.exp(self.log_weights)
        component = drawn_given_labels(joint, sensitive, task, generator)
        own, of_person = self.covariances, None
        if self.shared is not None and persons is not None:
            own = own - self.shared
            factor = np.linalg.cholesky(self.shared + _JITTER * np.eye(len(self.shared)))
            of_person = generator.standard_normal((int(persons.max()) + 1, len(factor))) @ factor.T
        factors = np.linalg.cholesky(own)
        drawn = np.empty((len(component), self.means.shape[1]), np.uint8)
        for start in range(0, len(component), _BLOCK):
            chosen = component[start : start + _BLOCK]
            normal = generator.standard_normal((len(chosen), self.means.shape[1]))
            values = self.means[chosen]
            if of_person is not None and persons is not None:
                values += of_person[persons[start : start + _BLOCK]]
            for which, factor in enumerate(factors):
                mine = self.covariance_of[chosen] == which
                values[mine] += normal[mine] @ factor.T
            drawn[start : start + _BLOCK] = rounded(values)
        return drawn


def rounded(values: Array) -> NDArray[np.uint8]:
    """Grey values → the 8 bits that a picture is stored in."""
    return np.clip(np.round(values * LEVELS), 0, LEVELS).astype(np.uint8)


def mixture(
    variants: list[list[Array]],
    templates: Array,
    covariances: Array,
    prior: Array,
    *,
    covariance_by_class: bool = False,
    shared: Array | None = None,
) -> Mixture:
    """Build the mixture of pictures ½ + template(task) + variant(sensitive) + noise.

    Args:
        variants: for each sensitive class what its pattern may look like, each equally likely; (D,) each.
        templates: (task classes, D).
        covariances: (L, D, D).
        prior: P(sensitive, task).
        covariance_by_class: whether the sensitive class chooses the covariance; else there is one.
        shared: as in ``Mixture``.
    """
    rows = [
        (0.5 + template + variant, one, other, np.log(prior[one, other] / len(variants[one])))
        for one in range(len(variants))
        for other, template in enumerate(templates)
        for variant in variants[one]
    ]
    means, sensitive, task, weights = zip(*rows, strict=True)
    classes = np.array(sensitive)
    return Mixture(
        means=np.array(means),
        covariances=covariances,
        covariance_of=classes if covariance_by_class else np.zeros(len(rows), np.int64),
        sensitive=classes,
        task=np.array(task),
        log_weights=np.array(weights),
        shared=shared,
    )
