"""Results that must come out as they do, whatever the implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maskbench.metrics.image import PSNR_CAP
from maskbench.metrics.intervals import difference
from maskbench.plugins.files import add_file
from tiny import pooled, run, tiny

TRAINING = {"epochs": 8}
SETTINGS = {
    "recognizer": "small:width=16",
    "scored": 256,
    "recognition": TRAINING,
    "attack": TRAINING,
    "restoration": TRAINING,
}
WHOLE = {"source": "digits", "size": 16}


@pytest.fixture(scope="module")
def controls(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Cells of both controls and of random patches, on all digits, 2 seeds."""
    suite = tiny(
        ("raw", "full-mask", "random"),
        ("released", "mean-fill", "restorer", "adaptive", "reverse", "mask-only"),
        data=WHOLE,
        seeds=2,
        settings=SETTINGS,
    )
    return run(suite, tmp_path_factory.mktemp("store"))[0].cells


def _value(cells: pd.DataFrame, **where: str) -> pd.Series:
    found = pooled(cells, **where)
    assert len(found) == 1, found
    return found.iloc[0]


@pytest.mark.slow
def test_raw_shows_everything(controls: pd.DataFrame) -> None:
    shown = _value(controls, method="raw", attack="released", split="owner_train", metric="psnr")
    assert shown["value"] == PSNR_CAP
    assert _value(controls, method="raw", attack="none", metric="utility")["value"] == 1
    # On raw releases the reverse attack is the raw attacker itself; on released = raw nothing is lost to it.
    reverse = _value(controls, method="raw", attack="reverse", split="owner_train", metric="advantage")
    adaptive = _value(controls, method="raw", attack="adaptive", split="owner_train", metric="advantage")
    assert reverse["value"] > 0.9
    assert abs(reverse["value"] - adaptive["value"]) < 0.05


@pytest.mark.slow
def test_the_full_mask_gives_chance(controls: pd.DataFrame) -> None:
    accuracy = _value(controls, method="full-mask", attack="none", metric="accuracy")
    assert accuracy["ci_low"] <= 0.5 <= accuracy["ci_high"]
    leaked = pooled(controls, method="full-mask", attack_kind="inference", metric="advantage")
    # The best of several guesses for each image is above chance: of the oracle, only what is over the null counts.
    leaked = leaked[leaked["attack"] != "oracle"]
    outside = leaked[(leaked["ci_low"] > 0) | (leaked["ci_high"] < 0)]
    assert outside.empty, outside[["attack", "label", "split", "value", "ci_low", "ci_high"]]
    assert {"adaptive", "reverse", "mask-only", "strongest"} <= set(leaked["attack"])


@pytest.mark.slow
def test_the_trained_restorer_beats_mean_fill(controls: pd.DataFrame) -> None:
    for metric in ("ssim_hole", "psnr_hole"):
        for split in ("owner_train", "owner_test"):
            restorer = _value(controls, method="random", attack="restorer", split=split, metric=metric)
            mean_fill = _value(controls, method="random", attack="mean-fill", split=split, metric=metric)
            assert restorer["ci_low"] > mean_fill["ci_high"], (metric, split)


SHAPE_METHOD = '''
from typing import ClassVar
import torch
from torch import Tensor
from maskbench import Given, Method, Owner, Release


class ShapeOnly(Method):
    """Keep the left half of even digits and the right half of odd ones, and show nothing but grey."""

    name: ClassVar[str] = "shape-only"
    masked: ClassVar[bool] = True

    def requests(self):
        from maskbench import Attribution

        return ()

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"images": owner.images, "labels": owner.labels}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        # Constant content: the image itself is grey, so what is kept shows nothing; all there is, is the shape.
        parity = (images[:, 0, 0, 0] * 255).round().long() % 2
        masks = torch.zeros_like(images[:, :1])
        half = images.shape[3] // 2
        masks[parity == 0, :, :, :half] = 1
        masks[parity == 1, :, :, half:] = 1
        return Release(images * masks, masks)
'''


def _write_shape_images(folder: Path) -> None:
    """Grey pictures whose brightness differs by one step in 255 from class to class: hardly any content."""
    from PIL import Image

    generator = np.random.default_rng(0)
    for label in ("even", "odd"):
        (folder / label).mkdir(parents=True)
        for number in range(150):
            grey = 100 + 2 * generator.integers(0, 20) + (label == "odd")
            picture = np.full((16, 16), grey, dtype=np.uint8)
            # One pixel that is the image's own, so that no two pictures are the same.
            picture[8, 8] = number
            picture[9, 9] = generator.integers(0, 255)
            Image.fromarray(picture).save(folder / label / f"{number}.png")


@pytest.mark.slow
def test_a_label_in_the_masks_shape_is_exposed(tmp_path: Path) -> None:
    _write_shape_images(tmp_path / "images")
    (tmp_path / "shape_only.py").write_text(SHAPE_METHOD)
    add_file(tmp_path / "shape_only.py")
    suite = tiny(
        ("shape-only", "random"),
        ("released", "mask-only"),
        data={"source": str(tmp_path / "images")},
        settings={**SETTINGS, "attack": {"epochs": 20}, "recognition": {"epochs": 20}},
    )
    cells = run(suite, tmp_path / "store")[0].cells
    shape = _value(cells, method="shape-only", attack="mask-only", split="owner_test", metric="accuracy")
    utility = _value(cells, method="shape-only", attack="none", metric="accuracy")
    assert shape["value"] > 0.95
    assert shape["value"] >= utility["value"] - 0.05, "the shape alone gives all of the accuracy"
    chance = _value(cells, method="random", attack="mask-only", split="owner_test", metric="advantage")
    assert chance["ci_low"] <= 0 <= chance["ci_high"]


@pytest.mark.slow
def test_saliency_beats_random_patches_on_digits(tmp_path: Path) -> None:
    suite = tiny(
        ("random", "saliency"),
        ("released", "mask-only"),
        data={**WHOLE, "target": "digit", "limit": 800},
        seeds=3,
        settings={**SETTINGS, "scored": 64},
    )
    result, _ = run(suite, tmp_path)
    samples = result.samples
    hits = {}
    for method in ("random", "saliency"):
        mine = samples[(samples["method"] == method) & (samples["attack"] == "none")]
        hits[method] = mine.pivot(index="seed", columns="number", values="correct").to_numpy()[:, :, None]
    gain = difference(hits["saliency"], hits["random"])
    assert gain.value >= 0.05, gain
    assert gain.low > 0, gain
    # The table must say how much of it the shape alone explains.
    shape = _value(result.cells, method="saliency", attack="mask-only", split="owner_test", metric="accuracy")
    assert 0.1 < shape["value"] <= 1
