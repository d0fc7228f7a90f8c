"""Embeddings: where a picture lies among others, as a vector of unit length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from maskbench import Recognizer, UsageError, load_torchscript
from torch import Tensor, nn
from torch.nn import functional as F


class LearnedEmbedding(nn.Module):
    """A recognizer, trained to tell classes apart; what its last linear layer sees is the embedding."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer
        self._seen: Tensor | None = None
        *_, last = (module for module in recognizer.modules() if isinstance(module, nn.Linear))
        last.register_forward_pre_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._seen = inputs[0]

    def forward(self, images: Tensor, masks: Tensor | None = None) -> Tensor:
        """Logits (N, classes), for training; ``masks`` is ignored."""
        return self.recognizer(images)

    @torch.no_grad()
    def embed(self, images: Tensor) -> Tensor:
        """Float32 (N, C, H, W) in [0, 1] → float32 (N, D) of unit length."""
        self.recognizer(images)
        assert self._seen is not None, "the hook has run"
        return F.normalize(self._seen.flatten(1).float())


def load_embedding(path: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    """The user's own network: float32 (N, C, H, W) in [0, 1] → float32 (N, D) of unit length.

    ONNX (``.onnx``) runs on the CPU through OpenCV; anything else is read as TorchScript. Grey images are handed over
    in three channels.

    Raises:
        UsageError: the file is neither, or its answer is not N × D.
    """
    run = _onnx(path) if path.suffix == ".onnx" else _torchscript(path, device)

    def embed(images: Tensor) -> Tensor:
        vectors = run(images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images)
        if vectors.ndim != 2 or len(vectors) != len(images):
            raise UsageError(
                f"The embedding {path.name} answered {tuple(vectors.shape)} to {len(images)} images, not N × D."
            )
        return F.normalize(vectors.float())

    return embed


def _torchscript(path: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    network = load_torchscript(path).to(device)

    @torch.no_grad()
    def run(images: Tensor) -> Tensor:
        return network(images)

    return run


def _onnx(path: Path) -> Callable[[Tensor], Tensor]:
    import cv2  # here, so that listing and planning do not wait for it

    try:
        network = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise UsageError(f"The embedding {path.name} is no ONNX file that OpenCV reads: {error}") from None

    def run(images: Tensor) -> Tensor:
        network.setInput(images.cpu().contiguous().numpy())
        return torch.from_numpy(network.forward()).to(images.device)

    return run
