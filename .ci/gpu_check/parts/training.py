"""Images a second in training: the product's loop, the same without recording, and a bare graphed loop."""

from __future__ import annotations

import torch
from maskbench.models.unet import UNet
from maskbench.training.classifier import train_classifier
from maskbench.training.recording import unrecorded
from maskbench.training.restorer import train_restorer
from maskbench.training.settings import CLASSIFICATION, RESTORATION

from gpu_check import bare
from gpu_check.clock import seconds_of
from gpu_check.job import Job, Notes
from gpu_check.networks import images, recognizer

TARGETS = {"resnet18": 30_000, "airbench": 100_000}
"""Images a second on one H100, as they were set before anything was measured."""

CASES = (("resnet18", 512), ("airbench", 1024), ("resnet18", 64), ("small", 512), ("small", 64))


def measure(job: Job, notes: Notes) -> None:
    """Note rates for each network and batch size, the most wanted ones first."""
    device = torch.device(job.device)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    for name, batch in CASES[-job.sized(len(CASES), 2) :]:
        if notes.left() < job.sized(12, 2):
            break
        title = f"{name}, batches of {batch}"
        with notes.attempt(title):
            notes.add(title, _rates(name, batch, device, job))
    with notes.attempt("restorer, batches of 16"):
        notes.add("restorer, batches of 16", _restorer(device, job))


def _rates(name: str, batch: int, device: torch.device, job: Job) -> dict[str, float]:
    batch = job.sized(batch, 16)
    steps = job.sized(64, 2)
    shown, labels = images(batch * steps)
    training = CLASSIFICATION.model_copy(update={"epochs": job.sized(3, 1), "batch_size": batch})
    network = recognizer(name)

    def train() -> None:
        train_classifier(network, shown, None, labels, training=training, flip=True, seed=0, device=device)

    repeats = job.sized(3, 1)
    product = seconds_of(train, device, repeats=repeats)
    with unrecorded():
        plain = seconds_of(train, device, repeats=repeats)
    step = bare.training_step(recognizer(name), shown.to(device), labels.to(device), batch)

    def loop() -> None:
        for _ in range(steps):
            step()

    alone = seconds_of(loop, device, repeats=repeats)
    seen = len(shown) * training.epochs
    rates = {
        "images/s": seen / product,
        "unrecorded, images/s": seen / plain,
        "bare loop, images/s": len(shown) / alone,
        "share of the bare loop": (seen / product) / (len(shown) / alone),
    }
    if name in TARGETS and device.type == "cuda":
        rates["target, images/s"] = float(TARGETS[name])
    return rates


def _restorer(device: torch.device, job: Job) -> dict[str, float]:
    shown, _ = images(job.sized(2048, 64))
    masks = torch.randint(0, 2, (len(shown), 1, *shown.shape[2:]), dtype=torch.uint8)
    training = RESTORATION.model_copy(update={"epochs": 1})
    network = UNet(channels_in=4, channels_out=3)

    def train() -> None:
        train_restorer(network, shown * masks, masks, shown, training=training, flip=True, seed=0, device=device)

    product = seconds_of(train, device, repeats=job.sized(3, 1))
    with unrecorded():
        plain = seconds_of(train, device, repeats=job.sized(3, 1))
    return {"images/s": len(shown) / product, "unrecorded, images/s": len(shown) / plain}
