"""Steps of a training that a GPU records once and replays: small networks are bound by launching their kernels."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor, nn

WARM_UP = 3
"""Steps that are taken as they are before one is recorded: libraries choose and set up their kernels in them."""

WORTHWHILE = 16
"""Fewest replays that a recording is made for."""

Inputs = tuple[Tensor | None, ...]
Backward = Callable[[Inputs], Tensor]
"""Leaves the gradients of the mean loss of a batch with the parameters, and returns the loss, detached."""

Capture = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]
"""Records what a function does; returns what replays it, and the function's result, which a replay overwrites."""

_log = logging.getLogger(__name__)
_allowed: ContextVar[bool] = ContextVar("recording", default=True)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Take every step of the trainings in the block kernel by kernel: to compare, or to look for an error."""
    token = _allowed.set(False)
    try:
        yield
    finally:
        _allowed.reset(token)


def recording_allowed(device: torch.device) -> bool:
    """Whether steps on this device are recorded."""
    return device.type == "cuda" and _allowed.get()


@dataclass(frozen=True)
class _Recorded:
    inputs: Inputs
    replay: Callable[[], None]
    loss: Tensor
    gradients: Sequence[tuple[nn.Parameter, Tensor]]


class Replayed:
    """Takes steps as ``backward`` does, and replays them once they are recorded: a recording for each batch size.

    Called with the inputs of a batch, it leaves gradients and returns the loss as ``backward`` does; the loss is valid
    until the next call. A step that cannot be recorded (it waits for the device, say) is never tried again: the log
    has the reason, and training goes on kernel by kernel.

    Args:
        backward: without effects but on tensors.
        parameters: those that get gradients.
        steps: batch size → how many steps of it the whole training has.
        capture: how a function is recorded.
    """

    def __init__(
        self, backward: Backward, parameters: Sequence[nn.Parameter], steps: Mapping[int, int], capture: Capture
    ) -> None:
        self._backward = backward
        self._parameters = parameters
        self._steps = steps
        self._capture = capture
        self._taken: Counter[int] = Counter()
        self._recorded: dict[int, _Recorded] = {}
        self.refusal = ""

    def __call__(self, inputs: Inputs) -> Tensor:
        size = next(len(tensor) for tensor in inputs if tensor is not None)
        if size not in self._recorded and self._due(size):
            self._record(size, inputs)
        self._taken[size] += 1
        recorded = self._recorded.get(size)
        if recorded is None:
            return self._backward(inputs)
        for kept, given in zip(recorded.inputs, inputs, strict=True):
            if kept is not None and given is not None:
                kept.copy_(given, non_blocking=True)
        for parameter, gradient in recorded.gradients:  # another batch size has other ones
            parameter.grad = gradient
        recorded.replay()
        return recorded.loss

    def _due(self, size: int) -> bool:
        left = self._steps[size] - self._taken[size]
        return not self.refusal and self._taken[size] >= WARM_UP and left >= WORTHWHILE

    def _record(self, size: int, inputs: Inputs) -> None:
        kept = tuple(None if tensor is None else tensor.clone() for tensor in inputs)
        for parameter in self._parameters:
            parameter.grad = None
        try:
            replay, loss = self._capture(lambda: self._backward(kept))
        except RuntimeError as error:
            self.refusal = str(error).partition("\n")[0]
            _log.warning("training steps are not recorded as a CUDA graph: %s", self.refusal)
            return
        gradients = [(parameter, parameter.grad) for parameter in self._parameters if parameter.grad is not None]
        self._recorded[size] = _Recorded(kept, replay, loss, gradients)


class Graphs:
    """Records functions as CUDA graphs that share their memory, since they run one after the other."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, function: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.current_stream()
        with torch.cuda.graph(graph, pool=self._pool, stream=stream, capture_error_mode="thread_local"):
            result = function()
        return graph.replay, result


@contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """Queue the work of the block on a stream of its own, as recording needs it; nothing changes on the CPU."""
    if device.type != "cuda":
        yield
        return
    around = torch.cuda.current_stream(device)
    stream = torch.cuda.Stream(device)
    stream.wait_stream(around)
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        around.wait_stream(stream)
