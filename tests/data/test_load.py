"""Options are checked before anything is decoded; limits, fingerprints and real sets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydantic
import pytest
from image_files import png, random_image, write_classes, write_parquet
from maskbench.data.load import built_in, fingerprint, load, resolve
from maskbench.data.options import DataOptions
from maskbench.data.splits import split
from maskbench.errors import UsageError
from maskbench.plugins.files import add_file
from tiny import plugins_forgotten

REAL = Path(os.environ.get("MASKBENCH_DATA") or Path(__file__).parents[3] / "shared" / "data")


def total(image_set, limit) -> int:
    splits = split(image_set, limit)
    return sum(len(rows) for name, rows in vars(splits).items() if name != "notes")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"source": "digit"}, "did you mean 'digits'"),
        ({"source": "no/such/folder"}, "no data source named 'no/such/folder'"),
        ({"source": ""}, "no data source"),
        ({"target": "digits"}, "did you mean 'digit'"),
        ({"sensitive": "gender"}, "no label column of digits named 'gender'"),
        ({"target": "digit", "sensitive": "digit"}, "both 'digit'"),
        ({"sensitive": "parity"}, "both 'parity'"),
        ({"size": 15}, "--size is 15; the smallest is 16 px"),
        ({"limit": 49}, "smallest is 50"),
        ({"limit": -1}, "smallest is 50"),
    ],
)
def test_wrong_options(choices, message):
    with pytest.raises(UsageError, match=message):
        resolve(DataOptions(**choices))


def test_options_are_strict_and_frozen():
    with pytest.raises(pydantic.ValidationError):
        DataOptions(sauce="digits")
    with pytest.raises(pydantic.ValidationError):
        DataOptions().source = "cifar10"


def test_a_misspelt_folder_is_answered_with_its_neighbour(tmp_path):
    write_classes(tmp_path / "flowers", {"rose": 1, "tulip": 1})
    with pytest.raises(UsageError, match=r"There is a folder '.*flowers'"):
        resolve(DataOptions(source=str(tmp_path / "flower")))


def test_resolving_and_fingerprints_need_no_torch(tmp_path):
    root = write_classes(tmp_path, {"a": 2, "b": 2})
    code = (
        "import sys; from maskbench.data.load import resolve, fingerprint, built_in; "
        "from maskbench.data.options import DataOptions; "
        f"o = DataOptions(source={str(root)!r}); resolve(o); fingerprint(o); built_in(); "
        "sys.exit(', '.join({'torch', 'pandas', 'datasets', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_small_images_need_a_size(tmp_path):
    root = tmp_path
    for name in "ab":
        (root / name).mkdir()
        (root / name / "x.png").write_bytes(png(random_image(ord(name), (7, 9))))
    with pytest.raises(UsageError, match="7×9 px; pass --size 16 or more"):
        load(DataOptions(source=str(root)))
    assert load(DataOptions(source=str(root), size=16)).images.shape == (2, 3, 16, 16)


def test_fingerprint_follows_contents_and_names_only(tmp_path):
    first = write_classes(tmp_path / "first", {"a": 3, "b": 3})
    second = write_classes(tmp_path / "second", {"a": 3, "b": 3})
    marks = [fingerprint(DataOptions(source=str(root))) for root in (first, second)]
    assert marks[0] == marks[1]
    assert len(marks[0]) == 64
    os.utime(second / "a" / "0000.png", (0, 0))
    (second / "readme.txt").write_text("not an image")
    assert fingerprint(DataOptions(source=str(second))) == marks[0]
    (second / "a" / "0000.png").rename(second / "b" / "9999.png")
    assert fingerprint(DataOptions(source=str(second))) != marks[0]


def test_canonical_source_does_not_depend_on_the_working_folder(tmp_path, monkeypatch):
    root = write_classes(tmp_path / "pets", {"a": 2, "b": 2})
    monkeypatch.chdir(tmp_path)
    assert resolve(DataOptions(source="pets")).source == resolve(DataOptions(source=str(root))).source


def test_the_limit_is_met_exactly_although_there_are_copies(tmp_path):
    # 500 distinct images in 1,200 files: a copy shows the same pixels, but its bytes are others.
    images = []
    for row in range(1200):
        image = random_image(row % 300 if row < 1000 else row, (16, 16))
        path = tmp_path / "one.png"
        image.save(path, compress_level=1 + row // 300)
        images.append(path.read_bytes() + bytes(row // 300))
    write_parquet(tmp_path / "set" / "train.parquet", {"kind": [row % 300 % 2 for row in range(1200)]}, images=images)
    options = DataOptions(source=str(tmp_path / "set"), limit=250)
    assert total(load(options), 250) == 250


def test_the_limit_decodes_little_more_than_it_needs(tmp_path):
    for word, count, seed in (("train", 800, 0), ("test", 300, 2000)):
        write_parquet(tmp_path / f"{word}.parquet", {"kind": np.arange(count) % 4}, None, seed)
    options = DataOptions(source=str(tmp_path), limit=200)
    found = load(options)
    assert 200 <= len(found.images) <= 210
    assert len(split(found, 200).owner_test) == 40
    assert total(found, 200) == 200
    assert len(load(DataOptions(source=str(tmp_path), limit=5000)).images) == 1100


def test_the_limited_choice_does_not_depend_on_the_order_of_rows(tmp_path):
    images = [png(random_image(row)) for row in range(400)]
    codes = np.arange(400) % 2
    order = np.random.default_rng(0).permutation(400)
    write_parquet(tmp_path / "a" / "x.parquet", {"kind": codes}, images=images)
    write_parquet(tmp_path / "b" / "x.parquet", {"kind": codes[order]}, images=[images[row] for row in order])
    found = []
    for name in "ab":
        image_set = load(DataOptions(source=str(tmp_path / name), limit=100))
        rows = split(image_set, 100).attacker_train
        found.append(sorted(image_set.images[rows].flatten(1).tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("name", "target", "sensitive", "shape"),
    [
        ("cifar10-jpeg", "label", None, (3, 32, 32)),
        ("cifar10-lossless-part", "label", None, (3, 32, 32)),
        ("utkface64", "gender", "ethnicity", (3, 64, 64)),
        ("flowers128", "label", None, (3, 128, 128)),
    ],
)
def test_real_sets(name, target, sensitive, shape):
    if not (REAL / name).is_dir():
        pytest.skip(f"{name} is not in MASKBENCH_DATA or ../shared/data")
    options = resolve(DataOptions(source=str(REAL / name), target=target, sensitive=sensitive, limit=500))
    assert options.sensitive == sensitive
    image_set = load(options)
    splits = split(image_set, 500)
    assert image_set.name == name
    assert image_set.images.shape[1:] == shape
    assert total(image_set, 500) == 500
    assert len(splits.owner_test) == 100
    assert image_set.native_test[splits.owner_test].all()


SOURCE = '''
import numpy as np
from PIL import Image
from maskbench.data.source import LabelTable, RawImages, Source

class Noise(Source):
    """Noise."""

    name = title = canonical = "noise"
    description = "noise with two labels"

    @classmethod
    def opened(cls, text):
        return cls() if text == cls.name else None

    def labels(self):
        return LabelTable({"label": np.arange(60) % 2}, {"label": ["a", "b"]}, None)

    def images(self):
        draw = lambda row: np.random.default_rng(row).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        return RawImages(lambda row: draw(row).tobytes(), lambda row: Image.fromarray(draw(row)), str)

    def fingerprint(self):
        return "noise"
'''


def test_a_source_in_a_file_is_one_of_the_catalogue(tmp_path):
    (tmp_path / "noise.py").write_text(SOURCE)
    with plugins_forgotten():
        add_file(tmp_path / "noise.py")
        assert ("noise", "noise with two labels") in built_in()
        assert load(DataOptions(source="noise")).images.shape == (60, 3, 16, 16)
    with pytest.raises(UsageError, match="no data source named 'noise'"):
        resolve(DataOptions(source="noise"))
