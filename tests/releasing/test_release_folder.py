"""A folder in, a folder of the same names out: what is kept is exact, what is hidden is gone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from desensitize_cases import RANDOM, Remarks, class_folders, picture, pixels, release, tree
from maskbench.errors import UsageError
from maskbench.releasing.command import desensitize
from maskbench.releasing.folder import output_names
from maskbench.releasing.image_source import spread
from maskbench.releasing.options import build_method
from PIL import Image


def test_kept_pixels_are_exact_and_hidden_ones_gone(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src")
    outcome = release(source, tmp_path / "dst")
    before, after = tree(source), tree(tmp_path / "dst")
    assert set(after) == {"manifest.json", *(f"{folder}/{name}" for folder in ("images", "masks") for name in before)}
    for name in before:
        raw, shown = pixels(source / name), pixels(tmp_path / "dst" / "images" / name)
        mask = pixels(tmp_path / "dst" / "masks" / name)
        assert set(np.unique(mask)) == {0, 255}
        assert (mask == 0).mean() == 0.5
        assert np.array_equal(shown[mask == 255], raw[mask == 255])
        assert not shown[mask == 0].any()
    assert outcome.unfinished is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dst", "src"]


def test_every_image_has_a_mask_of_its_own_and_every_run_another(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src")
    for name in ("one", "two"):
        release(source, tmp_path / name)
    one, two = (
        {name: content for name, content in tree(tmp_path / run).items() if name.startswith("masks/")}
        for run in ("one", "two")
    )
    assert len(set(one.values())) == len(one)
    assert not set(one.values()) & set(two.values())


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src")
    for name in ("one", "two"):
        release(source, tmp_path / name, seed=3)
    release(source, tmp_path / "other", seed=4)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert tree(tmp_path / "one") != tree(tmp_path / "other")


def test_a_release_does_not_depend_on_names_or_neighbours(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=3)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "renamed.png").write_bytes((source / "dog" / "001.png").read_bytes())
    release(source, tmp_path / "dst", seed=1)
    release(tmp_path / "alone", tmp_path / "dst-alone", seed=1)
    assert np.array_equal(
        pixels(tmp_path / "dst/images/dog/001.png"), pixels(tmp_path / "dst-alone/images/renamed.png")
    )


def test_images_of_any_size_keep_theirs(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    sizes = {"a": (16, 16), "b": (20, 12), "c": (16, 16), "d": (9, 31), "e": (1, 1)}
    for seed, (name, size) in enumerate(sizes.items()):
        picture(seed, size, "L" if name == "c" else "RGB").save(tmp_path / "src" / f"{name}.png")
    release(tmp_path / "src", tmp_path / "dst")
    for name, size in sizes.items():
        with Image.open(tmp_path / "dst" / "images" / f"{name}.png") as image:
            assert image.size == size
            assert image.mode == ("L" if name == "c" else "RGB")


def test_size_brings_all_to_one(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    picture(0, (40, 20)).save(tmp_path / "src" / "a.png")
    release(tmp_path / "src", tmp_path / "dst", "raw", size=10)
    assert pixels(tmp_path / "dst" / "images" / "a.png").shape == (10, 10, 3)


def test_without_masks(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=2)
    outcome = release(source, tmp_path / "dst", masks=False)
    assert set(tree(tmp_path / "dst")) == {"manifest.json", *(f"images/{name}" for name in tree(source))}
    assert outcome.manifest["masks"] is None


def test_a_method_without_masks_writes_none(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=2)
    outcome = release(source, tmp_path / "dst", "gaussian-blur")
    assert set(tree(tmp_path / "dst")) == {"manifest.json", *(f"images/{name}" for name in tree(source))}
    assert outcome.manifest["method"]["ratio"] is None


def test_what_is_no_image_is_named_and_not_copied(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=1)
    (source / "labels.csv").write_text("name,who")
    (source / ".thumbnails").mkdir()
    picture(5).save(source / ".thumbnails" / "face.png")
    outcome = release(source, tmp_path / "dst")
    assert outcome.manifest["not_used"]["files"] == [".thumbnails/face.png", "labels.csv"]
    assert outcome.manifest["images"] == {"source": 2, "left_out_by_limit": 0, "released": 2, "errors": 0}
    assert not any("face" in name or "csv" in name for name in tree(tmp_path / "dst"))


@pytest.mark.parametrize("name", ["face.avif", "face.JFIF", "face.heic", "face.jp2", "face.tga"])
def test_what_is_called_an_image_is_released_or_an_error_never_passed_over(tmp_path: Path, name: str) -> None:
    source = class_folders(tmp_path / "src", count=1)
    (source / name).write_bytes(b"no image at all")
    outcome = release(source, tmp_path / "dst")
    assert outcome.manifest["images"] == {"source": 3, "left_out_by_limit": 0, "released": 2, "errors": 1}
    assert "files" not in outcome.manifest["not_used"] or not outcome.manifest["not_used"]["files"]


def test_images_that_differ_in_their_extension_alone_both_come_out(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    picture(0).save(tmp_path / "src" / "a.png")
    picture(1).save(tmp_path / "src" / "a.bmp")
    release(tmp_path / "src", tmp_path / "dst", "raw")
    assert np.array_equal(pixels(tmp_path / "dst" / "images" / "a.png.png"), np.asarray(picture(0)))
    assert np.array_equal(pixels(tmp_path / "dst" / "images" / "a.bmp.png"), np.asarray(picture(1)))


def test_names_that_cannot_be_kept_are_refused() -> None:
    assert output_names(["x/A.jpg", "x/a.gif"], None) == {"x/A.jpg": "x/A.jpg.png", "x/a.gif": "x/a.gif.png"}
    with pytest.raises(UsageError, match="rename one"):
        output_names(["a.jpg", "a.gif", "a.jpg.bmp"], None)


def test_a_limit_takes_its_share_of_every_class(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=10)
    outcome = release(source, tmp_path / "dst", limit=4, masks=False)
    assert sorted(path.parent.name for path in (tmp_path / "dst" / "images").glob("*/*.png")) == [
        "cat",
        "cat",
        "dog",
        "dog",
    ]
    assert outcome.manifest["images"]["left_out_by_limit"] == 16
    assert spread(3, 5).tolist() == [0, 1, 2]
    assert len(set(spread(1000, 999).tolist())) == 999


@pytest.mark.parametrize(("method", "warned"), [("raw", True), ("random:ratio=0", True), (RANDOM, False)])
def test_it_says_when_images_leave_as_they_are(tmp_path: Path, method: str, warned: bool) -> None:
    watcher = Remarks()
    source = class_folders(tmp_path / "src", count=1)
    desensitize(source, tmp_path / "dst", method, watcher=watcher)
    assert any("as they are" in remark for remark in watcher.said) == warned
    content = json.loads((tmp_path / "dst" / "manifest.json").read_text())
    assert content["method"]["releases_images_as_they_are"] == warned


def test_the_manifest_says_how_and_keeps_what_is_secret(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src-of-somebody", count=1)
    outcome = release(source, tmp_path / "dst", "scramble:block=8", seed=987654321)
    text = (tmp_path / "dst" / "manifest.json").read_text()
    content = json.loads(text)
    assert content == outcome.manifest
    assert content["method"]["name"] == "scramble"
    assert content["method"]["parameters"]["block"] == 8
    assert content["method"]["parameters"]["negate"] is True
    assert content["method"]["learned_from"]["images"] == 2
    assert {"maskbench", "python", "torch"} <= set(content["versions"])
    assert "chosen by the owner" in content["seed"]
    for secret in ("987654321", "src-of-somebody", str(tmp_path)):
        assert secret not in text


def test_masks_that_a_method_withholds_are_not_written(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src")
    release(source, tmp_path / "dst", f"{RANDOM},masks=withheld")
    assert set(tree(tmp_path / "dst")) == {"manifest.json", *(f"images/{name}" for name in tree(source))}


def test_a_method_can_be_handed_over(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=1)
    method = build_method(RANDOM, None)
    release(source, tmp_path / "typed", RANDOM, seed=1)
    release(source, tmp_path / "handed", method, seed=1)
    assert tree(tmp_path / "typed") == tree(tmp_path / "handed")
    with pytest.raises(UsageError, match="its own ratio"):
        release(source, tmp_path / "other", method, ratio=0.5)
