"""What the machine is, and the most that it does: bytes copied and numbers multiplied in a second."""

from __future__ import annotations

import os
import platform

import torch

from gpu_check.clock import seconds_of
from gpu_check.job import Job, Notes

KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def measure(job: Job, notes: Notes) -> None:
    """Note the machine, its libraries and its ceilings."""
    device = torch.device(job.device)
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        notes.add("name", properties.name)
        notes.add("memory in GB", round(properties.total_memory / 1e9, 1))
        notes.add("multiprocessors", properties.multi_processor_count)
        notes.add("compute capability", f"{properties.major}.{properties.minor}")
        notes.add("CUDA and cuDNN", f"{torch.version.cuda}, {torch.backends.cudnn.version()}")
    else:
        notes.add("name", f"cpu {platform.machine()}")
    notes.add("cores", os.cpu_count())
    notes.add("python and torch", f"{platform.python_version()}, {torch.__version__}")
    notes.add("copy, GB/s read and written", _copied(job.sized(2**28, 2**20), device))
    side = job.sized(8192, 256)
    torch.backends.cuda.matmul.allow_tf32 = False
    for name, dtype in KINDS.items():
        notes.add(f"products of {name}, TFLOP/s", _multiplied(side, dtype, device))
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        notes.add("products of tf32, TFLOP/s", _multiplied(side, torch.float32, device))


def _copied(count: int, device: torch.device) -> float:
    source = torch.randn(count, device=device)
    target = torch.empty_like(source)
    return round(2 * source.nbytes / seconds_of(lambda: target.copy_(source), device) / 1e9, 1)


def _multiplied(side: int, dtype: torch.dtype, device: torch.device) -> float:
    """Of random numbers: with zeros the chip draws less power and runs faster."""
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return round(2 * side**3 / seconds_of(lambda: left @ right, device) / 1e12, 3)
