"""How a GPU rounds is chosen for a run, is in the keys of what is made there, and holds during its stages alone."""

from __future__ import annotations

import os

import pytest
import torch
from maskbench.errors import UsageError
from maskbench.executors.functions import Functions
from maskbench.executors.pinned import pinned
from maskbench.numerics import Numerics, autocast, current, training_precision, using
from maskbench.planning.prepare import prepare
from tiny import command, tiny

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def _own_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)


def _keys(device: str, numerics: Numerics) -> set[str]:
    """Of the stages that are made on the device of the run."""
    steps = prepare(tiny(), device, numerics)[1].steps
    return {key for key, step in steps.items() if not step.stage.cpu_only}


def test_keys_hold_what_was_chosen_for_a_gpu_and_nothing_for_the_cpu() -> None:
    choices = [Numerics(), Numerics("float32"), Numerics("tf32"), Numerics(deterministic=True)]
    keys = [_keys("cuda", numerics) for numerics in choices]
    assert all(not one & other for number, one in enumerate(keys) for other in keys[:number])
    assert len({frozenset(_keys("cpu", numerics)) for numerics in choices}) == 1


def test_what_goes_into_a_key_comes_out_of_it() -> None:
    numerics = Numerics("tf32", deterministic=True)
    assert Numerics.of(numerics.ingredients("cuda")) == numerics
    assert Numerics.of(numerics.ingredients("cpu")) is None


def _flags(numerics: Numerics | None, functions: Functions) -> tuple[object, ...]:
    with pinned(0, functions, [], numerics):
        return (
            current(),
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cudnn.allow_tf32,
            torch.backends.cuda.matmul.allow_tf32,
        )


def test_a_stage_on_a_gpu_is_pinned_as_chosen_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    functions = Functions()
    assert _flags(None, functions) == (Numerics(), False, False, False, False, False)
    assert _flags(Numerics(), functions) == (Numerics(), True, False, False, False, False)
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    repeated = Numerics("float32", deterministic=True)
    assert _flags(repeated, functions) == (repeated, False, True, True, False, False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert current() == Numerics() and not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.allow_tf32 and not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("precision", ["bfloat16", "tf32", "float32"])
def test_training_uses_the_precision_on_a_gpu_alone(precision: str) -> None:
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    with using(Numerics.chosen(precision, False)):
        for device in (CPU, CUDA):
            with training_precision(device):
                assert torch.backends.cudnn.allow_tf32 is (device == CUDA and precision == "tf32")
                assert torch.backends.cuda.matmul.allow_tf32 is (device == CUDA and precision == "tf32")
        assert not torch.backends.cudnn.allow_tf32
        with autocast(CPU):
            assert not torch.is_autocast_enabled("cpu")


def test_another_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="--precision fp8: expected bfloat16, tf32, float32"):
        Numerics.chosen("fp8", False)
    ran = command("run", "quick", "--precision", "half")
    assert ran.returncode == 2 and "expected bfloat16, tf32, float32" in ran.stderr


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_autocasts_where_bfloat16_was_chosen() -> None:
    for precision in ("bfloat16", "float32"):
        with using(Numerics.chosen(precision, False)), autocast(torch.device("cuda")):
            assert torch.is_autocast_enabled("cuda") is (precision == "bfloat16")
