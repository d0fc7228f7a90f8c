"""The whole matrix on a CUDA device. Skipped without one; ``.ci/gpu`` runs it where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from maskbench.executors.hardware import choose_device
from maskbench.stages.party_release import PartyRelease
from tiny import CPU, EVERYTHING, Ran, pooled, run, tiny

pytestmark = pytest.mark.cuda


def _run(store: Path, device: torch.device, *methods: str) -> Ran:
    return run(tiny(methods, EVERYTHING), store, device)[0]


def test_every_cell_runs(tmp_path: Path) -> None:
    methods = ("random:fill=noise", "saliency", "saliency:adjust=masknet", "pixelate")
    cells = _run(tmp_path, torch.device("cuda"), *methods).cells
    assert cells.loc[cells["status"] != "ok", ["method", "attack", "reason"]].to_dict("records") == []


def test_a_device_may_be_named_by_its_number(tmp_path: Path) -> None:
    cells = _run(tmp_path, choose_device("cuda:0"), "random").cells
    assert set(cells["status"]) == {"ok"}


def test_a_random_release_is_the_same_on_both_devices_and_the_store_keeps_them_apart(tmp_path: Path) -> None:
    releases = []
    for device in (CPU, torch.device("cuda")):
        run = _run(tmp_path, device, "random:fill=noise")
        stage = next(
            outcome.step
            for outcome in run.execution.outcomes.values()
            if isinstance(outcome.step.stage, PartyRelease) and outcome.step.stage.method.name == "random"
        )
        assert run.execution.outcomes[stage.key].source == "computed"
        releases.append(run.execution.executor.read(stage.key).tensors)
    for name, tensor in releases[0].items():
        assert torch.equal(tensor, releases[1][name]), name


def test_values_agree_with_the_cpu_within_their_intervals(tmp_path: Path) -> None:
    where = {"method": "random", "attack": "telea", "split": "owner_train", "metric": "ssim_hole"}
    here, there = (
        pooled(_run(tmp_path, device, "random").cells, **where).iloc[0] for device in (CPU, torch.device("cuda"))
    )
    # Classical inpainting of equal releases: only the metric ran on the device.
    assert there["value"] == pytest.approx(here["value"], abs=1e-4)
