"""What an attacker believes of a label, with and without the picture, when its answers are weighed as they deserve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from maskbench.data.parties import Label, Split
from maskbench.metrics.calibration import Calibration, calibrate, evidence, held_out_posterior, mixed, mixture_weight
from maskbench.metrics.leakage import label_prior, of_pairs
from maskbench.stages.data import Dataset
from maskbench.stages.inference import Inference


@dataclass(frozen=True)
class Beliefs:
    """Priors counted on pictures whose labels the attacker has, and answers calibrated on attacker-validation.

    Those pictures are the ones it uses for the sensitive label, the released training set for the target label.

    Attributes:
        inferences: of one attack, or of several whose answers are taken together; all of one label.
        weight: of the counts given the target label against those of all pictures, in the prior.
        validation: log-probabilities of the validation pictures with the picture and without it, (N, classes) each; the
            former by a calibration that has not seen the picture.
    """

    counts: Counts
    inferences: Sequence[Inference]
    weight: float
    calibration: Calibration
    validation: tuple[Tensor, Tensor]

    @classmethod
    def fitted(
        cls,
        dataset: Dataset,
        inferences: Sequence[Inference],
        logits: Sequence[Tensor],
        labels: Tensor,
        target: Tensor | None,
    ) -> Beliefs:
        """Fit to what each attack answers for validation pictures; ``target``: their target labels where known."""
        counts = Counts(dataset, inferences[0].label, inferences[0].aux_share)
        weight = counts.weight(labels, target)
        prior = counts.prior(len(labels), target, weight)
        stated = counts.evidence(inferences, logits, target, prior)
        validation = held_out_posterior(stated, prior, labels), prior
        return cls(counts, inferences, weight, calibrate(stated, prior, labels), validation)

    def guesses(self, logits: Sequence[Tensor], target: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log-probabilities with the picture and without it, (N, classes) each; given the target label where known.

        The pictures are those of one release, to which the biases of the calibration are matched.
        """
        prior = self.counts.prior(len(logits[0]), target, self.weight)
        stated = self.counts.evidence(self.inferences, logits, target, prior)
        return self.calibration.matched(stated, prior).posterior(stated, prior), prior


@dataclass(frozen=True)
class Counts:
    """What the attacker counts on pictures whose labels it has, of which it uses a share."""

    dataset: Dataset
    label: Label
    aux_share: float

    def marginal(self, count: int) -> Tensor:
        """Log P(s) in ``count`` rows."""
        return label_prior(self._labels(self.label), None, self.dataset.classes(self.label), 1).expand(count, -1)

    def conditional(self, target: Tensor) -> Tensor:
        """Log P(s|t) of each target label."""
        classes, tasks = self.dataset.classes(self.label), self.dataset.classes("target")
        return label_prior(self._labels(self.label), self._labels("target"), classes, tasks)[target]

    def weight(self, labels: Tensor, target: Tensor | None) -> float:
        """What the counts given the target label deserve against those of all pictures, on validation pictures."""
        if target is None:
            return 1.0
        return mixture_weight(self.conditional(target), self.marginal(len(labels)), labels)

    def prior(self, count: int, target: Tensor | None, weight: float) -> Tensor:
        """What is believed without the picture, a row a picture."""
        marginal = self.marginal(count)
        return marginal if target is None else mixed(self.conditional(target), marginal, weight)

    def evidence(
        self, inferences: Sequence[Inference], logits: Sequence[Tensor], target: Tensor | None, prior: Tensor
    ) -> Tensor:
        """What each attack's answers add to what it would state without the picture: (attacks, N, classes).

        An attack that answers for pairs, or that was told the target label, knows it by itself; to the others it comes
        in with the prior, by Bayes' rule, as if picture and target label were independent given the sensitive one.
        """
        found, marginal = [], self.marginal(len(prior))
        for inference, answers in zip(inferences, logits, strict=True):
            if inference.attack.with_task:
                found.append(evidence(of_pairs(answers, target, self.dataset.classes("target")), prior))
            else:
                told = inference.attack.needs_task_labels and target is not None
                found.append(evidence(answers.double().log_softmax(1), prior if told else marginal))
        return torch.stack(found)

    def _labels(self, label: Label) -> Tensor:
        source: Split = "attacker_train" if self.label == "sensitive" else "owner_train"
        labels = self.dataset.labels(source, label)
        return labels[self.dataset.share(source, self.aux_share)] if source == "attacker_train" else labels
