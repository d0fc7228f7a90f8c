"""Restoration by a diffusion model of the attacker's raw pictures: what pictures look like fills the holes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import torch
from maskbench import (
    Aux,
    LearnsFrom,
    Randomness,
    RawAux,
    Release,
    RestorationAttack,
    content_numbers,
    derive,
    evaluating,
)
from pydantic import Field
from torch import Tensor

from ._denoiser import GROUPS, Denoiser, signal_and_noise, train_denoiser

_BATCH = 256  # images sampled at once: bounds the memory


class Diffusion(RestorationAttack):
    """RePaint: a diffusion model trained on the attacker's raw pictures samples what may fill the holes.

    It learns nothing of the method, so one model fits every mask: it is trained once for all methods and seeds. It
    needs masks: RePaint puts the known pixels back at every step, and without masks none is known.
    """

    name: ClassVar[str] = "diffusion"
    source: ClassVar[str] = "2201.09865 (RePaint, algorithm 1); 2006.11239 (DDPM)"
    learns_from: ClassVar[LearnsFrom] = "raw"
    needs_masks: ClassVar[bool] = True
    restores_training: ClassVar[bool] = False

    width: int = Field(32, ge=8, multiple_of=GROUPS, description="channels of the denoiser's first level")
    passes: int = Field(
        4, ge=1, description="epochs of the denoiser for each epoch of the suite's restoration training"
    )
    steps: int = Field(10, ge=1, le=1000, description="noise levels that sampling comes down through")
    jump: int = Field(2, ge=1, description="levels that sampling goes back at once, to fit the holes to what is around")
    resamples: int = Field(
        4, ge=1, description="times that every stretch of `jump` levels is gone through; 1: no jumps"
    )
    samples: int = Field(4, ge=1, description="samples that are averaged: more come nearer to the expected image")

    def fit_raw(self, aux: RawAux) -> dict[str, Tensor]:
        network = Denoiser(aux.raw.shape[1], self.width)
        epochs = aux.training.epochs * self.passes
        train_denoiser(
            network,
            aux.raw,
            training=aux.training.model_copy(update={"epochs": epochs}),
            flip=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
        )
        return network.state_dict()

    def fit(self, aux: Aux) -> Any:
        return aux.from_raw, aux.seed

    def restore(self, release: Release, device: torch.device) -> Tensor:
        learned, seed = self.state
        network = Denoiser(release.image_bytes.shape[1], self.width)
        network.load_state_dict(learned)
        network.to(device).to(memory_format=torch.channels_last)
        moves = schedule(self.steps, self.jump, self.resamples)
        seeds = [derive(seed, "sample", str(number)) for number in range(self.samples)]
        with evaluating(network), torch.inference_mode():
            parts = [release.select(index) for index in torch.arange(len(release)).split(_BATCH)]
            nothing = torch.zeros((), device=device)
            restored = [sum((repaint(network, part, moves, seed, device) for seed in seeds), nothing) for part in parts]
        return torch.cat(restored).cpu() / self.samples


def schedule(steps: int, jump: int, resamples: int) -> list[tuple[float, float]]:
    """The moves (from, to) between noise levels in [0, 1] that RePaint makes, from 1 to 0.

    Every ``jump`` levels sampling goes back up by as many, ``resamples`` − 1 times (2201.09865, section 4.2 and
    appendix B; their schedule, with one move up instead of ``jump`` small ones, which has the same distribution).
    """
    left = dict.fromkeys(range(0, steps - jump, jump), resamples - 1)
    level, visited = steps, [steps]
    while level > 0:
        level -= 1
        visited.append(level)
        if left.get(level, 0) > 0:
            left[level] -= 1
            level += jump
            visited.append(level)
    return [(here / steps, there / steps) for here, there in pairwise(visited)]


def repaint(
    network: Denoiser, release: Release, moves: list[tuple[float, float]], seed: int, device: torch.device
) -> Tensor:
    """One sample for each image of a release, given its kept pixels; float32 (N, C, H, W) in [0, 1], on the device.

    The noise of an image depends on the seed and on what the image shows, not on the batch.
    """
    shape = release.images.shape[1:]
    random = Randomness(seed, content_numbers(release).to(device))
    known, kept = release.images.to(device) * 2 - 1, release.kept.to(device)
    noisy = random.normal(*shape)
    ends = torch.tensor(moves, dtype=torch.float64)
    signals, spreads = (share.tolist() for share in signal_and_noise(ends))
    for (here, there), signal, spread in zip(moves, signals, spreads, strict=True):
        noise = random.normal(*shape)
        if there > here:
            noisy = _noisier(noisy, noise, signal, spread)
            continue
        shown = noisy.contiguous(memory_format=torch.channels_last)
        clean = network(shown, torch.full((len(noisy),), here, device=device)).clamp(-1, 1)
        proposed = _less_noisy(noisy, clean, noise, signal, spread)
        noisy = torch.where(kept == 1, signal[1] * known + spread[1] * noise, proposed)
    return ((noisy + 1) / 2).clamp(0, 1)


def _less_noisy(noisy: Tensor, clean: Tensor, noise: Tensor, signal: list[float], spread: list[float]) -> Tensor:
    """A draw from q(x_there | x_here, x_0), equations 6 and 7 of 2006.11239 for any two levels here > there."""
    (here, there), (much, little) = signal, spread
    ratio = here / there
    added = much**2 - (ratio * little) ** 2
    mean = (ratio * little**2 * noisy + there * added * clean) / much**2
    return mean + (max(added, 0.0) ** 0.5 * little / much) * noise


def _noisier(noisy: Tensor, noise: Tensor, signal: list[float], spread: list[float]) -> Tensor:
    """A draw from q(x_there | x_here) for there > here: equation 2 of 2006.11239 over several levels at once."""
    ratio = signal[1] / signal[0]
    return ratio * noisy + max(spread[1] ** 2 - (ratio * spread[0]) ** 2, 0.0) ** 0.5 * noise
