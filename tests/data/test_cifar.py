"""CIFAR through torchvision, on small files of its layout."""

from __future__ import annotations

import pickle
import shutil
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from maskbench.data.load import fingerprint, load, resolve
from maskbench.data.options import DataOptions
from maskbench.data.sources.cifar100 import COARSE_OF_FINE
from maskbench.errors import UsageError


def write_cifar100(root: Path, monkeypatch) -> None:
    """Write files of torchvision's layout with 200 + 100 images, and make their MD5s the expected ones."""
    from torchvision.datasets import CIFAR100
    from torchvision.datasets.utils import calculate_md5

    folder = root / CIFAR100.base_folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train", 200), ("test", 100)):
        pixels = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "fine_labels": [row % 100 for row in range(count)]}))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": sorted(COARSE_OF_FINE)}))
    for attribute, name in (("train_list", "train"), ("test_list", "test")):
        monkeypatch.setattr(CIFAR100, attribute, [[name, calculate_md5(folder / name)]])
    monkeypatch.setattr(CIFAR100, "meta", {**CIFAR100.meta, "md5": calculate_md5(folder / "meta")})


def test_cifar100_coarse_and_fine(tmp_path, monkeypatch):
    write_cifar100(tmp_path, monkeypatch)
    monkeypatch.setenv("MASKBENCH_TORCHVISION", str(tmp_path))
    found = load(DataOptions(source="cifar100"))
    assert (found.target, found.sensitive) == ("coarse", "fine")
    assert found.images.shape == (300, 3, 32, 32)
    assert found.native_test.sum() == 100
    for coarse, fine in zip(found.labels["coarse"].tolist(), found.labels["fine"].tolist(), strict=True):
        assert found.classes["coarse"][coarse] == COARSE_OF_FINE[found.classes["fine"][fine]]
    before = fingerprint(DataOptions(source="cifar100"))
    shutil.move(tmp_path / "cifar-100-python", tmp_path / "moved" / "cifar-100-python")
    monkeypatch.setenv("MASKBENCH_TORCHVISION", str(tmp_path / "moved"))
    assert fingerprint(DataOptions(source="cifar100")) == before


def test_the_coarse_classes_are_twenty_times_five():
    coarse = list(COARSE_OF_FINE.values())
    assert len(coarse) == 100
    assert {coarse.count(name) for name in coarse} == {5}


def test_cifar_without_files_or_network_says_what_to_put_where(tmp_path, monkeypatch):
    from torchvision.datasets import cifar

    def refuse(*_args, **_choices) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(cifar, "download_and_extract_archive", refuse)
    monkeypatch.setenv("MASKBENCH_TORCHVISION", str(tmp_path / "empty"))
    with pytest.raises(UsageError, match=r"(?s)no network.*cifar-10-python\.tar\.gz.*MASKBENCH_TORCHVISION"):
        resolve(DataOptions(source="cifar10"))


def test_without_a_home_folder_one_message_says_what_to_name(monkeypatch):
    def nobody(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MASKBENCH_TORCHVISION", raising=False)
    monkeypatch.setattr(Path, "expanduser", nobody)
    with pytest.raises(UsageError, match="No home folder: name a folder for CIFAR10 in MASKBENCH_TORCHVISION"):
        resolve(DataOptions(source="cifar10"))
