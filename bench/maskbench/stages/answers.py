"""What an inference attack answers, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import Label, Split


@dataclass(frozen=True)
class StoredAnswers:
    """The artifact of inference: what an attack answers, on the scored images and on those it is chosen by."""

    artifact: Artifact

    @staticmethod
    def pack(
        logits: Mapping[Split, Tensor],
        *,
        validation: Mapping[Split, Tensor],
        validation_labels: Tensor,
        validation_numbers: Tensor,
        late_fall: float | None = None,
    ) -> Artifact:
        """Make the artifact.

        Args:
            logits: of each scored split, float32 (N, classes).
            validation: split → logits of the pictures that attacks are compared on, for that split, (V, classes); what
                a split lacks is as for the first.
            validation_labels, validation_numbers, late_fall: see the attributes of these names.
        """
        tensors = {str(split): tensor for split, tensor in logits.items()}
        first = next(iter(validation))
        compared = {_compared(split): tensor for split, tensor in validation.items() if split != first}
        own = {"validation": validation[first], "validation_labels": validation_labels}
        return Artifact(
            {**tensors, **compared, **own, "validation_numbers": validation_numbers}, {"late_fall": late_fall}
        )

    def logits(self, split: Split) -> Tensor:
        """Float32 (N, classes), of the scored part of a split in ``scored_splits``."""
        return self.artifact.tensors[split]

    def validation(self, split: Split) -> Tensor:
        """Float32 (V, classes): logits of the pictures that attacks are compared on, for a scored split."""
        tensors = self.artifact.tensors
        return tensors[_compared(split)] if _compared(split) in tensors else tensors["validation"]

    @property
    def validation_labels(self) -> Tensor:
        """Int64 (V,): their labels."""
        return self.artifact.tensors["validation_labels"]

    @property
    def validation_numbers(self) -> Tensor:
        """Int64 (V,): their numbers in the data."""
        return self.artifact.tensors["validation_numbers"]

    @property
    def late_fall(self) -> float | None:
        """See ``training.losses.late_fall``; None where no network was trained."""
        found = self.artifact.record["late_fall"]
        return None if found is None else float(found)


def _compared(split: Split) -> str:
    return f"validation/{split}"


def scored_splits(label: Label) -> tuple[Split, ...]:
    """Where an attack on a label is scored: the target labels of the training images were given away."""
    return ("owner_train", "owner_test") if label == "sensitive" else ("owner_test",)
