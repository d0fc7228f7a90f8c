"""Which metrics of restorations a run has: those that its images and its settings allow, and a word on the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torchvision
from maskbench.executors.local import Outcome
from maskbench.metrics.catalogue import CATALOGUE
from maskbench.metrics.image import MS_SSIM_SIDE
from maskbench.planning.plan import Step
from maskbench.planning.suite import validate
from maskbench.results.provenance import provenance
from maskbench.running import Run, execute
from safetensors.torch import save_file

ONE_EPOCH = {"epochs": 1}


class Silent:
    """An observer that says nothing."""

    def planned(self, steps: int, stored: int) -> None:
        """See ``Observer``."""

    def started(self, step: Step) -> None:
        """See ``Observer``."""

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""

    def finished(self, outcome: Outcome) -> None:
        """See ``Observer``."""


def run(store: Path, size: int | None = None, **settings: object) -> Run:
    content = {
        "name": "metrics",
        "data": {"source": "digits", "limit": 120, "size": size},
        "methods": ("random",),
        "attacks": ("released",),
        "seeds": 1,
        "settings": {"scored": 16, "recognition": ONE_EPOCH, "attack": ONE_EPOCH, **settings},
    }
    return execute(validate(content, "test"), store, torch.device("cpu"), Silent())


def restorations(result: Run) -> set[str]:
    cells = result.tables.cells
    assert set(cells["status"]) == {"ok"}, set(cells["reason"])
    return set(cells.loc[cells["attack_kind"] == "restoration", "metric"])


def test_small_images_without_weights_have_neither(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert not {"ms_ssim", "lpips"} & restorations(result)
    assert "lpips" not in result.tables.samples.columns
    said = provenance(result, [])["unavailable_metrics"]
    assert set(said) == {"ms_ssim", "lpips"}
    assert "perceptual" in said["lpips"]
    assert str(MS_SSIM_SIDE) in said["ms_ssim"]


@pytest.mark.slow
def test_large_images_have_ms_ssim(tmp_path: Path) -> None:
    result = run(tmp_path, size=MS_SSIM_SIDE)
    cells = result.tables.cells
    assert "ms_ssim" in restorations(result)
    assert set(cells.loc[cells["metric"] == "ms_ssim", "direction"]) == {"lower"}
    raw = cells[(cells["metric"] == "ms_ssim") & (cells["method"] == "raw") & cells["attack"].eq("released")]
    assert raw["value"].to_numpy() == pytest.approx(1.0, abs=1e-5)
    assert set(provenance(result, [])["unavailable_metrics"]) == {"lpips"}


def test_weights_at_hand_give_lpips_and_their_content_decides_the_key(tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics")
    keys = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        file = tmp_path / f"secret-place-{seed}.safetensors"
        save_file(torchvision.models.squeezenet1_1(weights=None).state_dict(), file)
        result = run(tmp_path / "store", perceptual=f"squeezenet1_1@{file}")
        cells = result.tables.cells
        assert "lpips" in restorations(result)
        found = cells[(cells["metric"] == "lpips") & (cells["attack"] == "released")]
        assert set(found["direction"]) == {CATALOGUE["lpips"].direction} == {"higher"}
        assert set(found.loc[found["method"] == "raw", "value"]) == {0.0}
        assert (found.loc[found["method"] == "random", "value"] > 0).all()
        keys.append(set(found["stage_key"]) - {""})
        said = provenance(result, [])
        assert set(said["unavailable_metrics"]) == {"ms_ssim"}
        assert said["suite"]["settings"]["perceptual"]["name"] == "squeezenet1_1"
        assert "secret-place" not in json.dumps(said)
    assert not keys[0] & keys[1]
    computed = [o.step.stage.kind for o in result.outcomes.values() if o.source == "computed"]
    assert set(computed) == {"scoring"}, "other weights score anew and do nothing else again"
