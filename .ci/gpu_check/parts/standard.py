"""The suite ``standard`` on CIFAR: first on few images, then on as many as the time allows; 50,000 are extrapolated."""

from __future__ import annotations

from typing import Any

from gpu_check.command import run_suite
from gpu_check.job import Job, Notes

FEW = ("-m", "random", "-a", "released", "--ratio", "0.5")
WHOLE = 50_000
ROUNDED = 500
MARGIN = 0.8
"""Share of the time that is left which the second run may be expected to take."""


def measure(job: Job, notes: Notes) -> None:
    """Note both runs and, from a straight line through them, the time of 50,000 images."""
    first = job.sized(1_000, 240)
    began = notes.left()
    with notes.attempt(f"{first} images"):
        notes.add(f"{first} images", _run(job, first, seconds=notes.left()))
        taken = began - notes.left()
        # Nothing is known yet of what does not grow with the images: the estimate is too high, so the run is too short.
        second = job.sized(min(WHOLE, int(first * MARGIN * notes.left() / taken) // ROUNDED * ROUNDED), 480)
        if second < 1.5 * first:
            notes.add("extrapolated", {"seconds": "no time for a second run, so nothing to extrapolate from"})
            return
        began = notes.left()
        notes.add(f"{second} images", _run(job, second, seconds=notes.left()))
        notes.add(
            f"{WHOLE} images, EXTRAPOLATED by a straight line through two runs, not measured",
            {"seconds": round(extrapolated(first, taken, second, began - notes.left(), WHOLE), 1)},
        )


def extrapolated(first: int, first_seconds: float, second: int, second_seconds: float, whole: int) -> float:
    """The time of ``whole`` images, on the line through the times of two counts."""
    slope = (second_seconds - first_seconds) / (second - first)
    return second_seconds + slope * (whole - second)


def _run(job: Job, count: int, seconds: float) -> dict[str, Any]:
    folder = job.cifar()
    data = () if folder is None else ("--data", str(folder))
    few = FEW if job.rehearsal else ()
    row = run_suite(
        job, f"standard-{count}", "standard", *data, "--limit", str(count), "--seeds", "1", *few, seconds=seconds
    )
    return {"data": "digits: no CIFAR was given" if folder is None else "cifar10-jpeg", "seeds": 1, **row}
