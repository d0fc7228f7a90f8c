"""How many images go through a network at once, so that memory is bounded whatever the network and the image size.

The bound is on what autograd keeps of one pass, which is measured with a single image. On the CPU it is a constant, so
that the same work is always divided, and therefore rounded, alike. It was tuned for speed on one core of a busy
machine (32 MiB of last-level cache, processor's time, medians): ``small`` took 547, 499, 474 and 553 µs an image of
32 px in passes that keep 8, 16, 32 and 64 MiB, and 1.9, 1.8, 1.7, 2.0 and 3.0 ms one of 64 px with 16, 32, 64, 128 and
370 MiB; ``resnet18`` took 16 ms one of 32 px with 32 MiB and 14 ms with 64.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from maskbench.training.loader import free_bytes

_BYTES_CPU = 2**25
_BYTES_CUDA = 2**32
"""On a GPU more only delays the first answer; not tuned."""
_FREE_SHARE = 0.5
"""Of the memory that is free on the GPU: convolutions also need work space, and gradients come and go."""


@dataclass
class PassSize:
    """At most this many images go through the network at once, each variation of an image counted."""

    images: int

    @classmethod
    def fitting(cls, network: nn.Module, images: Tensor) -> PassSize:
        """The size that keeps to the device's bound.

        Args:
            network: in evaluation mode.
            images: (N, C, H, W), at least one; the first is run through the network.
        """
        return cls(max(_bound(images.device) // activation_bytes(network, images[:1]), 1))

    def halve(self) -> None:
        """Go on with half as many; the memory did not suffice."""
        self.images = max(self.images // 2, 1)


def activation_bytes(network: nn.Module, image: Tensor) -> int:
    """Bytes that autograd keeps of one pass of an image (1 C H W), the image included, the weights not."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    leaf = image.detach().clone().requires_grad_()
    kept = {leaf.untyped_storage().data_ptr(): leaf.untyped_storage().nbytes()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # the tensor itself would keep the graph alive that keeps it

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        answer = network(leaf)  # as long as it lives, so do the kept tensors, and no address comes twice
    del answer
    return sum(kept.values())


def _bound(device: torch.device) -> int:
    if device.type != "cuda":
        return _BYTES_CPU
    return min(_BYTES_CUDA, int(_FREE_SHARE * free_bytes(device)))
