"""How well members are told from others by a score: outcomes of single members."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.metrics.identification import FALSE_ACCEPTANCE


def outcomes(members: Tensor, others: Tensor) -> dict[str, Tensor]:
    """Name → one value a member, float64 (N,).

    - member_auc: its mean is the share of pairs in which the member has the higher score; equal ones count half. Each
      value is the member's share of others below it, plus one other's share of members above it, minus that mean. So
      the variance over values is that of DeLong, DeLong and Clarke-Pearson 1988, in which both sides vary.
    - member_tpr: 1 where the score is above that of all but 1 % of the others. The threshold counts as known.

    Args:
        members: scores, (N,), higher = more likely a member.
        others: scores of as many pictures that are none, (N,).

    Raises:
        ValueError: there are more of one than of the other.
    """
    if members.shape != others.shape:
        raise ValueError(f"{len(members)} members and {len(others)} others: as many of both are compared.")
    of_members, of_others = _shares_below(members, others), 1 - _shares_below(others, members)
    auc = of_members.mean()
    allowed = int(FALSE_ACCEPTANCE * len(others))
    threshold = others.sort(descending=True).values[allowed]
    return {"member_auc": of_members + of_others - auc, "member_tpr": (members > threshold).double()}


def _shares_below(values: Tensor, among: Tensor) -> Tensor:
    """The share of others that are smaller than each value; equal ones count half."""
    ordered = among.sort().values
    below, up_to = (torch.searchsorted(ordered, values.contiguous(), right=side) for side in (False, True))
    return (below + up_to).double() / 2 / len(among)
