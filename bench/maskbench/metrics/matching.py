"""How often a release finds its picture among candidates: outcomes of single releases, from scores."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.metrics.identification import FALSE_ACCEPTANCE


def outcomes(pool: Tensor, own: Tensor, control: Tensor) -> dict[str, Tensor]:
    """Name → one value a release, float64 (N,).

    - rank_1: 1 where its own picture is the most alike in the pool; 1/t where t are equally alike.
    - naive_rank_1: what a guess gets, 1/M.
    - control_rank_1: rank_1 of a picture of the control pool in the place of its own.
    - matching_auc: the share of control pairs that are less alike than it and its own picture; equal ones count half.
    - matching_tpr: 1 where they are more alike than all but 1 % of control pairs.

    Args:
        pool: scores of N releases and M candidates, (N, M).
        own: int64 (N,), which candidate each release is of.
        control: scores of candidates that no release is of, (N, K), K ≥ 1. All N · K are control pairs.
    """
    right = pool.gather(1, own[:, None])
    others = pool.scatter(1, own[:, None], -torch.inf)
    stand_in = torch.arange(len(pool)) % control.shape[1]
    wrong = control.flatten().sort().values
    below, up_to = (torch.searchsorted(wrong, right.flatten(), right=side) for side in (False, True))
    allowed = int(FALSE_ACCEPTANCE * len(wrong))
    return {
        "rank_1": first(right, others),
        "naive_rank_1": torch.full((len(pool),), 1 / pool.shape[1], dtype=torch.float64),
        "control_rank_1": first(control.gather(1, stand_in[:, None]), others),
        "matching_auc": (below + up_to).double() / 2 / len(wrong),
        "matching_tpr": (right.flatten() > wrong[-1 - allowed]).double(),
    }


def first(own: Tensor, others: Tensor) -> Tensor:
    """Chance that its own is drawn among the highest scores: (N, 1), (N, M) → float64 (N,)."""
    beaten = (others > own).any(dim=1)
    equal = (others == own).sum(dim=1).double()
    return torch.where(beaten, 0.0, 1 / (1 + equal))
