"""What the engine does for attacks: shares of aux, restored training pictures, keys, time limits, identification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.files import add_file
from PIL import Image
from tiny import FAST, pooled, run, tiny


def value(cells: pd.DataFrame, metric: str, **where: str) -> float:
    """The one value over seeds that matches."""
    found = pooled(cells, metric=metric, **where)
    assert len(found) == 1, found
    return float(found["value"].iloc[0])


def test_a_curve_has_a_cell_for_each_share_of_the_attackers_pictures(tmp_path: Path) -> None:
    suite = tiny(
        ["random"],
        ["mean-fill", "restorer", "adaptive", "mask-only", "reverse"],
        data={"source": "digits", "limit": 300, "target": "parity", "sensitive": "digit"},
        aux_shares=(0.25, 0.5),
    )
    found, _ = run(suite, tmp_path)
    cells = found.execution.matrix.cells
    shares = {}
    for cell in cells:
        if cell.method.name == "random" and cell.plugin is not None:
            shares.setdefault((cell.plugin.name, cell.label), []).append(cell.aux_share)
    assert shares == {
        ("mean-fill", None): [1.0],
        ("restorer", None): [0.25, 0.5, 1.0],
        ("adaptive", "sensitive"): [0.25, 0.5, 1.0],
        ("mask-only", "sensitive"): [0.25, 0.5, 1.0],
        ("mask-only", "target"): [1.0],
        ("reverse", "sensitive"): [1.0],
    }
    assert all(result.status == "ok" for result in found.results)
    # The worst case is made of attacks that had everything.
    rows = found.cells
    assert set(rows[rows["attack"] == "strongest"]["aux_share"]) == {1.0}
    restorer = pooled(rows, attack="restorer", metric="psnr_hole", split="owner_train", method="random")
    assert len(restorer) == 3
    assert restorer["value"].nunique() == 3


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="share"):
        tiny(aux_shares=(0.0,))


def test_naive_and_restored_adaptive_run_on_what_they_are_told(tmp_path: Path) -> None:
    data = {"source": "digits", "limit": 600, "target": "parity", "sensitive": "digit"}
    settings = {"scored": 128, "recognition": {"epochs": 8}, "attack": {"epochs": 8}, "restoration": FAST}
    attacks = ["telea", "naive", "adaptive", "restored-adaptive"]
    found, _ = run(tiny(["raw"], attacks, data=data, settings=settings), tmp_path)
    for result in found.results:
        attack = result.cell.attack_name
        if result.cell.method.role == "raw" and attack == "restored-adaptive":
            assert result.status == "unavailable"
            assert "needs no masks" in result.reason
        else:
            assert result.status == "ok", result.reason
    rows = found.cells
    where = {"method": "raw", "label": "sensitive", "split": "owner_train"}
    # Nothing was done to raw images, so who expects raw images is not surprised.
    assert value(rows, "advantage", attack="naive", **where) > 0.5
    assert value(rows, "advantage", attack="naive", **where | {"method": "full-mask"}) < 0.1


def test_who_has_the_key_undoes_the_scrambling_exactly(tmp_path: Path) -> None:
    found, _ = run(tiny(["scramble", "scramble:key=known"], ["released", "with-key"]), tmp_path)
    assert all(result.status == "ok" for result in found.results)
    rows = found.cells
    known = pooled(rows, attack="with-key", metric="ssim", params="key=known", split="owner_train")
    assert known["value"].iloc[0] == pytest.approx(1.0)
    assert pooled(rows, attack="with-key", params="").empty  # without the key there is nothing to try
    assert value(rows, "ssim", attack="strongest", method="scramble", params="", split="owner_train") < 0.9


SLOW = '''
"""An attack that takes its time."""
import time
from typing import ClassVar
from maskbench import RestorationAttack

class Slow(RestorationAttack):
    """Sleep."""
    name: ClassVar[str] = "slow-for-a-test"
    time_limit: ClassVar[float] = 0.5

    def restore(self, release, device):
        time.sleep(20)
        return release.images
'''


def test_an_attack_that_takes_too_long_is_stopped_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "slow_attack.py"
    file.write_text(SLOW)
    add_file(file)
    try:
        found, _ = run(tiny(["random"], ["released", "slow-for-a-test"]), tmp_path / "store")
    finally:
        del catalogue().found["attack", "slow-for-a-test"]
    slow = [result for result in found.results if result.cell.attack_name == "slow-for-a-test"]
    assert slow
    assert {result.status for result in slow} == {"failed"}
    assert all("stopped at its limit of 0.5 s" in result.reason for result in slow)
    others = [result for result in found.results if result not in slow]
    rest = [result for result in others if result.cell.attack_name != "stacked"]  # which needs them all
    assert all(result.status == "ok" for result in rest)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """40 people, 10 pictures each: a smooth pattern of their own under changing light and noise."""
    generator = np.random.default_rng(0)
    for person in range(40):
        face = np.kron(generator.random((4, 4, 3)), np.ones((8, 8, 1)))
        folder = tmp_path / "people" / f"person{person:02}"
        folder.mkdir(parents=True)
        for number in range(10):
            lit = face * generator.uniform(0.8, 1.0) + generator.normal(0, 0.05, face.shape)
            Image.fromarray((lit.clip(0, 1) * 255).astype(np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "people"


def test_people_are_found_in_a_gallery_of_few_pictures_each(people: Path, tmp_path: Path) -> None:
    suite = tiny(
        ["random:ratio=0.3"],
        ["telea", "re-identify", "re-identify-restored"],
        data={"source": str(people)},
        settings={"scored": 128, "recognition": FAST, "attack": {"epochs": 15}, "restoration": FAST},
    )
    found, _ = run(suite, tmp_path / "store")
    assert all(result.status == "ok" for result in found.results if result.cell.method.role != "raw")
    rows = found.cells
    assert value(rows, "advantage", method="random", attack="stacked", split="owner_test") > 0.2
    chance = 1 / 40
    for attack in ("re-identify", "re-identify-restored"):
        where = {"method": "random", "attack": attack, "split": "owner_test"}
        first, fifth = value(rows, "rank1", **where), value(rows, "rank5", **where)
        assert first > 10 * chance
        assert first <= fifth <= 1
        assert value(rows, "tar", **where) > 5 * 0.01
    nobody = pooled(rows, method="full-mask", attack="re-identify", metric="rank1").iloc[0]
    assert nobody["ci_low"] <= chance <= nobody["ci_high"]


def test_groups_are_not_people(tmp_path: Path) -> None:
    found, _ = run(tiny(["random"], ["re-identify"], data={"source": "digits", "limit": 300}), tmp_path)
    reasons = {result.reason for result in found.results if result.cell.plugin is not None}
    assert {result.status for result in found.results if result.cell.plugin is not None} == {"unavailable"}
    assert any("groups, not people" in reason for reason in reasons)
