"""A third party reads a release and trains on it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import maskbench as mb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from desensitize_cases import class_folders, encoded, picture, release
from PIL import Image
from torch.utils.data import DataLoader


def test_a_folder_gives_what_its_files_hold(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "raw"), tmp_path / "out")
    released = mb.load_release(tmp_path / "out")
    assert (len(released), released.classes, released.has_masks) == (12, ("cat", "dog"), True)
    assert released.manifest["method"]["name"] == "random"
    image, mask, label = released[7]
    assert (image.shape, mask.shape, image.dtype, mask.dtype) == ((3, 16, 16), (1, 16, 16), *[torch.float32] * 2)
    assert set(mask.unique().tolist()) == {0.0, 1.0} and mask.mean() == pytest.approx(0.5)
    files = sorted((tmp_path / "out/images").rglob("*.png"))
    with Image.open(files[7]) as stored:
        assert torch.equal((image * 255).round().byte().permute(1, 2, 0), torch.from_numpy(np.array(stored)))
    assert label == released.labels[7] == int(files[7].parent.name == "dog")
    assert [int(label) for label in released.labels] == [0] * 6 + [1] * 6
    with pytest.raises(IndexError):
        released[12]


def test_it_is_trained_on_in_batches(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "raw"), tmp_path / "out")
    images, masks, labels = next(iter(DataLoader(mb.load_release(tmp_path / "out"), batch_size=5)))
    recognizer = mb.build_recognizer("small", channels=3, classes=2, size=(16, 16))
    assert recognizer(images).shape == (5, 2) and masks.shape == (5, 1, 16, 16) and labels.dtype == torch.int64


def test_without_masks_all_counts_as_kept(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "raw"), tmp_path / "out", "pixelate:block=4")
    released = mb.load_release(tmp_path / "out")
    assert released[0][1].min() == 1


def test_masks_that_were_withheld_are_not_looked_for(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "raw"), tmp_path / "out", masks=False)
    released = mb.load_release(tmp_path / "out")
    assert not released.has_masks and released[0][1].min() == 1


def test_pictures_in_no_folders_have_no_label(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for number in range(3):
        picture(number).save(tmp_path / f"raw/{number}.png")
    release(tmp_path / "raw", tmp_path / "out")
    released = mb.load_release(tmp_path / "out")
    assert (released.classes, released.labels.tolist(), released[2][2]) == ((), [-1, -1, -1], -1)
    with pytest.raises(mb.UsageError, match="label"):
        mb.load_release(tmp_path / "out", target="kind")


def test_parquet_keeps_its_columns(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    images = [{"bytes": encoded(picture(number)), "path": None} for number in range(6)]
    table = pa.table({"image": images, "kind": ["a", "b"] * 3, "size": ["s", "s", "l"] * 2})
    pq.write_table(table, tmp_path / "raw/train.parquet")
    release(tmp_path / "raw", tmp_path / "out")
    released = mb.load_release(tmp_path / "out")
    assert (released.classes, released.labels.tolist()) == (("a", "b"), [0, 1] * 3)
    assert released[1][1].mean() == pytest.approx(0.5) and released[1][0].shape == (3, 16, 16)
    assert mb.load_release(tmp_path / "out", target="size").classes == ("l", "s")
    with pytest.raises(mb.UsageError, match="kind"):
        mb.load_release(tmp_path / "out", target="knd")


def test_what_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mb.UsageError, match=r"no release: manifest\.json cannot be read"):
        mb.load_release(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"made_by": "somebody"}))
    with pytest.raises(mb.UsageError, match="not of `maskbench desensitize`"):
        mb.load_release(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"made_by": "maskbench desensitize", "masks": None}))
    with pytest.raises(mb.UsageError, match="neither a folder images nor Parquet files"):
        mb.load_release(tmp_path)


def test_a_mask_that_is_gone_is_named(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "raw"), tmp_path / "out")
    gone = sorted((tmp_path / "out/masks").rglob("*.png"))[3]
    gone.unlink()
    with pytest.raises(mb.UsageError, match=f"the mask of cat/{gone.name}"):
        mb.load_release(tmp_path / "out")[3]


def test_the_script_of_the_page_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/desensitize.md").read_text(encoding="utf-8")
    method, saved = "random:patch=2,ratio=0.5,adjust=distill", tmp_path / "saved"
    release(class_folders(tmp_path / "raw", 40), tmp_path / "out", method, epochs=2, seed=0, save=saved)
    release(class_folders(tmp_path / "raw-test", 12), tmp_path / "out-test", None, load=saved)
    monkeypatch.chdir(tmp_path)
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    exec(compile(script, "docs/desensitize.md", "exec"), {})
    accuracy = float(re.findall(r"accuracy ([\d.]+)% on 24 images", capsys.readouterr().out)[0])
    assert accuracy > 80
