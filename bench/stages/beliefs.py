"""What an attacker believes of a label, with and without the picture, when its answers are weighed as they deserve."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from bench.metrics.calibration import Calibration, calibrate, mixed, mixture_weight
from bench.metrics.leakage import label_prior, of_pairs
from bench.stages.data import Dataset, Split
from bench.stages.inference import Inference


@dataclass(frozen=True)
class Beliefs:
    """Priors counted on pictures whose labels the attacker has, and answers calibrated on attacker-validation.

    Those pictures are the ones it uses for the sensitive label, the released training set for the target label.

    Attributes:
        weight: of the counts given the target label against those of all pictures, in the prior.
    """

    dataset: Dataset
    inference: Inference
    weight: float
    calibration: Calibration

    @classmethod
    def fitted(
        cls, dataset: Dataset, inference: Inference, logits: Tensor, labels: Tensor, target: Tensor | None
    ) -> Beliefs:
        """Fit to what the attack answers for validation pictures; ``target``: their target labels where known."""
        counts = _Counts(dataset, inference)
        weight = 1.0
        if target is not None:
            weight = mixture_weight(counts.conditional(target), counts.marginal(len(labels)), labels)
        prior = counts.prior(len(labels), target, weight)
        answers, reference = counts.answers(logits, target, prior)
        return cls(dataset, inference, weight, calibrate(answers, reference, prior, labels))

    def guesses(self, logits: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log-probabilities with the picture and without it, N × classes each; given the target label where known."""
        counts = _Counts(self.dataset, self.inference)
        prior = counts.prior(len(logits), target, self.weight)
        answers, reference = counts.answers(logits, target, prior)
        return self.calibration.posterior(answers, reference, prior), prior


@dataclass(frozen=True)
class _Counts:
    dataset: Dataset
    inference: Inference

    def marginal(self, count: int) -> Tensor:
        """Log P(s) in ``count`` rows."""
        return label_prior(self._labels("label"), None, self._classes("label"), 1).expand(count, -1)

    def conditional(self, target: Tensor) -> Tensor:
        """Log P(s|t) of each target label."""
        labels, tasks = self._labels("label"), self._labels("target")
        return label_prior(labels, tasks, self._classes("label"), self._classes("target"))[target]

    def prior(self, count: int, target: Tensor | None, weight: float) -> Tensor:
        """What is believed without the picture, a row a picture."""
        marginal = self.marginal(count)
        return marginal if target is None else mixed(self.conditional(target), marginal, weight)

    def answers(self, logits: Tensor, target: Tensor | None, prior: Tensor) -> tuple[Tensor, Tensor]:
        """What the attack states of the label, and what it would state without the picture.

        An attack that answers for pairs knows the target label by itself; to the others it comes in with the prior,
        by Bayes' rule, as if picture and target label were independent given the sensitive one.
        """
        if self.inference.attack.with_task:
            return of_pairs(logits, target, self._classes("target")), prior
        return logits.double().log_softmax(1), self.marginal(len(logits))

    def _classes(self, name: str) -> int:
        return self.dataset.classes(self.inference.label if name == "label" else name)

    def _labels(self, name: str) -> Tensor:
        source: Split = "attacker_train" if self.inference.label == "sensitive" else "owner_train"
        labels = self.dataset.labels(source, self.inference.label if name == "label" else name)
        return labels[self.dataset.share(source, self.inference.aux_share)] if source == "attacker_train" else labels
