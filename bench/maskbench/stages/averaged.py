"""Several releases of the same pictures, looked at one by one: what an attack says of each is averaged."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import SPLITS_OF, Party, Split
from maskbench.release import Release
from maskbench.stages.party_release import StoredRelease
from maskbench.stages.stage import Stage
from maskbench.stages.trial import Trial


def other_inputs(trial: Trial, releases: int) -> dict[str, Stage]:
    """What a stage reads to see all but the first of so many releases, of both parties."""
    return {
        _input(party, number): trial.release(party, again=number)
        for party in SPLITS_OF
        for number in range(1, releases)
    }


def other_releases(inputs: Mapping[str, Artifact], split: Split, positions: Tensor, releases: int) -> list[Release]:
    """Some pictures of a split in all but the first of so many releases."""
    party: Party = "attacker" if split in SPLITS_OF["attacker"] else "owner"
    stored = [StoredRelease(inputs[_input(party, number)]) for number in range(1, releases)]
    return [each.release(split, positions) for each in stored]


def mean_evidence(answers: list[Tensor]) -> Tensor:
    """The mean of log-probabilities over releases of the same pictures; of one release its logits as they are.

    Args:
        answers: of each release the logits, (N, classes).
    """
    return answers[0] if len(answers) == 1 else torch.stack([each.log_softmax(1) for each in answers]).mean(0)


def _input(party: Party, number: int) -> str:
    return f"release/{party}/again/{number}"
