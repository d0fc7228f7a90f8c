"""What the owner's teacher says of each raw image leaves with a release, where training wants it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import maskbench as mb
import pyarrow.parquet as pq
import pytest
import torch
from desensitize_cases import Remarks, class_folders, parquet, pixels, release, tree
from maskbench.errors import UsageError
from maskbench.releasing import saved

METHOD = "random:patch=2,ratio=0.5,adjust=distill(temperature=2)"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder ``raw`` of class folders, its release ``out``, and the method, ``saved``."""
    root = tmp_path_factory.mktemp("soft-labels")
    release(class_folders(root / "raw"), root / "out", METHOD, epochs=1, seed=3, save=root / "saved")
    return root


def test_a_file_holds_the_teachers_probabilities(pictures: Path) -> None:
    out = pictures / "out"
    with (out / "soft_labels.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["file", "cat", "dog"]
    released = sorted(path.relative_to(out / "images").as_posix() for path in (out / "images").rglob("*.png"))
    assert [row[0] for row in rows] == released
    teacher = saved.read(pictures / "saved").teachers["target"].network((3, 16, 16), torch.device("cpu"))
    images = torch.stack([torch.tensor(pixels(pictures / "raw" / row[0])).permute(2, 0, 1) for row in rows]) / 255
    expected = (teacher(images) / 2).softmax(1)
    found = torch.tensor([[float(value) for value in row[1:]] for row in rows])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    manifest = mb.load_release(out).manifest
    assert manifest["soft_labels"] == {
        "place": "soft_labels.csv",
        "target": "label",
        "classes": ["cat", "dog"],
        "temperature": 2.0,
    }
    assert "adjust" not in manifest["not_used"]["parameters"]


def test_a_third_party_trains_with_them(pictures: Path) -> None:
    train = mb.load_release(pictures / "out", soft_labels=True)
    image, mask, label, answers = train[7]
    assert (answers.shape, answers.dtype, label) == ((2,), torch.float32, 1)
    with (pictures / "out/soft_labels.csv").open(newline="") as stream:
        row = list(csv.reader(stream))[8]
    torch.testing.assert_close((answers / 2).softmax(0), torch.tensor([float(value) for value in row[1:]]))
    method = mb.method(METHOD)
    recognizer = mb.build_recognizer("small:width=2", channels=3, classes=2, size=image.shape[1:])
    logits = method.adapt(recognizer, None)(image[None], mask[None])
    loss = method.recognition_loss(torch.tensor(1.0), logits, answers[None])
    loss.backward()
    assert torch.isfinite(loss)
    assert len(mb.load_release(pictures / "out")[7]) == 3


def test_no_weights_leave(pictures: Path) -> None:
    assert {Path(name).suffix for name in tree(pictures / "out")} == {".png", ".csv", ".json"}


def test_none_leave_of_images_that_the_teacher_has_not_learned_from(pictures: Path) -> None:
    remarks = Remarks()
    outcome = release(pictures / "raw", pictures / "other", None, load=pictures / "saved", watcher=remarks)
    assert outcome.manifest["soft_labels"] is None
    assert not (pictures / "other/soft_labels.csv").exists()
    assert any("No soft labels are released" in said for said in remarks.said)
    with pytest.raises(UsageError, match="has no soft labels"):
        mb.load_release(pictures / "other", soft_labels=True)


def test_numbered_pictures_are_called_by_their_numbers(pictures: Path) -> None:
    release(pictures / "raw", pictures / "numbered", METHOD, epochs=1, seed=3, rename=True)
    train = mb.load_release(pictures / "numbered", soft_labels=True)
    plain = mb.load_release(pictures / "out", soft_labels=True)
    assert sorted(float(item[3][0]) for item in train) == sorted(float(item[3][0]) for item in plain)
    assert "cat/000" not in (pictures / "numbered/soft_labels.csv").read_text()


def test_it_goes_on_where_it_was_cut_off(pictures: Path) -> None:
    """The file is the same as of a release that was never cut off."""
    source = class_folders(pictures / "cut")
    bad = source / "cat/001.png"
    whole = bad.read_bytes()
    bad.write_bytes(b"broken")
    release(source, pictures / "resumed", METHOD, epochs=1, seed=3)
    assert "cat/001" not in (pictures / "resumed/soft_labels.csv").read_text()
    bad.write_bytes(whole)
    release(source, pictures / "resumed", METHOD, epochs=1, seed=3, resume=True)
    text = (pictures / "resumed/soft_labels.csv").read_text()
    assert text.count("\n") == 13 and "cat/001" in text


def test_a_parquet_release_has_a_column(tmp_path: Path) -> None:
    parquet(tmp_path / "src/a.parquet", 12)
    outcome = release(tmp_path / "src", tmp_path / "out", METHOD, epochs=1, seed=3)
    table = pq.read_table(tmp_path / "out/a.parquet")
    assert table.column_names == ["image", "mask", "soft_label", "label"]
    rows = torch.tensor(table["soft_label"].to_pylist())
    torch.testing.assert_close(rows.sum(1), torch.ones(12))
    assert outcome.manifest["soft_labels"]["place"] == "soft_label"
    train = mb.load_release(tmp_path / "out", soft_labels=True)
    assert train.classes == ("even", "odd")
    torch.testing.assert_close((train[3][3] / 2).softmax(0), rows[3])


def test_a_column_of_that_name_is_not_overwritten(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", 12, soft_label=list(range(12)))
    with pytest.raises(UsageError, match="has a column 'soft_label' already"):
        release(tmp_path / "a.parquet", tmp_path / "out", METHOD, epochs=1)


def test_soft_labels_that_are_damaged_are_named(pictures: Path) -> None:
    shutil.copytree(pictures / "out", pictures / "damaged")
    (pictures / "damaged/soft_labels.csv").write_text("file,cat\ncat/000.png,1\n")
    with pytest.raises(UsageError, match=r"soft labels of .* cannot be read"):
        mb.load_release(pictures / "damaged", soft_labels=True)
