"""What a release tells of the sensitive label only to who knows the task label: an attacker who is told it finds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pandas as pd
import pytest
import torch
from halves import SIDE, drawn_bits, write_halves
from maskbench import Given, Method, Release
from maskbench.plugins.catalogue import catalogue
from tiny import pooled, run, tiny
from torch import Tensor


class Difference(Method):
    """Says of each picture whether its two labels differ, and nothing else."""

    name: ClassVar[str] = "planted-difference"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        upper, lower = images[:, :, : SIDE // 2], images[:, :, SIDE // 2 :]
        bright = [half.mean(dim=(1, 2, 3)) > 0.5 for half in (upper, lower)]
        shown = torch.where(bright[0] ^ bright[1], 200 / 255, 50 / 255)
        return Release(shown.view(-1, 1, 1, 1).expand_as(images).contiguous())


class LabelledDifference(Method):
    """The same of training pictures, by the task label that it is given, and noise of all others."""

    name: ClassVar[str] = "planted-labelled-difference"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        upper = (images[:, :, : SIDE // 2].mean(dim=(1, 2, 3)) > 0.5).long()
        noise = (given.rng.uniform(1, 1, 1).flatten() > 0.5).long()
        told = noise if given.labels is None else upper ^ given.labels
        shown = torch.where(told == 1, 200 / 255, 50 / 255)
        return Release(shown.view(-1, 1, 1, 1).expand_as(images).contiguous())


PLANTED = (Difference, LabelledDifference)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pd.DataFrame]:
    """Pictures whose upper half shows the sensitive label and whose lower half shows the target, both by brightness."""
    root = tmp_path_factory.mktemp("halves")
    catalogue().found.update({("method", method.name): method for method in PLANTED})
    labels = drawn_bits()
    write_halves(root / "data" / "train.parquet", labels, {"upper": labels[:, 0], "lower": labels[:, 1]})
    suite = tiny(
        tuple(method.name for method in PLANTED),
        ("adaptive", "adaptive-with-task", "mask-only"),
        data={"source": str(root / "data"), "target": "lower", "sensitive": "upper"},
        settings={"scored": 256, "recognition": {"epochs": 2}, "attack": {"epochs": 6}, "restoration": {"epochs": 1}},
    )
    found, log = run(suite, root / "store")
    assert not log.outcomes["failed"]
    yield found.cells
    for method in PLANTED:
        del catalogue().found["method", method.name]


def _advantage(cells: pd.DataFrame, attack: str, split: str, method: str = Difference.name) -> pd.Series:
    found = pooled(cells, method=method, attack=attack, metric="advantage", label="sensitive", split=split)
    assert len(found) == 1
    return found.iloc[0]


def test_who_is_told_the_task_sees_through_it(cells: pd.DataFrame) -> None:
    assert _advantage(cells, "adaptive", "owner_train")["value"] < 0.2
    assert _advantage(cells, "adaptive-with-task", "owner_train")["value"] > 0.95


@pytest.mark.parametrize("method", [method.name for method in PLANTED])
def test_the_worst_case_has_that_attack(cells: pd.DataFrame, method: str) -> None:
    """Also where training pictures alone leak: attacks are chosen on pictures released with their task labels."""
    worst = _advantage(cells, "strongest", "owner_train", method)
    assert worst["value"] > 0.95 and worst["chosen"] in ("adaptive-with-task", "stacked")


def test_nobody_knows_the_task_of_a_test_image(cells: pd.DataFrame) -> None:
    """There the picture alone is seen, and says nothing."""
    assert abs(_advantage(cells, "adaptive-with-task", "owner_test")["value"]) < 0.25


def test_on_raw_pictures_both_read_the_label(cells: pd.DataFrame) -> None:
    for attack in ("adaptive", "adaptive-with-task"):
        for split in ("owner_train", "owner_test"):
            assert _advantage(cells, attack, split, "raw")["value"] > 0.95


def test_on_nothing_both_learn_nothing(cells: pd.DataFrame) -> None:
    for attack in ("adaptive", "adaptive-with-task"):
        found = _advantage(cells, attack, "owner_train", "full-mask")
        assert found["ci_low"] <= 0.0


def test_without_a_sensitive_label_it_is_not_planned() -> None:
    from maskbench.data.load import resolve
    from maskbench.planning.matrix import expand

    suite = tiny(
        ("random",), ("adaptive", "adaptive-with-task"), data={"source": "digits", "target": "digit", "limit": 300}
    )
    cells = expand(suite, resolve(suite.data)).cells
    assert {cell.plugin.name for cell in cells if cell.plugin} == {"adaptive"}
