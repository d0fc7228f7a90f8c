"""Whether a label was got right, per image, and the accuracies that are means of it.

Logits are (N, classes), labels N integers. The bootstrap of ``maskbench.metrics.intervals`` resamples images by
weighting outcome columns, so every accuracy is a function of column means.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from maskbench.checks import check_labels, check_logits


def correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 1.0 where the largest logit is the label's, else 0.0: N, float32.

    Of equal logits the first counts. Raises ValueError, naming the argument, for other shapes, NaN, or labels
    out of range.
    """
    check_logits(logits, labels)
    return (logits.argmax(1) == labels).float()


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of images got right, a scalar tensor; NaN without images."""
    return correct(logits, labels).mean()


def balanced_columns(outcomes: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return the outcome columns of balanced accuracy, (N, 2 × classes), float64.

    Column c is 1 where an image is of class c and was got right, column ``classes + c`` where it is of
    class c. ``outcomes`` is what ``correct`` returned. Raises ValueError, naming the argument, for lengths
    that differ or labels out of range.
    """
    check_labels(labels, classes)
    if outcomes.shape != labels.shape:
        raise ValueError(f"outcomes: shape {tuple(outcomes.shape)} differs from labels' {tuple(labels.shape)}.")
    member = F.one_hot(labels.long(), classes).double()
    return torch.cat([member * outcomes.double()[:, None], member], dim=1)


def balanced_statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Balanced accuracy from the means (..., 2 × classes) of ``balanced_columns``. Returns (...).

    The mean of the recalls of the classes present, as scikit-learn's ``balanced_accuracy_score``; NaN where
    no class is present. A resample that misses a class is scored on the others.
    """
    hits, members = np.split(means, 2, axis=-1)
    present = members > 0
    recalls = np.divide(hits, members, out=np.zeros_like(hits), where=present)
    count = present.sum(-1)
    return np.divide(recalls.sum(-1), count, out=np.full(count.shape, np.nan), where=count > 0)
