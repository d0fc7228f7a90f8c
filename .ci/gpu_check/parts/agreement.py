"""The same work on the CPU and on the device, in float32 and in bfloat16; recorded steps against plain ones."""

from __future__ import annotations

from typing import Any

import torch
from maskbench.attributions.algorithm import find
from maskbench.metrics.image import ssim
from maskbench.numerics import Numerics, using
from maskbench.release import to_float
from maskbench.training.classifier import predict, train_classifier
from maskbench.training.recording import unrecorded
from maskbench.training.settings import CLASSIFICATION
from torch import Tensor

from gpu_check.job import Job, Notes
from gpu_check.networks import images, recognizer

CPU = torch.device("cpu")
RECOGNIZERS = ("small", "airbench", "resnet18")
ATTRIBUTIONS = ("gradient", "grad-cam")
FLOAT32, BFLOAT16 = Numerics("float32"), Numerics("bfloat16")


def measure(job: Job, notes: Notes) -> None:
    """Note the largest differences, each with the largest value beside it."""
    device = torch.device(job.device)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    count = job.sized(256, 64)
    for name in RECOGNIZERS[: job.sized(3, 1)]:
        with notes.attempt(f"logits of {name}"):
            notes.add(f"logits of {name}", _logits(name, count, device))
    for name in ATTRIBUTIONS:
        with notes.attempt(f"attribution {name}"):
            notes.add(f"attribution {name}", _attribution(name, count, device))
    with notes.attempt("ssim"):
        notes.add("ssim", _ssim(count, device))
    for name in RECOGNIZERS[: job.sized(3, 1)]:
        with notes.attempt(f"training of {name}"):
            _training(name, count, device, notes)


def _logits(name: str, count: int, device: torch.device) -> dict[str, Any]:
    shown, _ = images(count)
    here, there = (predict(recognizer(name), shown, None, device=place) for place in (CPU, device))
    return _difference(here, there)


def _attribution(name: str, count: int, device: torch.device) -> dict[str, Any]:
    shown = to_float(images(count)[0])
    maps = []
    for place in (CPU, device):
        network = recognizer("small").recognizer.eval().requires_grad_(False).to(place)
        maps.append(find(name).explain(network, shown.to(place)).cpu())
    return _difference(*maps)


def _ssim(count: int, device: torch.device) -> dict[str, Any]:
    shown = to_float(images(count)[0])
    other = (shown + 0.1).clamp(0, 1)
    return _difference(*(ssim(shown.to(place), other.to(place)).cpu() for place in (CPU, device)))


def _training(name: str, count: int, device: torch.device, notes: Notes) -> None:
    """Losses of each epoch: device against CPU, bfloat16 against float32, recorded against kernel by kernel."""
    here, _ = _trained(name, count, CPU, FLOAT32)
    there, weights = _trained(name, count, device, FLOAT32)
    notes.add(f"training of {name}: float32 against CPU", _losses(here, there))
    coarse, _ = _trained(name, count, device, BFLOAT16)
    notes.add(f"training of {name}: bfloat16 against float32", _losses(there, coarse))
    with unrecorded():
        plain, plain_weights = _trained(name, count, device, FLOAT32)
    notes.add(f"training of {name}: recorded against plain", _losses(plain, there))
    notes.add(f"weights of {name}: recorded against plain", _difference(plain_weights, weights))
    again, _ = _trained(name, count, device, FLOAT32)
    notes.add(f"training of {name}: the same again", _losses(there, again))


def _trained(name: str, count: int, device: torch.device, numerics: Numerics) -> tuple[list[float], Tensor]:
    shown, labels = images(count)
    network = recognizer(name)
    # Long enough for a recording: three plain steps and sixteen to replay.
    training = CLASSIFICATION.model_copy(update={"epochs": 6, "batch_size": count // 4})
    with using(numerics):
        losses = train_classifier(network, shown, None, labels, training=training, flip=True, seed=0, device=device)
    return losses, torch.cat([weight.detach().cpu().flatten() for weight in network.parameters()])


def _losses(expected: list[float], found: list[float]) -> dict[str, Any]:
    return _difference(torch.tensor(expected), torch.tensor(found))


def _difference(expected: Tensor, found: Tensor) -> dict[str, Any]:
    """The largest difference, the largest value, and their ratio; NaN where something is not finite."""
    largest = float((expected - found).abs().max())
    scale = float(expected.abs().max())
    return {"largest difference": largest, "largest value": scale, "ratio": largest / scale if scale else largest}
