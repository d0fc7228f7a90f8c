"""Inputs that failed once, one test each: what a user types, and what must come of it."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from maskbench.runfolder.folder import RunFolder
from PIL import Image
from tiny import command, process

SUITE = """
methods: ["random:patch=8,ratio=0.5"]
attacks: [mean-fill]
seeds: 1
data: {limit: 60}
settings: {draws: 1, scored: 16, recognition: {epochs: 1}, attack: {epochs: 1}, restoration: {epochs: 1}}
"""
RUN = ("run", "s.yaml", "--device", "cpu")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with a small suite."""
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SUITE)
    return tmp_path


def picture(seed: int, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Image.Image:
    """A soft pattern and noise."""
    generator = np.random.default_rng(seed)
    soft = Image.fromarray(generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    noisy = np.asarray(soft).astype(int) + generator.integers(-8, 9, (size[1], size[0], 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert(mode)


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    picture(seed).save(stream, "PNG")
    return stream.getvalue()


def classes(root: str, names: tuple[str, ...] = ("cat", "dog"), each: int = 30, start: int = 0, side: int = 16) -> int:
    """``root/CLASS/NUMBER.png``; returns the first seed that is free."""
    for name in names:
        Path(root, name).mkdir(parents=True)
        for number in range(each):
            picture(start, (side, side)).save(Path(root, name, f"{number}.png"))
            start += 1
    return start


def rows(path: str, columns: dict[str, Any] | None = None, metadata: bytes | None = None) -> None:
    """Sixty rows with an image, and a label unless other columns are given."""
    Path(path).parent.mkdir(parents=True)
    content = {"image": pa.array([png(seed) for seed in range(60)], pa.binary())}
    table = pa.table({**content, **(columns or {"label": ["cat" if row % 2 else "dog" for row in range(60)]})})
    pq.write_table(table.replace_schema_metadata({b"huggingface": metadata} if metadata else None), path)


def manifest(folder: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(folder, "manifest.json").read_text())
    return content


def raw_in(source: str, destination: str) -> list[str]:
    """The pictures that a release shows as they were."""
    shown = [path for path in Path(source).glob("*.png") if Path(destination, "images", path.name).exists()]
    return [
        path.name
        for path in shown
        if np.array_equal(Image.open(path), Image.open(Path(destination, "images", path.name)))
    ]


def test_appledouble_parquet(here: Path) -> None:
    rows("d/train.parquet")
    Path("d/._train.parquet").write_bytes(b"\0\5\x16\7" + bytes(60))
    assert command(*RUN, "--data", "d", "--out", "o").returncode == 0
    assert command("desensitize", "d", "released", "-m", "random").returncode == 0
    assert manifest("released")["images"]["released"] == 60


def test_coarse_patch_hides_nothing(here: Path) -> None:
    Path("d").mkdir()
    for number in range(3):
        picture(number, (128, 128)).save(f"d/big{number}.png")
        picture(number, (24, 24)).save(f"d/thumb{number}.png")
    assert command("desensitize", "d", "o", "-m", "random:patch=32,ratio=0.4").returncode == 1
    assert raw_in("d", "o") == []
    found = manifest("o")
    assert (found["images"]["released"], len(found["errors"])) == (3, 3)
    done = command(
        *RUN, "-m", "random:patch=16,ratio=0.1", "-m", "random:patch=8,ratio=0.6", "--size", "16", "--out", "r"
    )
    assert done.returncode == 1
    assert "hides nothing" in done.stdout
    summary = pd.read_csv("r/tables/summary.csv").set_index("method")
    assert summary.loc["random:patch=8", "hidden"] == "50%", "two of four patches, by half a unit less than 0.6"


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_name_not_utf8(here: Path) -> None:
    classes("d")
    Path("d/cat/0.png").rename(Path("d/cat", os.fsdecode(b"caf\xe9.png")))
    assert command(*RUN, "--data", "d", "--out", "o").returncode == 0
    classes("e", ("x",), each=2)
    Path("e/x", os.fsdecode(b"caf\xe9.txt")).write_bytes(b"note")
    assert command("desensitize", "e", "released", "-m", "random").returncode == 0
    assert manifest("released")["images"]["released"] == 2


@pytest.mark.parametrize(
    ("method", "mode", "codes"),
    [
        ("scramble:permute=no,rotate=no,negate=no", "L", {1, 2}),
        ("scramble:block=1,permute=no,negate=no,recolour=no", "RGB", {1, 2}),
        ("scramble:block=16", "L", {0, 1}),  # one block: what the key does to it changes it, or it is an error
        ("dp-svd:rank=100,epsilon=.inf", "RGB", {2}),
        ("dp-pix:block=1,epsilon=.inf", "RGB", {2}),
    ],
)
def test_parameters_that_release_raw(here: Path, method: str, mode: str, codes: set[int]) -> None:
    Path("d").mkdir()
    for number in range(2):
        picture(number, mode=mode).save(f"d/{number}.png")
    done = command("desensitize", "d", "o", "-m", method, "--seed", "1")
    assert done.returncode in codes
    assert raw_in("d", "o") == []
    assert "Traceback" not in done.stderr


TEXT_LABELS = json.dumps(
    {"info": {"features": {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}}}
).encode()


@pytest.mark.parametrize("metadata", [b'{"other":1}', b'{"info":{}}', b"x", b'{"info":{"features":null}}', TEXT_LABELS])
def test_parquet_metadata(here: Path, metadata: bytes) -> None:
    rows("d/train.parquet", metadata=metadata)
    done = command(*RUN, "--data", "d", "--target", "nosuch", "--out", "o")
    assert done.returncode == 2
    assert done.stderr.count("Error") == 1
    assert "Traceback" not in done.stderr
    if metadata != TEXT_LABELS:
        assert command("desensitize", "d", "released", "-m", "random").returncode == 0


def test_parquet_with_a_column_twice(here: Path) -> None:
    Path("d").mkdir()
    images, names = pa.array([png(seed) for seed in range(6)], pa.binary()), pa.array(["cat", "dog"] * 3)
    pq.write_table(pa.Table.from_arrays([images, names, names], names=["image", "label", "label"]), "d/train.parquet")
    for arguments in ((*RUN, "--data", "d", "--out", "o"), ("desensitize", "d", "released", "-m", "random")):
        done = command(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_release_omits_silently(here: Path) -> None:
    classes("real", ("cat",), each=3)
    classes("src", ("dog",), each=3, start=9)
    Path("src/cat").symlink_to(Path("real/cat").resolve())
    Path("src/dog/annexed.png").symlink_to("/nonexistent/annex/x.png")
    assert command("desensitize", "src", "o", "-m", "random").returncode == 1
    found = manifest("o")
    assert (found["images"]["source"], found["images"]["released"]) == (7, 6)
    assert [Path(each["file"]).name for each in found["errors"]] == ["annexed.png"]


def test_release_read_as_pictures(here: Path) -> None:
    for number, name in enumerate("ab"):
        Path("d", name).mkdir(parents=True)
        for seed in range(30):
            picture(100 * number + seed, (24, 24)).save(f"d/{name}/jane-doe-{seed}.png")
    assert "names" in command("desensitize", "d", "named", "-m", "random:patch=8").stdout
    assert command("desensitize", "d", "o", "-m", "random:patch=8", "--rename").returncode == 0
    assert len(list(Path("o/images").rglob("*.png"))) == len(list(Path("o/masks").rglob("*.png"))) == 60
    assert not [path for path in Path("o").rglob("*") if "jane" in path.name]
    assert command(*RUN, "--data", "o", "--out", "r").returncode == 0
    assert sum(RunFolder.read(Path("r")).provenance["data"]["sizes"].values()) == 60


def test_size_8_to_15(here: Path) -> None:
    classes("d", side=6)
    for size in ((), ("--size", "8")):
        done = command(*RUN, "--data", "d", *size, "--out", "o")
        assert done.returncode == 2
        assert "16" in done.stderr
    assert not Path("o").exists()


@pytest.mark.parametrize(
    "columns",
    [
        {"label": pa.array(["cat", "dog"] * 30).cast(pa.string_view())},
        {
            "image": pa.array([png(seed) for seed in range(60)], pa.binary()).cast(pa.binary_view()),
            "label": [0, 1] * 30,
        },
    ],
    ids=["string view", "binary view"],
)
def test_small_ugly_types(here: Path, columns: dict[str, Any]) -> None:
    rows("d/train.parquet", columns)
    assert command(*RUN, "--data", "d", "--out", "o").returncode == 0
    assert command("desensitize", "d", "released", "-m", "random").returncode == 0


def test_small_ugly_folder_of_the_hub(here: Path) -> None:
    rows("d/plain_text/train-00000-of-00001.parquet")
    done = command(*RUN, "--data", "d", "--out", "o")
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr


def test_small_ugly_name_too_long(here: Path) -> None:
    Path("d").mkdir()
    picture(1).save("d/ok.png")
    picture(2).save("d/" + "a" * 248 + ".jpg")
    assert command("desensitize", "d", "o", "-m", "random").returncode == 0, "the mask of a long name has a folder now"
    assert sorted(len(path.name) for path in Path("o/images").iterdir()) == [6, 252]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "twice.yaml"), "methods"),
        ((*RUN, "-m", "random:patch=010"), "010"),
        ((*RUN, "-m", "random:patch=1:30"), "1:30"),
        ((*RUN, "-a", "lama:weights=a,b.pt"), "b.pt"),
    ],
)
def test_small_ugly_words(here: Path, arguments: tuple[str, ...], message: str) -> None:
    Path("twice.yaml").write_text(SUITE + 'methods: ["grid:patch=8,ratio=0.5"]\n')
    done = command(*arguments, "--out", "o")
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing")])
def test_split_folders_become_classes(here: Path, names: tuple[str, str]) -> None:
    free = classes(f"d/{names[0]}", each=40)
    classes(f"d/{names[1]}", each=15, start=free)
    Path("d/__MACOSX/train").mkdir(parents=True)
    assert command(*RUN, "--data", "d", "--out", "o").returncode == 0
    assert RunFolder.read(Path("o")).provenance["data"]["target_classes"] == ["cat", "dog"]


def test_stdout_closed_or_ascii(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed one and cp1252 are tested in tests/cli/test_streams.py."""
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    done = process(*RUN, "--out", "o", cwd=here)
    assert done.returncode == 0, done.stderr
    assert list(Path("o/figures").glob("*.png"))


@pytest.mark.parametrize("data", ["~nosuchuser/x", "a" * 300])
def test_tracebacks_of_the_environment(here: Path, data: str) -> None:
    """What may not be read or written is tested in tests/artifacts/test_store_places.py and tests/cli/."""
    done = command(*RUN, "--data", data, "--out", "o")
    assert done.returncode == 2
    assert done.stderr.count("Error") == 1
    assert "Traceback" not in done.stderr


def test_two_runs_one_folder(here: Path) -> None:
    """Two at the same moment are tested in tests/runfolder/test_claim.py."""
    assert command(*RUN, "--out", "same").returncode == 0
    kept = Path("same/cells.parquet").read_bytes()
    assert command(*RUN, "-a", "adaptive", "--out", "same").returncode == 2
    assert Path("same/cells.parquet").read_bytes() == kept


def test_windows_path_in_parquet(here: Path) -> None:
    paths = [
        r"C:\Users\Somebody\f1.jpg",
        r"\\server\share\f2.jpg",
        "file:///home/somebody/f3.jpg",
        "/home/somebody/f4.jpg",
    ]
    cells = [{"bytes": png(seed), "path": path} for seed, path in enumerate(paths)]
    Path("d").mkdir()
    pq.write_table(pa.table({"image": cells}), "d/train.parquet")
    assert command("desensitize", "d", "o", "-m", "random").returncode == 0
    [released] = Path("o").rglob("*.parquet")
    left = [cell["path"] for cell in pq.read_table(released)["image"].to_pylist()]
    assert left == [f"f{number}.png" for number in range(1, 5)]
