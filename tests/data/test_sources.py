"""Each source: its columns, its classes, its own test split, its bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import png, random_image, write_classes, write_parquet
from maskbench.data.load import built_in, fingerprint, load, resolve, source_modules
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from PIL import Image


def options(source: Path | str, **choices) -> DataOptions:
    return DataOptions(source=str(source), **choices)


# -- digits


def test_digits_and_their_defaults():
    found = load(DataOptions())
    assert found.images.shape == (1797, 1, 32, 32)
    assert found.images.dtype == torch.uint8
    assert found.images.max() == 255
    assert (found.target, found.sensitive, found.flippable) == ("parity", "digit", False)
    assert torch.equal(found.labels["parity"], found.labels["digit"] % 2)
    assert load(DataOptions(size=28)).images.shape[2:] == (28, 28)


def test_the_default_sensitive_column_goes_with_the_default_target():
    assert resolve(DataOptions(target="parity")).sensitive == "digit"
    by_digit = resolve(DataOptions(target="digit"))
    assert by_digit.sensitive is None
    assert resolve(by_digit) == by_digit


def test_built_in_names():
    assert [name for name, _ in built_in()] == ["calibrated", "cifar10", "cifar100", "digits"]


# -- folder of classes


def test_folder_of_classes(tmp_path):
    root = write_classes(tmp_path / "pets", {"cat": 60, "dog": 50})
    (root / "cat" / "notes.txt").write_text("no image")
    (root / ".hidden").mkdir()
    found = load(options(root))
    assert (found.name, found.target, found.sensitive, found.native_test) == ("pets", "label", None, None)
    assert found.classes == {"label": ["cat", "dog"]}
    assert found.labels["label"].bincount().tolist() == [60, 50]
    assert source_modules(options(root)) == ("maskbench.data.sources.folder",)


def test_folder_with_its_own_test_split(tmp_path):
    write_classes(tmp_path / "train", {"cat": 40, "train": 40})
    write_classes(tmp_path / "test", {"cat": 10, "train": 10}, first_seed=500)
    found = load(options(tmp_path))
    assert found.native_test.sum() == 20
    assert found.classes == {"label": ["cat", "train"]}


def test_a_class_may_be_called_train(tmp_path):
    found = load(options(write_classes(tmp_path, {"train": 30, "test": 30})))
    assert found.classes == {"label": ["test", "train"]}
    assert found.native_test is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "No class folders"),
        (lambda root: (root / "a.png").write_bytes(b""), "No class folders"),
        (lambda root: (root / "a").mkdir(), "No class folders"),
        (lambda root: write_classes(root, {"cat": 5}), "only the class 'cat'"),
        (lambda root: write_parquet(root / "plain_text" / "x.parquet", {"kind": [0]}), "plain_text: name that folder"),
    ],
)
def test_folders_that_cannot_serve(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(UsageError, match=message):
        resolve(options(tmp_path))


def test_a_truncated_file_is_named(tmp_path):
    root = write_classes(tmp_path, {"cat": 30, "dog": 30})
    broken = root / "dog" / "0003.png"
    broken.write_bytes(broken.read_bytes()[:80])
    resolve(options(root))  # decodes nothing
    with pytest.raises(UsageError, match=r"dog.0003\.png"):
        load(options(root))


def test_odd_images_are_counted_in_the_notes(tmp_path):
    root = write_classes(tmp_path, {"cat": 3, "dog": 3})
    random_image(90, mode="CMYK").save(root / "cat" / "c.tif")
    random_image(91).quantize(8).save(root / "cat" / "p.png")
    random_image(92, mode="RGBA").save(root / "dog" / "a.png")
    random_image(93, mode="L").save(root / "dog" / "l.png")
    found = load(options(root))
    assert found.images.shape == (10, 3, 16, 16)
    assert [note for note in found.notes if "1 of 10 images" in note] == [
        "1 of 10 images: converted from CMYK to RGB.",
        "1 of 10 images: converted from P to RGB.",
        "1 of 10 images: transparency is composited on black.",
    ]


# -- Parquet folder


def test_parquet_with_named_classes(tmp_path):
    names = {"kind": ["b", "a", "never"], "site": ["x", "y"]}
    for word, count, seed in (("train", 60, 0), ("test", 20, 900)):
        code = np.arange(count)
        columns = {"age": code % 7 + 30, "kind": code % 2, "site": code // 2 % 2, "weight": code / 3.0}
        write_parquet(tmp_path / f"{word}-00000-of-00001.parquet", columns, names, seed)
    found = load(options(tmp_path, target="site", sensitive="age"))
    assert list(found.labels) == ["kind", "site", "age"]  # named classes first
    assert found.classes["kind"] == ["b", "a"]
    assert found.classes["age"] == [str(age) for age in range(30, 37)]
    assert found.native_test.sum() == 20
    assert any("never" in note for note in found.notes)
    by_default = resolve(options(tmp_path))
    assert (by_default.target, by_default.sensitive) == ("kind", None)
    with pytest.raises(UsageError, match=r"'weight'.*no label column.*double"):
        resolve(options(tmp_path, target="weight"))


def test_parquet_without_metadata(tmp_path):
    columns = {
        "name": [f"person {row}" for row in range(1200)],
        "glasses": [row % 3 == 0 for row in range(1200)],
    }
    columns["town"] = [["Ulm", "Bonn"][row % 2] for row in range(1200)]
    write_parquet(tmp_path / "all.parquet", columns, images=[png(random_image(row, (16, 16))) for row in range(1200)])
    found = load(options(tmp_path, limit=100))
    assert (found.target, found.native_test) == ("glasses", None)
    assert found.classes == {"glasses": ["False", "True"], "town": ["Bonn", "Ulm"]}
    with pytest.raises(UsageError, match="1200 classes"):
        resolve(options(tmp_path, target="name"))


def test_rows_without_a_label_are_dropped_and_counted(tmp_path):
    columns = {
        "kind": [-1, None, *[row % 2 for row in range(58)]],
        "other": [None, *[row % 3 for row in range(59)]],
    }
    write_parquet(tmp_path / "train.parquet", columns, {"kind": ["a", "b"]})
    found = load(options(tmp_path))
    assert len(found.images) == 58
    assert any(note.startswith("2 images were dropped") for note in found.notes)
    columns["other"] = [row if row < 2 else None for row in range(60)]
    write_parquet(tmp_path / "apart" / "train.parquet", columns, {"kind": ["a", "b"]})
    with pytest.raises(UsageError, match="No image of apart has a label in kind and other"):
        load(options(tmp_path / "apart", target="kind", sensitive="other"))
    by_other = load(options(tmp_path, target="other"))
    assert "kind" not in by_other.labels
    assert any("'kind' was left out" in note for note in by_other.notes)


def test_parquet_bad_input(tmp_path):
    def case(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    broken = case("broken")
    (broken / "train.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(UsageError, match=r"train\.parquet is no readable Parquet"):
        resolve(options(broken))

    truncated = case("truncated")
    images = [png(random_image(row)) for row in range(60)]
    images[41] = images[41][:100]
    write_parquet(truncated / "train.parquet", {"kind": np.arange(60) % 2}, images=images)
    with pytest.raises(UsageError, match=r"train\.parquet, row 41 \(41\.png\)"):
        load(options(truncated))

    mixed = case("mixed")
    write_parquet(mixed / "train.parquet", {"kind": [0, 1]})
    write_parquet(mixed / "extra.parquet", {"kind": [0, 1]})
    with pytest.raises(UsageError, match=r"extra\.parquet"):
        resolve(options(mixed))

    unlike = case("unlike")
    write_parquet(unlike / "train.parquet", {"kind": [0, 1]})
    write_parquet(unlike / "test.parquet", {"sort": [0, 1]})
    with pytest.raises(UsageError, match="differ in their columns"):
        resolve(options(unlike))

    outside = case("outside")
    write_parquet(outside / "train.parquet", {"kind": [0, 1, 2]}, {"kind": ["a", "b"]})
    with pytest.raises(UsageError, match="outside its 2 named classes"):
        resolve(options(outside))


# -- hf:NAME


@pytest.fixture
def offline_datasets(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return datasets


def test_hugging_face_folder_equals_its_parquet_files(tmp_path, offline_datasets):
    root = tmp_path / "set"
    for word, count, seed in (("train", 60, 0), ("test", 20, 900)):
        write_parquet(root / f"{word}.parquet", {"kind": np.arange(count) % 2}, {"kind": ["a", "b"]}, seed)
    by_library, by_files = load(options(f"hf:{root}")), load(options(root))
    assert source_modules(options(f"hf:{root}")) == ("maskbench.data.sources.hf",)
    by_library_rows, by_files_rows = (
        sorted(zip(found.images.flatten(1).tolist(), found.native_test.tolist(), strict=True))
        for found in (by_library, by_files)
    )
    assert by_library_rows == by_files_rows
    assert by_library.classes == by_files.classes
    assert fingerprint(options(f"hf:{root}")) == fingerprint(options(f"hf:{root}"))


def test_a_hugging_face_set_that_cannot_be_had(tmp_path, offline_datasets, monkeypatch):
    def refuse(path: str) -> None:
        raise ConnectionError(f"Couldn't reach '{path}'")

    monkeypatch.setattr(offline_datasets, "load_dataset", refuse)
    with pytest.raises(UsageError, match=r"cannot load 'nobody/nothing'.*Couldn't reach"):
        resolve(options("hf:nobody/nothing"))


def test_the_modes_of_image_do_not_leak_between_files(tmp_path):
    root = write_classes(tmp_path, {"a": 30, "b": 30}, mode="L")
    assert load(options(root)).images.shape[1] == 1
    Image.new("RGB", (16, 16), "red").save(root / "a" / "colour.png")
    assert load(options(root)).images.shape[1] == 3


def test_where_two_sources_answer_neither_is_taken(tmp_path, monkeypatch):
    write_classes(tmp_path / "digits", {"a": 30, "b": 30})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"names data of digits \(digits\) and folder .*write a folder as \./digits"):
        resolve(options("digits"))
    assert resolve(options("./digits")).source == str(tmp_path / "digits")


@pytest.mark.parametrize("text", ["~nosuchuser/x", "a" * 300, "a\0b"])
def test_a_text_that_can_be_no_folder(text):
    with pytest.raises(UsageError, match="no data source"):
        resolve(options(text))


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    root = write_classes(tmp_path, {"a": 30, "b": 30})
    (root / "a" / "0003.png").unlink()
    (root / "a" / "0003.png").mkdir()
    (root / "a" / "0004.png").unlink()
    (root / "a" / "0004.png").symlink_to("nowhere.png")
    for ask in (fingerprint, load):
        with pytest.raises(UsageError, match=r"Cannot read .*0004\.png.*No such file"):
            ask(options(root))
