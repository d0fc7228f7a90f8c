"""What the work ran on: the device's name, the time it took there, and the memory it held."""

from __future__ import annotations

import platform
import re
import resource
import time
from pathlib import Path
from typing import Any

import torch

from maskbench.errors import UsageError

_NAME = re.compile(r"auto|cpu|cuda(:\d+)?")


def choose_device(name: str) -> torch.device:
    """``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``; makes it ready for use.

    Raises:
        UsageError: another name, CUDA where there is none, or a number that no device has.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--device {name}: expected auto, cpu, cuda or cuda:N.")
    # What is computed in float32 is meant: TensorFloat-32, the default of convolutions, keeps 10 bits of 23.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UsageError(f"--device {name}: PyTorch sees no CUDA device here. Use --device cpu, or auto.")
    device, count = torch.device("cuda" if name == "auto" else name), torch.cuda.device_count()
    if device.index is not None:
        if device.index >= count:
            raise UsageError(f"--device {name}: PyTorch sees {count} here; the last one is cuda:{count - 1}.")
        torch.cuda.set_device(device)
    torch.cuda.init()
    return device


def device_name(device: torch.device) -> str:
    """The name of the GPU, or of the processor."""
    if device.type == "cuda":
        # A cluster may have GPUs where this machine has none.
        return torch.cuda.get_device_name(device) if torch.cuda.is_available() else "CUDA"
    return f"{_processor()} (1 thread)"  # stages are computed with one, see ``pinned``


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class Meter:
    """Measures one piece of work from its creation to ``stop``."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self._peak_is_own = _forget_peak()
        self._start = self._now()

    def stop(self) -> float:
        """Seconds since the start; work still queued on the device is waited for."""
        return self._now() - self._start

    def memory(self) -> dict[str, Any]:
        """Peak memory in bytes during this work: the device's, or the process's (so far, where only that is told)."""
        if self._device.type == "cuda":
            return {
                "peak_memory": torch.cuda.max_memory_allocated(self._device),
                "peak_memory_of": "device, this stage",
            }
        if self._peak_is_own:
            return {"peak_memory": _peak(), "peak_memory_of": "process, this stage"}
        # Linux counts kibibytes, macOS bytes.
        unit = 1 if platform.system() == "Darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        return {"peak_memory": peak, "peak_memory_of": "process, so far"}

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def _forget_peak() -> bool:
    """Have Linux count the peak memory of this process from now on; False where that cannot be had."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return _peak() > 0
    except OSError:
        return False


def _peak() -> int:
    """Bytes at the peak since it was last forgotten; 0 where the system does not say."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
