"""Which metrics of restorations a run has: those that its images and its settings allow, and a word on the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny
import torch
import torchvision
from maskbench.metrics.catalogue import metric_of
from maskbench.metrics.image import MS_SSIM_SIDE
from maskbench.planning.suite import validate
from safetensors.torch import save_file

ONE_EPOCH = {"epochs": 1}


def run(store: Path, size: int | None = None, **settings: object) -> tiny.Ran:
    content = {
        "name": "metrics",
        "data": {"source": "digits", "limit": 120, "size": size},
        "methods": ("random",),
        "attacks": ("released",),
        "seeds": 1,
        "settings": {"scored": 16, "recognition": ONE_EPOCH, "attack": ONE_EPOCH, **settings},
    }
    return tiny.run(validate(content, "test"), store)[0]


def restorations(result: tiny.Ran) -> set[str]:
    cells = result.cells
    assert set(cells["status"]) == {"ok"}, set(cells["reason"])
    return set(cells.loc[cells["attack_kind"] == "restoration", "metric"])


def test_small_images_without_weights_have_neither(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert not {"ms_ssim", "lpips"} & restorations(result)
    assert "lpips" not in result.samples.columns
    said = result.folder.provenance["unavailable_metrics"]
    assert set(said) == {"ms_ssim", "lpips", "efficiency", "late_fall"}
    assert "perceptual" in said["lpips"]
    assert str(MS_SSIM_SIDE) in said["ms_ssim"]


@pytest.mark.slow
def test_large_images_have_ms_ssim(tmp_path: Path) -> None:
    result = run(tmp_path, size=MS_SSIM_SIDE)
    cells = result.cells
    assert "ms_ssim" in restorations(result)
    assert set(cells.loc[cells["metric"] == "ms_ssim", "direction"]) == {"lower"}
    raw = cells[(cells["metric"] == "ms_ssim") & (cells["method"] == "raw") & cells["attack"].eq("released")]
    assert raw["value"].to_numpy() == pytest.approx(1.0, abs=1e-5)
    assert set(result.folder.provenance["unavailable_metrics"]) == {"lpips", "efficiency", "late_fall"}


def test_weights_at_hand_give_lpips_and_their_content_decides_the_key(tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics")
    keys = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        file = tmp_path / f"secret-place-{seed}.safetensors"
        save_file(torchvision.models.squeezenet1_1(weights=None).state_dict(), file)
        result = run(tmp_path / "store", perceptual=f"squeezenet1_1@{file}")
        cells = result.cells
        assert "lpips" in restorations(result)
        found = cells[(cells["metric"] == "lpips") & (cells["attack"] == "released")]
        assert set(found["direction"]) == {metric_of("restoration", "lpips").direction} == {"higher"}
        assert set(found.loc[found["method"] == "raw", "value"]) == {0.0}
        assert (found.loc[found["method"] == "random", "value"] > 0).all()
        keys.append(set(found["stage_key"]) - {""})
        said = result.folder.provenance
        assert set(said["unavailable_metrics"]) == {"ms_ssim"}
        assert said["suite"]["settings"]["perceptual"]["name"] == "squeezenet1_1"
        assert "secret-place" not in json.dumps(said)
    assert not keys[0] & keys[1]
    computed = [o.step.stage.kind for o in result.execution.outcomes.values() if o.source == "computed"]
    assert set(computed) == {"scoring"}, "other weights score anew and do nothing else again"
