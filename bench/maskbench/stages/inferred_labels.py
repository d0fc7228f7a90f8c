"""The labels that an inference attack learns, and those that its answers are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from maskbench.data.parties import Label, Split
from maskbench.randomness import derive
from maskbench.stages.data import Dataset


@dataclass(frozen=True)
class InferredLabels:
    """Labels of one kind, as one attack learns them.

    Attributes:
        label: the one to infer.
        with_task: the attack learns its pairs with the target label.
        permuted: they are shuffled among the pictures of one task label.
        seed: of the trial.
    """

    dataset: Dataset
    label: Label
    with_task: bool
    permuted: bool
    seed: int

    @property
    def classes(self) -> int:
        """How many classes the attack tells apart."""
        return self.dataset.classes(self.label) * (self.dataset.classes("target") if self.with_task else 1)

    def learned(self, split: Split) -> Tensor:
        """What the attack learns on its own pictures: the label, or its pairs with the target label; int64 (N,)."""
        labels = self.known(split)
        if not self.with_task:
            return labels
        return labels * self.dataset.classes("target") + self.dataset.labels(split, "target")

    def known(self, split: Split) -> Tensor:
        """The label of pictures whose label the attacker knows, or believes to know: int64 (N,)."""
        labels = self.dataset.labels(split, self.label)
        if not self.permuted:
            return labels
        generator = torch.Generator().manual_seed(derive(self.seed, "permuted", split))
        return shuffled_within(self.dataset.labels(split, "target"), labels, generator)


def shuffled_within(groups: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Labels in random order within each group: int64 (N,), for int64 (N,) twice."""
    order = torch.randperm(len(labels), generator=generator)
    found = torch.empty_like(labels)
    found[groups.argsort(stable=True)] = labels[order][groups[order].argsort(stable=True)]
    return found
