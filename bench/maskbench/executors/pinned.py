"""What changes results and is in no key: pinned around every stage, checked after it, and put back."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from maskbench.executors.functions import Functions
from maskbench.numerics import Numerics, using
from maskbench.randomness import seeded

_AS_IT_IS = object()
_CPU = torch.device("cpu")
_SEED_LIMIT = 2**32  # numpy takes no larger one


@dataclass(frozen=True)
class _OnGpu:
    """A value that depends on what was chosen for a GPU; on the CPU it is off."""

    chosen: Callable[[Numerics], Any]
    off: Any = False

    def value(self, numerics: Numerics | None) -> Any:
        return self.off if numerics is None else self.chosen(numerics)


@dataclass(frozen=True)
class _Setting:
    """Something global that results depend on.

    Attributes:
        name: what messages call it.
        pinned: what it is during a stage; by default what it was before.
        told: whether messages say what it was changed to.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    pinned: Any = _AS_IT_IS
    told: bool = True

    def put(self, value: Any) -> None:
        """Write it where it differs."""
        if self.read() != value:
            self.write(value)


def _of(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    return lambda: getattr(owner, name), lambda value: setattr(owner, name, value)


def _determinism() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed meanwhile
        return None


def _stand_in(folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)


_SETTINGS = (
    # Sums are split among threads, so their number changes results: one, on whatever machine.
    _Setting("the number of threads", torch.get_num_threads, torch.set_num_threads, 1),
    _Setting("the default dtype", torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    _Setting(
        "the default device",
        torch.get_default_device,
        # None where it is the CPU: a device that is named slows every call down.
        lambda device: torch.set_default_device(None if device == _CPU else device),
        _CPU,
    ),
    _Setting("whether gradients are computed", torch.is_grad_enabled, torch.set_grad_enabled, True),
    _Setting(
        "whether algorithms must be deterministic",
        _determinism,
        lambda modes: torch.use_deterministic_algorithms(modes[0], warn_only=modes[1]),
        _OnGpu(lambda numerics: (numerics.deterministic, False), off=(False, False)),
    ),
    _Setting(
        "cudnn.deterministic",
        *_of(torch.backends.cudnn, "deterministic"),
        _OnGpu(lambda numerics: numerics.deterministic),
    ),
    _Setting(
        # The kernels that it finds fastest may differ from run to run, and so does rounding.
        "cudnn.benchmark",
        *_of(torch.backends.cudnn, "benchmark"),
        _OnGpu(lambda numerics: not numerics.deterministic),
    ),
    # What is computed in float32 is meant: TensorFloat-32, the default of convolutions, keeps 10 bits of 23.
    _Setting("cudnn.allow_tf32", *_of(torch.backends.cudnn, "allow_tf32"), False),
    _Setting("cuda.matmul.allow_tf32", *_of(torch.backends.cuda.matmul, "allow_tf32"), False),
    _Setting("the working folder", _folder, _stand_in, told=False),
)


@contextmanager
def pinned(seed: int, functions: Functions, changed: list[str], numerics: Numerics | None = None) -> Iterator[None]:
    """Pin threads, default dtype and device, gradients, determinism and the working folder; seed the generators.

    There is one thread, of other libraries' linear algebra too. Whatever the block changes is put back; so is what was
    pinned, and the state of the generators of torch, numpy and Python.

    Args:
        seed: for the generators: what draws from them is repeatable.
        functions: of torch and of the engine; replaced ones are put back.
        changed: gets a phrase for each thing that the block changed.
        numerics: how a GPU rounds; None: the work is done on the CPU.
    """
    functions.remember()
    if numerics is not None and numerics.deterministic:
        # What cuBLAS asks for where it is to repeat itself; it is read before its first product.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = [(setting, setting.read()) for setting in _SETTINGS]
    states = np.random.get_state(), random.getstate()
    try:
        with threadpool_limits(1), torch.inference_mode(False), seeded(seed), using(numerics or Numerics()):
            for setting in _SETTINGS:
                if setting.pinned is not _AS_IT_IS:
                    wanted = setting.pinned
                    setting.put(wanted.value(numerics) if isinstance(wanted, _OnGpu) else wanted)
            np.random.seed(seed % _SEED_LIMIT)
            random.seed(seed)
            inside = [(setting, setting.read()) for setting in _SETTINGS]
            try:
                with _naming_seeding(changed):
                    yield
            finally:
                changed += [f"replaced {name}" for name in functions.put_back()]
                changed += [_phrase(setting, setting.read()) for setting, value in inside if setting.read() != value]
                if torch.is_inference_mode_enabled():
                    changed.append("left inference mode on")
                if torch.initial_seed() != seed:
                    changed.append("seeded torch's global generator")
    finally:
        for setting, value in before:
            setting.put(value)
        np.random.set_state(states[0])
        random.setstate(states[1])


@contextmanager
def _naming_seeding(changed: list[str]) -> Iterator[None]:
    """Note who seeds the generators of numpy and Python: unlike torch's, they do not keep the seed."""
    patched = [(np.random, "numpy's global generator"), (random, "Python's global generator")]
    originals = [owner.seed for owner, _ in patched]

    def naming(original: Callable[..., None], whose: str) -> Callable[..., None]:
        def seed(*arguments: Any, **options: Any) -> None:
            phrase = f"seeded {whose}"
            if phrase not in changed:
                changed.append(phrase)
            original(*arguments, **options)

        return seed

    for (owner, whose), original in zip(patched, originals, strict=True):
        owner.seed = naming(original, whose)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for (owner, _), original in zip(patched, originals, strict=True):
            owner.seed = original  # type: ignore[attr-defined]


def _phrase(setting: _Setting, value: Any) -> str:
    return f"changed {setting.name}" + (f" to {value}".replace("torch.", "") if setting.told else "")


def complaint(changed: list[str]) -> str:
    """What a plug-in is told: ``changed the default dtype to float64: plug-ins must leave it``."""
    return f"{', '.join(changed)}: plug-ins must leave {'it' if len(changed) == 1 else 'them'}"
