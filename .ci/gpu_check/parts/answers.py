"""Images a second of trained networks: prediction, attributions and restoration, against graphed passes."""

from __future__ import annotations

from functools import partial

import torch
from maskbench.attributions.algorithm import find
from maskbench.attributions.passes import PassSize
from maskbench.models.unet import UNet
from maskbench.release import to_float
from maskbench.training.classifier import predict
from maskbench.training.restorer import restore

from gpu_check import bare
from gpu_check.clock import seconds_of
from gpu_check.job import Job, Notes
from gpu_check.networks import images, recognizer

PASSES = {"gradient": 1, "grad-cam": 1, "integrated-gradients": 17}
"""Forward and backward passes of an image that each attribution is counted as."""

STAGE_BATCH = 256
"""Images that the attribution stage hands over at once."""


def measure(job: Job, notes: Notes) -> None:
    """Note rates for each recognizer."""
    device = torch.device(job.device)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    shown, _ = images(job.sized(8192, 64))
    for name in ("small", "resnet18")[: job.sized(2, 1)]:
        network = recognizer(name)
        with notes.attempt(f"prediction, {name}"):
            seconds = seconds_of(partial(predict, network, shown, None, device=device), device, repeats=3)
            batch = to_float(shown[:512].to(device))
            alone = seconds_of(bare.forward_pass(network.eval(), batch), device) / len(batch)
            notes.add(f"prediction, {name}", _row(len(shown) / seconds, 1 / alone))
        batch = to_float(shown[:STAGE_BATCH].to(device))
        explained = network.recognizer.eval().requires_grad_(False)
        alone = seconds_of(bare.gradient_pass(explained, batch), device) / len(batch)
        size = PassSize.fitting(explained, batch)
        for attribution, passes in PASSES.items():
            title = f"attribution {attribution}, {name}"
            with notes.attempt(title):
                algorithm = find(attribution)
                seconds = seconds_of(partial(algorithm.explain, explained, batch, size), device, repeats=3)
                notes.add(title, _row(len(batch) / seconds, 1 / alone / passes))
    with notes.attempt("restorer"):
        network = UNet(channels_in=4, channels_out=3)
        masks = torch.ones(len(shown), 1, *shown.shape[2:], dtype=torch.uint8)
        seconds = seconds_of(lambda: restore(network, shown, masks, device=device), device, repeats=3)
        notes.add("restorer", {"images/s": len(shown) / seconds})


def _row(rate: float, alone: float) -> dict[str, float]:
    return {"images/s": rate, "graphed passes, images/s": alone, "share of graphed passes": rate / alone}
