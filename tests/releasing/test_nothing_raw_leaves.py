"""What hides nothing, or gives back what came in, is not released, and the manifest says what is hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from desensitize_cases import Remarks, class_folders, desensitize, encoded, errors, parquet, picture, pixels, release
from maskbench.errors import MaskbenchError
from PIL import Image


def _pictures(root: Path, *sizes: tuple[int, int], mode: str = "RGB") -> Path:
    root.mkdir()
    for seed, size in enumerate(sizes):
        picture(seed, size, mode).save(root / f"{seed}.png")
    return root


def _raw(source: Path, destination: Path) -> list[str]:
    """The released images that are those of the source."""
    released = sorted((destination / "images").rglob("*.png")) if destination.exists() else []
    originals = {(source / path.name): path for path in released}
    return [path.name for original, path in originals.items() if np.array_equal(pixels(original), pixels(path))]


def test_a_patch_that_is_coarse_for_an_image_is_an_error_for_that_image(tmp_path: Path) -> None:
    source = _pictures(tmp_path / "src", (128, 128), (24, 24), (128, 128), (24, 24))
    outcome = release(source, tmp_path / "dst", "random:patch=32,ratio=0.4")
    assert sorted(errors(outcome)) == ["1.png", "3.png"]
    assert "promised to hide 0.4 of each image but hides nothing of this image" in errors(outcome)["1.png"]
    assert "choose a smaller patch" in errors(outcome)["1.png"]
    assert outcome.manifest["images"]["released"] == 2
    assert _raw(source, tmp_path / "dst") == []


@pytest.mark.parametrize("method", ["random", "grid", "stripe", "sobel"])
def test_all_kinds_of_masks_alike(method: str, tmp_path: Path) -> None:
    source = _pictures(tmp_path / "src", (16, 16), (16, 12))
    outcome = release(source, tmp_path / "dst", f"{method}:patch=16", ratio=0.4)
    assert sorted(errors(outcome)) == ["0.png", "1.png"]
    assert not list((tmp_path / "dst").rglob("*.png"))


@pytest.mark.parametrize(
    ("method", "size", "mode", "message"),
    [
        ("gaussian-blur", (4, 400), "RGB", "as raw as it came in"),
        ("scramble:permute=no,rotate=no,negate=no", (16, 16), "L", "nothing to scramble in images of 16×16 px"),
        ("scramble:block=1,permute=no,negate=no,recolour=no", (20, 14), "RGB", "choose another block"),
        ("dp-svd:rank=100,epsilon=.inf", (20, 14), "RGB", "epsilon=inf is not valid"),
        ("dp-svd:rank=100,epsilon=1e6", (20, 14), "RGB", "leaves no noise that eight bits show"),
        ("dp-pix:block=1,epsilon=.inf", (20, 14), "RGB", "epsilon=inf is not valid"),
        ("dp-pix:block=1,epsilon=1e8", (20, 14), "RGB", "leaves no noise that eight bits show"),
    ],
)
def test_parameters_that_would_release_raw_images_are_refused_or_an_error_for_each(
    method: str, size: tuple[int, int], mode: str, message: str, tmp_path: Path
) -> None:
    source = _pictures(tmp_path / "src", size, size, mode=mode)
    try:
        outcome = release(source, tmp_path / "dst", method)
    except MaskbenchError as refused:
        assert message in str(refused)
    else:
        assert sorted(errors(outcome)) == ["0.png", "1.png"]
        assert message in errors(outcome)["0.png"]
    assert _raw(source, tmp_path / "dst") == []


@pytest.mark.parametrize("seed", range(40))
def test_no_key_is_the_identity(seed: int, tmp_path: Path) -> None:
    """One block that is turned, or not, and negated, or not: one key of 16 does nothing."""
    source = _pictures(tmp_path / "src", (16, 16), mode="L")
    release(source, tmp_path / "dst", "scramble:block=16", seed=seed)
    assert _raw(source, tmp_path / "dst") == []


@pytest.mark.parametrize("size", [(3, 40), (2, 2), (40, 1), (4, 4), (6, 6)])
def test_the_fill_blur_shows_no_pixel_of_a_small_image_as_it_is(size: tuple[int, int], tmp_path: Path) -> None:
    source = _pictures(tmp_path / "src", size)
    outcome = release(source, tmp_path / "dst", "random:fill=blur,ratio=1.0,geometry=pixel")
    assert not errors(outcome)
    shown, raw = pixels(tmp_path / "dst" / "images" / "0.png"), pixels(source / "0.png")
    assert (shown != raw).any(axis=2).mean() > 0.9


def test_the_manifest_tells_what_was_promised_and_what_is_hidden(tmp_path: Path) -> None:
    source = _pictures(tmp_path / "src", (16, 16), (20, 20), (30, 10))
    outcome = release(source, tmp_path / "dst", "random:patch=8,ratio=0.4")
    hidden = [1 - pixels(tmp_path / "dst" / "masks" / f"{number}.png").mean() / 255 for number in range(3)]
    told = outcome.manifest["hidden"]
    assert told["ratio_promised"] == 0.4
    assert told["ratio_measured"] == pytest.approx({"mean": np.mean(hidden), "least": min(hidden), "most": max(hidden)})
    assert told["ratio_measured"]["least"] < told["ratio_measured"]["most"]


def test_masks_that_are_not_handed_out_are_measured_too(tmp_path: Path) -> None:
    source = _pictures(tmp_path / "src", (16, 16))
    outcome = release(source, tmp_path / "dst", "random:patch=8,ratio=0.5,masks=withheld")
    assert outcome.manifest["hidden"]["ratio_measured"] == {"mean": 0.5, "least": 0.5, "most": 0.5}


def test_without_masks_no_share_is_told(tmp_path: Path) -> None:
    outcome = release(_pictures(tmp_path / "src", (16, 16)), tmp_path / "dst", "pixelate")
    assert outcome.manifest["hidden"]["ratio_measured"] is None
    assert outcome.manifest["unchanged"] == []


def test_an_image_of_one_colour_leaves_and_is_named(tmp_path: Path) -> None:
    source = _pictures(tmp_path / "src", (16, 16), (16, 16))
    Image.new("RGB", (16, 16), (10, 20, 30)).save(source / "flat.png")
    watcher = Remarks()
    outcome = desensitize(source, tmp_path / "dst", "pixelate", watcher=watcher)
    assert not errors(outcome)
    assert outcome.manifest["unchanged"] == ["flat.png"]
    assert any("1 of the images came out as they went in" in remark for remark in watcher.said)


def test_with_rename_it_is_named_by_its_number(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    Image.new("L", (16, 16), 40).save(source / "maria-lopez.png")
    outcome = release(source, tmp_path / "dst", "pixelate", rename=True)
    [named] = outcome.manifest["unchanged"]
    assert "maria" not in named


def test_what_the_manifest_tells_survives_a_resume(tmp_path: Path) -> None:
    """What the journal remembers of finished images counts as much as what is released now."""
    source = class_folders(tmp_path / "src", count=2)
    Image.new("RGB", (16, 16), (10, 20, 30)).save(source / "cat" / "flat.png")
    (source / "cat" / "broken.png").write_bytes(b"nothing")
    first = release(source, tmp_path / "dst", "pixelate:block=2")
    assert list(errors(first)) == ["cat/broken.png"]
    (source / "cat" / "broken.png").write_bytes(encoded(picture(9)))
    (tmp_path / "dst" / "manifest.json").unlink()
    again = release(source, tmp_path / "dst", "pixelate:block=2", resume=True)
    assert not errors(again)
    assert again.manifest["unchanged"] == ["cat/flat.png"]


def test_parquet_tells_the_same(tmp_path: Path) -> None:
    source = parquet(tmp_path / "src" / "train.parquet", 5).parent
    outcome = release(source, tmp_path / "dst", "random:patch=8,ratio=0.5")
    assert outcome.manifest["hidden"]["ratio_measured"] == {"mean": 0.5, "least": 0.5, "most": 0.5}
    coarse = release(source, tmp_path / "coarse", "random:patch=16,ratio=0.4")
    assert len(errors(coarse)) == 5
    assert not any(
        cell is not None for cell in pq.read_table(tmp_path / "coarse" / "train.parquet")["image"].to_pylist()
    )
