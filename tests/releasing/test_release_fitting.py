"""Methods that learn: from labelled images of one size, broken ones left out; saved and applied again."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from desensitize_cases import CPU, Remarks, class_folders, encoded, errors, picture, pixels, release, tree
from maskbench import Given, Method, Owner, Release
from maskbench.errors import ContractViolation, UsageError
from maskbench.releasing.fitting import fit
from maskbench.releasing.labelled import Labels
from maskbench.releasing.options import Options
from maskbench.releasing.pictures import Entry
from maskbench.releasing.secret import Secret
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

LEARNING = [
    "template:patch=4,ratio=0.5",
    "saliency:patch=4,ratio=0.5",
    "universal:ratio=0.5",
    "scramble",
    "instahide",
    "k-same-pixel:k=2",
]


def _flat(root: Path, count: int = 6) -> Path:
    root.mkdir(parents=True)
    for seed in range(count):
        picture(seed).save(root / f"{seed}.png")
    return root


def _released(root: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(root).items() if name != "manifest.json"}


def test_saliency_from_end_to_end(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=30)
    (source / "cat" / "bad.png").write_bytes(b"broken")
    outcome = release(source, tmp_path / "dst", "saliency:patch=2,ratio=0.75", epochs=4, seed=1)
    assert list(errors(outcome)) == ["cat/bad.png"]
    learned = outcome.manifest["method"]["learned_from"]
    assert learned["images"] == 60
    assert learned["shape"] == [3, 16, 16]
    assert (learned["recognizer"], learned["training"]["epochs"]) == ({"name": "small", "width": 32}, 4)
    for name in ("cat", "dog"):
        for number in range(30):
            mask = pixels(tmp_path / f"dst/masks/{name}/{number:03}.png")
            raw, shown = (
                pixels(source / f"{name}/{number:03}.png"),
                pixels(tmp_path / f"dst/images/{name}/{number:03}.png"),
            )
            assert (mask == 255).mean() == 0.25
            assert np.array_equal(shown[mask == 255], raw[mask == 255])
            assert not shown[mask == 0].any()


@pytest.mark.parametrize("method", LEARNING)
def test_a_saved_method_gives_the_same_releases_without_labels(method: str, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=8)
    saved = tmp_path / "keep" / "method.safetensors"
    epochs = {"epochs": 1} if method.startswith(("saliency", "universal")) else {}
    release(source, tmp_path / "fitted", method, save=saved, **epochs)
    release(source, tmp_path / "loaded", None, load=saved)
    assert _released(tmp_path / "loaded") == _released(tmp_path / "fitted")

    new = _flat(tmp_path / "new")
    release(new, tmp_path / "new-released", None, load=saved)
    manifest = json.loads((tmp_path / "new-released" / "manifest.json").read_text())
    assert manifest["images"]["released"] == 6
    assert manifest["method"]["learned_from"]["images"] == 16
    assert saved.stat().st_mode & 0o077 == 0
    with safe_open(saved, framework="pt") as file:
        assert json.loads(file.metadata()["maskbench"])["method"] == method.partition(":")[0]
        assert bool([name for name in file.keys() if name.startswith("teacher/")]) == method.startswith(  # noqa: SIM118
            ("saliency", "universal")
        )


def test_a_method_that_learns_nothing_can_be_saved_too(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=2)
    release(source, tmp_path / "fitted", "random", ratio=0.5, save=tmp_path / "m.safetensors")
    release(source, tmp_path / "loaded", None, load=tmp_path / "m.safetensors")
    assert _released(tmp_path / "loaded") == _released(tmp_path / "fitted")


def test_a_saved_method_takes_what_it_was_fitted_on(tmp_path: Path) -> None:
    release(class_folders(tmp_path / "src"), tmp_path / "dst", "scramble", save=tmp_path / "m.safetensors")
    new = _flat(tmp_path / "new", 1)
    picture(5, (20, 16)).save(new / "wide.png")
    picture(6, mode="L").save(new / "grey.png")
    outcome = release(new, tmp_path / "one", None, load=tmp_path / "m.safetensors")
    assert errors(outcome) == {"wide.png": "it is 20×16 px, and the method was fitted on 16×16 px"}
    assert pixels(tmp_path / "one" / "images" / "grey.png").shape == (16, 16, 3)
    outcome = release(new, tmp_path / "two", None, load=tmp_path / "m.safetensors", size=16)
    assert errors(outcome) == {}
    with pytest.raises(UsageError, match="fitted on images of 16×16"):
        release(new, tmp_path / "three", None, load=tmp_path / "m.safetensors", size=32)


def test_the_size_is_saved(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src")
    picture(9, (40, 30)).save(source / "cat" / "large.png")
    with pytest.raises(UsageError, match=r"16×16 px, cat/large\.png is 40×30 px\. Pass --size"):
        release(source, tmp_path / "none", "scramble")
    release(source, tmp_path / "dst", "scramble", size=12, save=tmp_path / "m.safetensors")
    release(_flat(tmp_path / "new", 1), tmp_path / "new-released", None, load=tmp_path / "m.safetensors")
    assert pixels(tmp_path / "new-released" / "images" / "0.png").shape == (12, 12, 3)


def test_a_flat_folder_serves_methods_that_need_no_labels(tmp_path: Path) -> None:
    outcome = release(_flat(tmp_path / "src"), tmp_path / "dst", "scramble")
    assert outcome.manifest["images"]["released"] == 6
    for method in ("saliency", "universal"):
        with pytest.raises(UsageError, match=r"needs a teacher of the target label.*without class folders"):
            release(tmp_path / "src", tmp_path / "other", method)
    with pytest.raises(UsageError, match="--target"):
        release(tmp_path / "src", tmp_path / "other", "scramble", target="label")
    with pytest.raises(UsageError, match=r"sensitive label.*--sensitive"):
        release(class_folders(tmp_path / "classes"), tmp_path / "other", "sensitive-drop")


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.png").write_bytes(b"broken")
    with pytest.raises(UsageError, match=r"no image to learn from \(a\.png: it is no image"):
        release(tmp_path / "src", tmp_path / "dst", "scramble")


class _Learner(Method):
    """What it does in fit, a test says."""

    name: ClassVar[str] = "learner-of-a-test"
    does: str

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        if self.does == "uses labels":
            return {"classes": torch.bincount(owner.labels, minlength=owner.classes)}
        if self.does == "fails":
            raise RuntimeError("out of ideas")
        return {"mean": owner.images.mean(dim=0)}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(images)


@pytest.mark.parametrize(
    ("does", "error", "message"),
    [
        ("uses labels", UsageError, "learns from labels, and SRC has none"),
        ("fails", ContractViolation, "failed in fit: RuntimeError: out of ideas"),
        ("learns from images", None, ""),
    ],
)
def test_a_method_without_the_labels_that_it_wants(
    does: str, error: type[Exception] | None, message: str, tmp_path: Path
) -> None:
    def learn() -> None:
        entries = [Entry(str(seed), partial(Image.open, io.BytesIO(encoded(picture(seed))))) for seed in range(2)]
        options = Options(tmp_path, tmp_path, "x")
        labels = Labels(None, "none", {}, 2)
        fit(_Learner(does=does), entries, labels, options, Secret.draw(), CPU, Remarks().progress)

    if error is None:
        learn()
    else:
        with pytest.raises(error, match=message):
            learn()


@pytest.mark.parametrize("content", [b"", b"junk" * 100, None])
def test_a_file_that_holds_no_method(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    file.write_bytes(save({"a": torch.zeros(1)}) if content is None else content)
    with pytest.raises(UsageError, match=r"m\.safetensors"):
        release(_flat(tmp_path / "src", 1), tmp_path / "dst", None, load=file)
    with pytest.raises(UsageError, match="no such file"):
        release(tmp_path / "src", tmp_path / "dst", None, load=tmp_path / "none.safetensors")


def test_a_damaged_header_is_one_message(tmp_path: Path) -> None:
    header = {"format": 1, "method": "random", "parameters": {}, "secret": "00", "size": None}
    (tmp_path / "m.safetensors").write_bytes(save({}, {"maskbench": json.dumps(header)}))
    with pytest.raises(UsageError, match="damaged"):
        release(_flat(tmp_path / "src", 1), tmp_path / "dst", None, load=tmp_path / "m.safetensors")
