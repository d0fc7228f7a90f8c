"""What every scoring stage leaves: per image how well an attack or a recognizer did, and what it is chosen by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Split


@dataclass(frozen=True)
class Validation:
    """What an attacker chooses an attack by, for one of the owner's splits, on pictures whose answer it knows.

    Attributes:
        numbers: int64 (V,), of the pictures in the data.
        scores: float (V,), higher = better for the attacker; NaN where a picture has none.
        gains: float64 (V,) of −1, 0 and 1, of inference: whether the attack is right, minus whether the prior is.
    """

    numbers: Tensor
    scores: Tensor
    gains: Tensor | None = None


@dataclass(frozen=True)
class Scored:
    """The artifact of a scoring stage, from which every number of the results can be computed again."""

    artifact: Artifact

    @staticmethod
    def pack(
        columns: Mapping[Split, Mapping[str, Tensor]],
        *,
        probabilities: Mapping[Split, Tensor] | None = None,
        validation: Mapping[Split, Validation] | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Make the artifact of some of the owner's splits.

        Args:
            columns: split → name → one value an image, (N,); "number" is among them.
            probabilities: split → what is believed of each image's label, float32 (N, classes).
            validation: split → what the attacker chooses by.
            record: what else the stage found out.
        """
        tensors = {f"{split}/{name}": column for split, table in columns.items() for name, column in table.items()}
        tensors |= {_probabilities(split): table for split, table in (probabilities or {}).items()}
        for split, chosen in (validation or {}).items():
            tensors |= {_numbers(split): chosen.numbers, _scores(split): chosen.scores}
            if chosen.gains is not None:
                tensors[_gains(split)] = chosen.gains
        # A tensor may stand for two names (the hole is the whole); in a file each needs memory of its own.
        apart = {name: tensor.cpu().clone() for name, tensor in tensors.items()}
        return Artifact(apart, record or {})

    @property
    def splits(self) -> tuple[Split, ...]:
        """The owner's splits that were scored."""
        return tuple(split for split in SPLITS_OF["owner"] if f"{split}/number" in self.artifact.tensors)

    def columns(self, split: Split) -> dict[str, Tensor]:
        """Name → one value an image, (N,); empty where the split was not scored."""
        prefix = f"{split}/"
        tensors = self.artifact.tensors
        return {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}

    def probabilities(self, split: Split) -> Tensor | None:
        """Float32 (N, classes): what an inference attack believes of each image's label; None for other stages."""
        return self.artifact.tensors.get(_probabilities(split))

    def validation_scores(self, split: Split) -> tuple[Tensor, Tensor] | None:
        """The pictures that an attack is chosen on: their numbers, int64 (V,), and scores, (V,); None without any.

        Scores are bits of information (float64) for inference, and the hole SSIM (float32) for restoration.
        """
        scores = self.artifact.tensors.get(_scores(split))
        return None if scores is None else (self.artifact.tensors[_numbers(split)], scores)

    def validation_gains(self, split: Split) -> Tensor | None:
        """Of the same pictures, whether an inference is right minus whether the prior is, float64 (V,)."""
        return self.artifact.tensors.get(_gains(split))


def _probabilities(split: Split) -> str:
    return f"probabilities/{split}"


def _numbers(split: Split) -> str:
    return f"validation/{split}/numbers"


def _scores(split: Split) -> str:
    return f"validation/{split}/scores"


def _gains(split: Split) -> str:
    return f"validation/{split}/gains"
