"""Two attacks that each read another half of the label: the attacker who has both reads all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from halves import IMAGES, SIDE, drawn_bits, write_halves
from maskbench import Release
from maskbench.attacks.classifiers import Adaptive
from maskbench.data.load import resolve
from maskbench.planning.matrix import expand
from maskbench.planning.plan import Plan
from maskbench.plugins.catalogue import catalogue
from maskbench.results.schema import SCORED_SPLITS
from tiny import Ran, pooled, run, tiny
from torch import Tensor


class Upper(Adaptive):
    """Sees the upper half of releases."""

    name: ClassVar[str] = "upper-half"

    def view(self, release: Release) -> Tensor:
        return super().view(release)[:, :, : SIDE // 2]


class Lower(Adaptive):
    """Sees the lower half of releases."""

    name: ClassVar[str] = "lower-half"

    def view(self, release: Release) -> Tensor:
        return super().view(release)[:, :, SIDE // 2 :]


HALVES = (Upper, Lower)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Pictures of four classes: one bit of the class is the brightness above, the other one that below."""
    root = tmp_path_factory.mktemp("bits")
    catalogue().found.update({("attack", attack.name): attack for attack in HALVES})
    bits = drawn_bits()
    labels = {"kind": 2 * bits[:, 0] + bits[:, 1], "task": np.random.default_rng(2).integers(0, 2, IMAGES)}
    write_halves(root / "data" / "train.parquet", bits, labels)
    suite = tiny(
        ("pixelate:block=2",),
        ("released", *(attack.name for attack in HALVES)),
        data={"source": str(root / "data"), "target": "task", "sensitive": "kind"},
        settings={"scored": 128, "recognition": {"epochs": 1}, "attack": {"epochs": 6}, "restoration": {"epochs": 1}},
    )
    found, log = run(suite, root / "store")
    assert not log.outcomes["failed"]
    yield found
    for attack in HALVES:
        del catalogue().found["attack", attack.name]


def _advantage(cells: pd.DataFrame, attack: str, method: str = "pixelate") -> pd.Series:
    found = pooled(cells, method=method, attack=attack, metric="advantage", label="sensitive", split="owner_train")
    assert len(found) == 1
    return found.iloc[0]


def test_each_half_tells_one_bit_and_both_tell_the_class(tables: Ran) -> None:
    for half in HALVES:
        assert _advantage(tables.cells, half.name)["value"] == pytest.approx(1 / 3, abs=0.15)
    assert _advantage(tables.cells, "stacked")["value"] > 0.95


def test_the_strongest_attack_is_both_together(tables: Ran) -> None:
    strongest = _advantage(tables.cells, "strongest")
    assert strongest["chosen"] == "stacked"
    assert strongest["value"] > 0.95


def test_of_nothing_both_together_read_nothing(tables: Ran) -> None:
    assert _advantage(tables.cells, "stacked", "full-mask")["ci_low"] <= 0.0


def test_it_is_an_inference_cell_like_the_others(tables: Ran) -> None:
    rows = tables.cells[(tables.cells["attack"] == "stacked") & (tables.cells["attack_kind"] == "inference")]
    assert set(rows["attack_kind"]) == {"inference"} and set(rows["label"]) == {"sensitive"}
    assert set(rows["method"]) == {"raw", "full-mask", "pixelate"}
    per_image = tables.samples[(tables.samples["attack"] == "stacked") & tables.samples["split"].isin(SCORED_SPLITS)]
    assert per_image[["correct", "prior_correct", "information"]].notna().all().all()


def test_one_attack_is_not_stacked_and_with_less_data_none_is() -> None:
    def stacked(attacks: tuple[str, ...], **more: object) -> list[float]:
        suite = tiny(("pixelate",), attacks, data={"source": "digits", "limit": 300}, **more)
        cells = expand(suite, resolve(suite.data)).cells
        return [cell.aux_share for cell in cells if cell.attack == "stacked" and cell.label is not None]

    assert stacked(("adaptive", "released")) == []
    both = stacked(("adaptive", "naive"), aux_shares=[0.5, 1.0])
    assert both and set(both) == {1.0}
    # Digits are no people, and that is known before the run.
    assert stacked(("adaptive", "re-identify")) == []


def test_the_order_of_attacks_is_in_the_key_as_it_is_in_the_fit() -> None:
    keys = []
    for attacks in (("adaptive", "naive"), ("naive", "adaptive")):
        suite = tiny(("pixelate",), attacks, data={"source": "digits", "limit": 300})
        plan, cells = Plan("cpu"), expand(suite, resolve(suite.data)).cells
        keys.append({plan.add(cell.scoring) for cell in cells if cell.attack == "stacked"})
        keys.append({plan.add(cell.scoring) for cell in cells if cell.plugin is not None})
    together, alone, together_turned, alone_turned = keys
    assert alone == alone_turned
    assert together.isdisjoint(together_turned)


def test_an_attack_that_has_nothing_to_learn_on_is_known_before_the_run_and_not_stacked() -> None:
    suite = tiny(("random",), ("deep-image-prior", "adaptive", "naive", "restored-adaptive"), data={"source": "digits"})
    cells = [cell for cell in expand(suite, resolve(suite.data)).cells if cell.method.name == "random"]
    (slow,) = (cell for cell in cells if cell.attack_name == "restored-adaptive" and cell.label == "sensitive")
    assert "fast enough" in slow.unavailable
    (together,) = (cell for cell in cells if cell.attack == "stacked" and cell.label == "sensitive")
    assert {one.attack.name for one in together.scoring.inferences} == {"adaptive", "naive"}
