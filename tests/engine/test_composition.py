"""Several releases of the same pictures: what is random leaks more, what is not leaks the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from maskbench.data.load import resolve
from maskbench.data.options import DataOptions, Released
from maskbench.errors import UsageError
from maskbench.gate.comparable import obstacles
from maskbench.planning.applicability import refuse_releases
from maskbench.planning.matrix import expand
from maskbench.plugins.catalogue import create
from maskbench.release import Release
from maskbench.results.schema import threat_model, threat_model_name
from maskbench.stages.averaged import mean_evidence
from maskbench.stages.composition import together
from maskbench.stages.released_again import releasing
from tiny import CPU, Log, Ran, pooled, run, tiny

RELEASES = 8
RANDOM = ("dp-pix:epsilon=4", "random:ratio=0.9")
Found = dict[int, tuple[Ran, Log]]


def of(pixels: list[int], kept: list[int] | None = None) -> Release:
    images = torch.tensor(pixels, dtype=torch.uint8).view(1, 1, 1, -1)
    return Release.of_bytes(images, None if kept is None else torch.tensor(kept, dtype=torch.uint8).view(1, 1, 1, -1))


def test_of_noise_the_mean_and_of_masks_the_union() -> None:
    noisy = together([of([10, 0, 255]), of([20, 0, 0]), of([31, 1, 0])])
    assert noisy.image_bytes.flatten().tolist() == [20, 0, 85]
    assert noisy.mask_bytes is None
    masked = together([of([9, 128, 128, 7], [1, 0, 0, 1]), of([9, 50, 128, 128], [1, 1, 0, 0])])
    assert masked.image_bytes.flatten().tolist() == [9, 50, 128, 7]
    assert masked.kept_bytes.flatten().tolist() == [1, 1, 0, 1]
    one = of([3, 4], [1, 0])
    assert torch.equal(together([one]).image_bytes, one.image_bytes)
    with pytest.raises(ValueError, match="no release"):
        together([])


def test_evidence_is_averaged_and_a_single_answer_stays() -> None:
    sure, unsure = torch.tensor([[4.0, 0.0]]), torch.zeros(1, 2)
    assert mean_evidence([sure]) is sure
    mean = mean_evidence([sure, unsure])
    assert 0 < float(mean[0, 0] - mean[0, 1]) < 4


def test_the_method_that_an_attacker_runs_makes_as_many_releases() -> None:
    method = create("method", "random", {"ratio": 0.75})
    pictures = torch.randint(0, 256, (6, 1, 16, 16), dtype=torch.uint8)
    one, many = (releasing(method, 0, CPU, releases) for releases in (1, 4))
    assert one is not None and many is not None
    assert torch.equal(one(pictures, 1).kept_bytes & many(pictures, 1).kept_bytes, one(pictures, 1).kept_bytes)
    assert many(pictures, 1).kept.mean() == pytest.approx(1 - 0.75**4, abs=0.1)
    assert not torch.equal(many(pictures, 1).kept_bytes, many(pictures, 2).kept_bytes)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """One release and several, in one store."""
    store, once = tmp_path_factory.mktemp("store"), {"epochs": 1}
    settings = {"scored": 480, "draws": 2, "recognition": once, "attack": once, "restoration": once}

    def ran(releases: int) -> tuple[Ran, Log]:
        suite = tiny(
            ["pixelate", *RANDOM],
            ["linear", "released"],
            data={"source": "calibrated:pictures=1200"},
            settings={**settings, "releases": releases},
        )
        done, log = run(suite, store)
        assert not log.outcomes["failed"]
        return done, log

    return {releases: ran(releases) for releases in (1, RELEASES)}


def value(ran: Ran, metric: str, method: str, **where: str) -> Any:
    name, _, params = method.partition(":")
    where["params"] = params.replace("epsilon=4", "epsilon=4.0") if name == "dp-pix" else ""
    rows = pooled(ran.cells, metric=metric, method=name, split="owner_train", **where)
    rows = rows[rows["label"] != "target"]
    assert len(rows) == 1, (metric, where, len(rows))
    return rows.iloc[0]


@pytest.mark.parametrize("method", RANDOM)
def test_what_is_random_leaks_more(found: Found, method: str) -> None:
    one, many = (value(found[releases][0], "bits", method=method, attack="strongest") for releases in (1, RELEASES))
    assert many["ci_low"] > one["ci_high"]
    restored = [value(found[releases][0], "ssim", method=method, attack="released") for releases in found]
    assert restored[1]["ci_low"] > restored[0]["ci_high"]


@pytest.mark.parametrize("method", RANDOM)
def test_evidence_of_single_releases_is_an_attack_of_its_own(found: Found, method: str) -> None:
    one, many = found[1][0], found[RELEASES][0]
    averaged = value(many, "bits", method=method, attack="averaged")
    assert averaged["value"] > value(one, "bits", method=method, attack="linear")["ci_high"]
    assert "averaged" not in set(one.cells["attack"])


def test_what_is_not_random_is_the_same_work(found: Found) -> None:
    keys = [
        {row["stage_key"] for _, row in ran.cells[ran.cells["method"] == "pixelate"].iterrows() if row["stage_key"]}
        for ran, _ in found.values()
    ]
    attacked = {key for key in keys[0] if key in keys[1]}
    assert attacked == keys[1]
    assert "averaged" not in set(found[RELEASES][0].cells.query("method == 'pixelate'")["attack"])


def test_withheld_masks_are_not_attacked() -> None:
    suite = tiny(["random:masks=withheld"], ["released"], settings={"releases": 2})
    cells = expand(suite, resolve(suite.data)).cells
    (attacked,) = (cell for cell in cells if cell.attack_name == "released" and cell.method.name == "random")
    assert "one release at a time" in str(attacked.unavailable)


def test_the_optimum_says_why_it_is_not_known(found: Found) -> None:
    cells = found[RELEASES][0].cells
    best = cells[(cells["method"] == "random") & (cells["ratio"] == 0.9) & (cells["attack"] == "optimum")]
    assert set(best["reason"]) == {"the optimum is known of one release of each picture"}


def test_results_of_different_numbers_are_never_compared(found: Found) -> None:
    one, many = (ran.folder.provenance for ran, _ in found.values())
    assert "releases" not in one["threat_model"]
    assert many["threat_model"] == {**one["threat_model"], "releases": RELEASES}
    assert any("threat model" in why for why in obstacles(one, many))
    assert threat_model_name(threat_model(3)).endswith("3 releases of each picture")


def test_a_release_that_was_made_elsewhere_is_not_made_again(tmp_path: Path) -> None:
    suite = tiny(settings={"releases": 2})
    with pytest.raises(UsageError, match=r"leave settings\.releases at 1"):
        refuse_releases(suite, DataOptions(released=Released(folder=str(tmp_path))))
    refuse_releases(suite, DataOptions())
