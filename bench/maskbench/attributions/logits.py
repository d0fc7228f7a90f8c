"""The class that is explained, and the one number whose gradient gradient attributions take."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskbench.models.recognizer import Recognizer


class LogitSum(nn.Module):
    """The logit of each image's class, summed over the batch: shape (1,).

    An image's logit depends on no other image, so the gradient of the sum holds the gradient of each. Captum would
    otherwise unbind the batch, and autograd make and stack a tensor for every image.

    Args:
        network: in evaluation mode.
        classes: int64 (N,), for batches of N images or of whole repetitions of them; None takes the class that the
            network predicts in the same pass, which then needs no pass of its own.
    """

    def __init__(self, network: Recognizer, classes: Tensor | None = None) -> None:
        super().__init__()
        self.network = network
        self.classes = classes

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to the sum of their logits, shape (1,)."""
        logits = self.network(images)
        if self.classes is None:
            chosen = logits.max(dim=1).values
        else:
            chosen = logits.gather(1, self.classes.repeat(len(images) // len(self.classes))[:, None])
        return chosen.sum().view(1)


@torch.no_grad()
def predicted_classes(network: Recognizer, images: Tensor) -> Tensor:
    """The class that the network predicts for each image, int64 (N,)."""
    return network(images).argmax(dim=1)
