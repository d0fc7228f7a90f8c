"""Which device a name stands for, and what is set before anything is computed there."""

from __future__ import annotations

import pytest
import torch
from maskbench.errors import UsageError
from maskbench.executors.hardware import choose_device


@pytest.fixture
def two_devices(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A machine with two GPUs, as far as choosing goes; what was made the current one."""
    chosen: list[object] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "init", lambda: chosen.append("started"))
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    return chosen


def test_auto_is_the_gpu_where_there_is_one(two_devices: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("auto") == torch.device("cuda")
    assert two_devices == ["started"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")


def test_a_numbered_device_is_made_the_current_one(two_devices: list[object]) -> None:
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert two_devices == [torch.device("cuda:1"), "started"]


def test_a_number_that_no_device_has_is_refused(two_devices: list[object]) -> None:
    with pytest.raises(UsageError, match=r"sees 2 here; the last one is cuda:1"):
        choose_device("cuda:2")


def test_cuda_where_there_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="sees no CUDA device"):
        choose_device("cuda")


def test_float32_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions on a GPU would otherwise keep ten bits of what attacks and methods compute in float32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    torch.backends.cuda.matmul.allow_tf32 = True
    choose_device("cpu")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
