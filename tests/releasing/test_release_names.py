"""Nothing is left out in silence, and nothing but pictures tells who is in them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from desensitize_cases import RANDOM, Remarks, class_folders, encoded, errors, parquet, picture, pixels, release, tree
from maskbench.errors import UsageError

# -- names


def _listed(path: Path) -> dict[str, str]:
    with path.open(newline="") as stream:
        return {row["name"]: row["number"] for row in csv.DictReader(stream)}


def test_renamed_pictures_have_numbers_in_random_order(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=12)
    (source / "note-of-maria.txt").write_text("x")
    (source / "cat" / "broken-of-maria.png").write_bytes(b"broken")
    finished = release(source, tmp_path / "dst", rename=True)
    assert finished.errors[0][0] == "cat/broken-of-maria.png"
    assert finished.names == tmp_path / "dst.names.csv"
    assert finished.names.stat().st_mode & 0o077 == 0
    names = _listed(finished.names)
    assert set(names) == {name for name in tree(source) if name.endswith(".png")} - {"cat/broken-of-maria.png"}
    assert len(set(names.values())) == 24
    assert [names[name] for name in sorted(names)] != sorted(names.values())
    for name, number in names.items():
        target = f"{name.partition('/')[0]}/{number}.png"
        mask = pixels(tmp_path / "dst" / "masks" / target) == 255
        assert np.array_equal(pixels(tmp_path / "dst" / "images" / target)[mask], pixels(source / name)[mask])
    assert "maria" not in (tmp_path / "dst" / "manifest.json").read_text()
    assert finished.manifest["not_used"]["files"] == 1
    assert finished.manifest["names"] == "random numbers; folders keep theirs"


def test_numbers_stay_when_a_release_is_resumed(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=3)
    (source / "cat" / "bad.png").write_bytes(b"broken")
    first = release(source, tmp_path / "dst", rename=True)
    before = _listed(tmp_path / "dst.names.csv")
    picture(5).save(source / "cat" / "bad.png")
    picture(6).save(source / "dog" / "new.png")
    (source / "dog" / "000.png").unlink()
    assert first.unfinished is not None
    with pytest.raises(UsageError, match="rename was True"):
        release(source, tmp_path / "dst", resume=True)
    release(source, tmp_path / "dst", rename=True, resume=True)
    after = _listed(tmp_path / "dst.names.csv")
    assert set(after) == {name for name in tree(source)}
    assert {name: after[name] for name in before if name in after} == {
        name: number for name, number in before.items() if name in after
    }
    assert len(set(after.values())) == len(after) == len(tree(tmp_path / "dst" / "images"))


def test_the_list_of_another_release_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dst.names.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"dst\.names\.csv is there already"):
        release(class_folders(tmp_path / "src"), tmp_path / "dst", rename=True)
    assert (tmp_path / "dst.names.csv").read_text() == "mine"


@pytest.mark.parametrize("rename", [False, True])
def test_it_says_when_names_leave(tmp_path: Path, rename: bool) -> None:
    watcher = Remarks()
    finished = release(class_folders(tmp_path / "src"), tmp_path / "dst", rename=rename, watcher=watcher)
    assert any("File names are released too" in remark for remark in watcher.said) != rename
    assert (finished.manifest["names"] == "those of the source") != rename


def test_times_do_not_leave(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "src"), tmp_path / "dst")
    everything = [tmp_path / "dst", *(tmp_path / "dst").rglob("*")]
    assert len({path.stat().st_mtime_ns for path in everything}) == 1


def _path_cells(tmp_path: Path, paths: list[str | None], **options: bool) -> list[str | None]:
    cells = [{"bytes": encoded(picture(seed)), "path": path} for seed, path in enumerate(paths)]
    (tmp_path / "src").mkdir()
    pq.write_table(pa.table({"image": cells}), tmp_path / "src" / "train.parquet")
    release(tmp_path / "src", tmp_path / "dst", **options)
    return [cell["path"] for cell in pq.read_table(tmp_path / "dst" / "train.parquet")["image"].to_pylist()]


def test_paths_in_parquet_lose_their_folders(tmp_path: Path) -> None:
    paths = {
        r"C:\Users\Somebody\f1.jpg": "f1.png",
        r"\\server\share\f2.jpg": "f2.png",
        r"\\server\share\somebody\f2.jpg": "f2.png",
        "file:///home/somebody/f3.jpg": "f3.png",
        "/home/somebody/f4.jpg": "f4.png",
        "zip://inner/f5.jpg::/home/somebody/all.zip": "f5.png",
        "zip://f6.jpg::https://example.com/a.zip?token=1": "f6.png",
        "https://example.com/somebody/f7.jpg?token=somebody": "f7.png",
        "../somebody/f8.jpg": "f8.png",
        "somebody/f9.jpg": "f9.png",
        "C:f10.jpg": "f10.png",
        "..": None,
        "": None,
        "somebody/..": None,
    }
    assert _path_cells(tmp_path, list(paths)) == list(paths.values())


def test_renamed_rows_have_no_path(tmp_path: Path) -> None:
    assert _path_cells(tmp_path, ["maria.jpg", None], rename=True) == [None, None]
    assert not (tmp_path / "dst.names.csv").exists()


# -- what vanishes


def test_links_and_folders_that_cannot_be_read_are_released_or_errors(tmp_path: Path) -> None:
    class_folders(tmp_path / "real", count=3, classes=("cat",))
    source = class_folders(tmp_path / "src", count=3, classes=("dog",))
    (source / "cat").symlink_to(tmp_path / "real" / "cat")
    (source / "dog" / "annexed.png").symlink_to("/nonexistent/x.png")
    (source / "dog" / "loop").symlink_to(source)
    os.mkfifo(source / "dog" / "pipe.png")
    (source / "__MACOSX").mkdir()
    (source / "__MACOSX" / "._000.png").write_bytes(b"\0\5\x16\7")
    (source / "dog" / "._000.png").write_bytes(b"\0\5\x16\7")
    finished = release(source, tmp_path / "dst")
    assert finished.manifest["images"] == {"source": 9, "left_out_by_limit": 0, "released": 6, "errors": 3}
    assert errors(finished) == {
        "dog/annexed.png": "the file cannot be read: No such file or directory",
        "dog/loop": "it is a link to a folder that it lies in",
        "dog/pipe.png": "it is no regular file",
    }
    assert finished.manifest["not_used"]["files"] == ["__MACOSX/._000.png", "dog/._000.png"]


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, scandir = class_folders(tmp_path / "src", count=3), os.scandir

    def refuse(path: Path | int) -> object:
        if isinstance(path, Path) and path.name == "cat":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("maskbench.data.image_files.os.scandir", refuse)
    finished = release(source, tmp_path / "dst")
    assert errors(finished) == {"cat": "the folder cannot be read: Permission denied"}
    assert finished.manifest["images"]["released"] == 3


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=2)
    odd = os.fsdecode(b"caf\xe9")
    (source / "cat" / "000.png").rename(source / "cat" / f"{odd}.png")
    (source / "cat" / f"{odd}2.png").write_bytes(b"broken")
    (source / "cat" / f"{odd}.txt").write_text("x")
    finished = release(source, tmp_path / "dst")
    assert list(errors(finished)) == ["cat/caf\\xe92.png"]
    assert finished.manifest["not_used"]["files"] == ["cat/caf\\xe9.txt"]
    assert (tmp_path / "dst" / "manifest.json").is_file()
    assert (tmp_path / "dst" / "images" / "cat" / f"{odd}.png").is_file()
    (source / "cat" / f"{odd}2.png").write_bytes(encoded(picture(3)))
    assert release(source, tmp_path / "dst", resume=True).manifest["images"]["released"] == 5


def test_a_name_that_is_too_long_is_an_error_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("ok.png", f"{'a' * 248}.jpg", f"{'b' * 251}.png", f"{'b' * 251}.gif"):
        picture(len(name)).save(tmp_path / "src" / name)
    finished = release(tmp_path / "src", tmp_path / "dst")
    assert set(errors(finished).values()) == {"its name is too long for its PNG"}
    assert sorted(name[0] for name in errors(finished)) == ["b", "b"]
    assert sorted(path.name[0] for path in (tmp_path / "dst" / "images").iterdir()) == ["a", "o"]


def test_a_picture_that_is_withdrawn_after_a_kill_does_not_stay(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=3)
    (source / "cat" / "bad.png").write_bytes(b"broken")
    (source / "maria").mkdir()
    picture(7).save(source / "maria" / "1.png")
    release(source, tmp_path / "dst")
    journal = tmp_path / "dst.unfinished" / "journal.jsonl"
    # Killed between the files of this picture and its record.
    journal.write_text("".join(line for line in journal.read_text().splitlines(True) if "maria" not in line))
    (source / "maria" / "1.png").unlink()
    (tmp_path / "dst" / "README.md").write_text("mine")
    release(source, tmp_path / "dst", resume=True)
    assert not any("maria" in str(path) for path in (tmp_path / "dst").rglob("*"))
    assert (tmp_path / "dst" / "README.md").read_text() == "mine"


# -- columns


def test_only_plain_types_leave(tmp_path: Path) -> None:
    raw = encoded(picture(0))
    plain = {
        "int": pa.array([1, 2], pa.uint8()),
        "half": pa.array([1.5, 2.5], pa.float16()),
        "money": pa.array([1, 2], pa.decimal128(5, 2)),
        "flag": pa.array([True, None]),
        "text": pa.array(["a", None], pa.string_view()),
        "much": pa.array(["a", "b"], pa.large_string()),
        "when": pa.array([1, 2], pa.timestamp("us", tz="UTC")),
        "day": pa.array([1, 2], pa.date32()),
        "hour": pa.array([1, 2], pa.time64("us")),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
    }
    odd = {
        "bytes": pa.array([raw, raw]),
        "large": pa.array([raw, raw], pa.large_binary()),
        "view": pa.array([raw, raw], pa.binary_view()),
        "fixed": pa.array([raw[:64]] * 2, pa.binary(64)),
        "coded": pa.array([raw, raw]).dictionary_encode(),
        "list": pa.array([[1, 2]] * 2),
        "box": pa.array([{"x": 1}] * 2),
        "map": pa.array([[("a", raw)]] * 2, pa.map_(pa.string(), pa.binary())),
        "array": pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.uint8(), [2, 2]), pa.array([[1, 2, 3, 4]] * 2, pa.list_(pa.uint8(), 4))
        ),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([raw[:16]] * 2, pa.binary(16))),
        "nothing": pa.array([None, None]),
    }
    parquet(tmp_path / "src" / "a.parquet", 2, **plain, **odd)
    finished = release(tmp_path / "src", tmp_path / "dst")
    table = pq.read_table(tmp_path / "dst" / "a.parquet")
    assert table.column_names == ["image", "mask", "label", *plain]
    for name, values in plain.items():
        assert table[name].to_pylist() == values.to_pylist()
    assert set(finished.manifest["not_used"]["columns"]) == set(odd)
    assert raw[30:80] not in (tmp_path / "dst" / "a.parquet").read_bytes()


# -- sizes


@pytest.mark.parametrize(("side", "size"), [(12, None), (32, 8)])
def test_a_teacher_gets_no_images_that_it_cannot_see(tmp_path: Path, side: int, size: int | None) -> None:
    for name in ("a", "b"):
        (tmp_path / "src" / name).mkdir(parents=True)
        for seed in range(4):
            picture(seed + ord(name), (side, side)).save(tmp_path / "src" / name / f"{seed}.png")
    with pytest.raises(UsageError, match="16"):
        release(tmp_path / "src", tmp_path / "dst", "saliency:patch=4", size=size, epochs=1)
    assert not (tmp_path / "dst").exists()
    assert not release(tmp_path / "src", tmp_path / "dst", RANDOM, size=size).errors
