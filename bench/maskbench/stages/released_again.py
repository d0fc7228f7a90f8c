"""The attacker's training pictures, released again and again: it can run the method as often as it likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.plugins.knowledge import Releasing
from maskbench.plugins.method import Method
from maskbench.randomness import derive
from maskbench.release import Release, as_bytes
from maskbench.stages.batched_release import in_batches
from maskbench.stages.composition import together
from maskbench.stages.data import Dataset
from maskbench.stages.found_masks import as_seen
from maskbench.stages.party_release import PartyRelease, StoredRelease, release_input
from maskbench.stages.trial import Trial


def stored_draws(trial: Trial) -> tuple[PartyRelease, ...]:
    """Further releases to be read, of a method that is not run on the spot.

    It follows attributions, which take a teacher; or its masks are withheld, and have to be found first.
    """
    return trial.more_draws() if trial.method.requests() or trial.method.withholds_masks() else ()


def released_again(
    trial: Trial, dataset: Dataset, inputs: Mapping[str, Artifact], positions: Tensor | None, device: torch.device
) -> Callable[[int], Release] | None:
    """Number of an epoch, from 1 → another release of the training pictures; None where all would be equal.

    Args:
        inputs: with the attacker's release, and those of ``stored_draws``.
        positions: of the pictures that are used; None: all.
    """
    draws = [each.draw for each in stored_draws(trial)]
    if draws:
        order = [*draws, 0]
        return lambda epoch: as_seen(inputs, "attacker_train", positions, order[(epoch - 1) % len(order)])
    if trial.method.deterministic or trial.method.requests() or trial.method.withholds_masks():
        return None
    method = StoredRelease(inputs[release_input("attacker")]).fitted(trial.method, device)
    part = slice(None) if positions is None else positions
    raw, numbers, labels = (
        whole[part]
        for whole in (
            dataset.bytes("attacker_train"),
            dataset.index("attacker_train"),
            dataset.labels("attacker_train", "target"),
        )
    )

    def once(name: str) -> Release:
        return in_batches(method, raw, numbers, labels, {}, derive(trial.seed, "again", name), device)

    return lambda epoch: together(map(once, _names(epoch, trial.releases)))


def releasing(method: Method, seed: int, device: torch.device, releases: int) -> Releasing | None:
    """(pictures, draw) → what a method makes of any pictures; the task labels of those are not known.

    None where the method follows attributions, which take a teacher.

    Args:
        method: as the attacker fitted it, on the device.
        seed: other seeds, and other draws, have other random numbers.
        releases: so many are taken together.
    """
    if method.requests():
        return None

    def release(pictures: Tensor, draw: int) -> Release:
        numbers = torch.arange(len(pictures))
        raw = as_bytes(pictures).cpu()

        def once(name: str) -> Release:
            return in_batches(method, raw, numbers, None, {}, derive(seed, "release", name), device)

        return handed_out(method, together(map(once, _names(draw, releases))))

    return release


def _names(number: int, releases: int) -> list[str]:
    """What the random numbers of the releases are derived from that are taken together."""
    return [f"{number}", *(f"{number}, release {other}" for other in range(1, releases))]


def handed_out(method: Method, release: Release) -> Release:
    """A release that no masks were found for: without them, where they are withheld."""
    return Release.of_bytes(release.image_bytes) if method.withholds_masks() else release
