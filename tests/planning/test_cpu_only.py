"""What runs on the CPU alone has one key for all devices, and is made on the CPU in a run on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from maskbench import Release, RestorationAttack
from maskbench.artifacts.store import Store
from maskbench.executors.local import LocalExecutor
from maskbench.planning.plan import Plan
from maskbench.planning.prepare import prepare
from maskbench.plugins.catalogue import catalogue
from tiny import CPU, Log, tiny
from torch import Tensor

ATTACKS = ["released", "telea", "biharmonic", "local-mean", "restorer", "adaptive"]


def keys(device_type: str) -> dict[str, str]:
    """Title → key of each step."""
    _, plan = prepare(tiny(["random", "gaussian-blur"], ATTACKS), device_type)
    return {step.stage.title(): key for key, step in plan.steps.items()}


def test_a_result_of_the_cpu_alone_serves_a_run_on_a_gpu() -> None:
    cpu, cuda = keys("cpu"), keys("cuda")
    shared = {title for title in cpu if cpu[title] == cuda[title]}
    method = "random · seed 0"
    assert {"data", "release random · owner · seed 0", f"restoration telea of {method}"} <= shared
    assert {f"restoration biharmonic of {method}", f"restoration released of {method}"} <= shared
    assert not {f"restoration local-mean of {method}", f"restoration restorer of {method}"} & shared
    # What was made of something that the GPU computed is another result, wherever it is made.
    assert "release gaussian-blur · owner · seed 0" not in shared
    assert "restoration released of gaussian-blur · seed 0" not in shared


def test_every_step_is_made_where_its_key_says() -> None:
    _, plan = prepare(tiny(["random", "gaussian-blur"], ATTACKS), "cuda")
    cuda = torch.device("cuda", 1)
    for step in plan.steps.values():
        assert step.device(cuda).type == step.ingredients["device_type"]
        assert step.device(CPU) == CPU
    assert {step.device(cuda) for step in plan.steps.values()} == {CPU, cuda}


DEVICES: list[torch.device] = []
TITLE = "restoration remembers-its-device of random · seed 0"


class Placed(RestorationAttack):
    """Remembers where it was to compute."""

    name: ClassVar[str] = "remembers-its-device"
    cpu_only: ClassVar[bool] = True

    def restore(self, release: Release, device: torch.device) -> Tensor:
        DEVICES.append(device)
        return release.images


@pytest.fixture
def _placed() -> Iterator[None]:
    DEVICES.clear()
    catalogue().found["attack", Placed.name] = Placed
    yield
    del catalogue().found["attack", Placed.name]


@pytest.mark.usefixtures("_placed")
def test_it_is_handed_the_cpu_in_a_run_on_another_device(tmp_path: Path) -> None:
    _, plan = prepare(tiny(["random"], [Placed.name]), "meta")
    (wanted,) = (step for step in plan.steps.values() if step.stage.title() == TITLE)
    needed = Plan("meta")
    needed.add(wanted.stage)
    outcomes = LocalExecutor(Store(tmp_path), torch.device("meta")).execute(needed, Log())
    assert {outcome.source for outcome in outcomes.values()} == {"computed"}, [
        each.reason for each in outcomes.values()
    ]
    assert set(DEVICES) == {CPU}
    assert {outcome.timing["device"] for outcome in outcomes.values()} == {outcomes[wanted.key].timing["device"]}
