"""The whole pipeline against the best possible attack: nothing reads more, and whoever has the formula reads all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from maskbench import Given, InferenceAttack, InferenceAux, MaskMethod, Method, NoisyMap, Release
from maskbench.plugins.catalogue import catalogue
from maskbench.worlds.gaussian import Kept, Projected, Seen, optimum
from maskbench.worlds.mixture import ROUNDING
from maskbench.worlds.world import FAMILIES, World
from tiny import Ran, pooled, run, tiny
from torch import Tensor
from torch.nn import functional as F

PICTURES = 1200
METHODS = ("random", "random:fill=mean,geometry=pixel", "grid", "pixelate", "gaussian-blur")


class Formula(InferenceAttack):
    """Knows the world, and infers by Bayes' rule what each pair of labels tells: made for releases with task labels."""

    name: ClassVar[str] = "formula"
    with_task: ClassVar[bool] = True

    family: str = "gaussian-linear"

    def fit(self, aux: InferenceAux) -> Any:
        return None

    def infer(self, release: Release, device: torch.device) -> Tensor:
        mixture = World(self.family, 16, 0).mixture
        answers = []
        for task in range(2):
            known = optimum(mixture, self._seen(release), torch.full((len(release),), task)).log_posterior
            answers.append(known)
        return torch.stack(answers, dim=2).flatten(1).float()

    def _seen(self, release: Release) -> Seen:
        values = release.images.double().flatten(1)
        if release.masks is not None:
            return Kept(values, release.masks.flatten(1) == 1)
        blocks = F.avg_pool2d(torch.eye(256).view(256, 1, 16, 16).double(), 4).flatten(1).T
        rows = F.avg_pool2d(release.images.double(), 4).flatten(1)
        return Projected(rows, blocks, torch.zeros(16).double(), torch.full((16,), ROUNDING).double())


class Bright(MaskMethod):
    """Keeps what is bright: masks that depend on the picture."""

    name: ClassVar[str] = "keep-bright"

    def scores(self, images: Tensor, given: Given) -> Tensor:
        return images


class Squared(Method):
    """No linear map."""

    name: ClassVar[str] = "squared"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(images.square())


class Misdeclared(catalogue().get("method", "dp-pix")):  # type: ignore[misc]  # a class that is looked up
    """Declares half of the noise that it adds."""

    name: ClassVar[str] = "misdeclared"

    def noisy_map(self, height: int, width: int) -> NoisyMap:
        declared = super().noisy_map(height, width)
        return NoisyMap(declared.matrix, declared.scale / 2, declared.shown)


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    own = {("attack", "formula"): Formula, ("method", "keep-bright"): Bright, ("method", "squared"): Squared}
    own |= {("method", "misdeclared"): Misdeclared}
    catalogue().names("method")
    catalogue().found.update(own)
    yield
    for key in own:
        del catalogue().found[key]


def world(family: str = "gaussian-linear", pictures: int = PICTURES) -> dict[str, str]:
    return {"source": f"calibrated:family={family},pictures={pictures}"}


def ran(
    tmp_path_factory: pytest.TempPathFactory, methods: tuple[str, ...], attacks: tuple[str, ...], **more: Any
) -> Ran:
    found, log = run(tiny(methods, attacks, **more), tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    return found


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    attacks = ("formula", "adaptive", "mean-fill")
    once = {"epochs": 1}
    settings = {"scored": 512, "draws": 1, "recognition": once, "attack": once, "restoration": once}
    methods = (*METHODS[:-1], "keep-bright", "squared", "random:fill=blur", "random:masks=withheld,patch=2")
    return ran(tmp_path_factory, methods, attacks, data=world(), settings=settings, aux_shares=[0.5])


def value(cells: pd.DataFrame, metric: str, method: str, attack: str, params: str = "", **more: str) -> pd.Series:
    found = pooled(cells, metric=metric, method=method, attack=attack, params=params, split="owner_train", **more)
    found = found[found["aux_share"] == 1]
    assert len(found) == 1, (metric, method, attack, len(found))
    return found.iloc[0]


def test_whoever_has_the_formula_reads_all_there_is(linear: Ran) -> None:
    for params in ("", "geometry=pixel,fill=mean"):
        found = value(linear.cells, "efficiency", "random", "formula", params)
        assert found["ci_low"] - 0.01 <= 1 <= found["ci_high"] + 0.01
        assert found["value"] == pytest.approx(1, abs=0.05)


def test_the_raw_pictures_and_the_fully_masked_ones_are_the_two_ends(linear: Ran) -> None:
    raw, random = (value(linear.cells, "bits", name, "optimum") for name in ("raw", "random"))
    assert raw["ci_low"] > random["ci_high"] > random["ci_low"] > 0.5
    nothing = value(linear.cells, "bits", "full-mask", "optimum")
    assert nothing["value"] == pytest.approx(0, abs=0.02)
    assert pd.isna(value(linear.cells, "efficiency", "full-mask", "adaptive")["value"])


def test_methods_whose_optimum_is_not_known_say_why(linear: Ran) -> None:
    rows = linear.cells[(linear.cells["attack"] == "optimum") & (linear.cells["status"] != "ok")]
    reasons = {(row["method"], row["params"]): row["reason"] for _, row in rows.iterrows()}
    assert set(rows["status"]) == {"unavailable"}
    assert "depend on the picture" in reasons["keep-bright", ""]
    assert "not one linear map" in reasons["squared", ""]
    assert "holes show" in reasons["random", "fill=blur"]
    assert "withheld" in reasons["random", "patch=2,masks=withheld"]
    assert len(reasons) == 4


def test_the_optimum_is_no_attack_that_is_chosen(linear: Ran) -> None:
    cells = linear.cells
    chosen = set(cells.loc[cells["attack"].isin(["strongest", "oracle"]), "chosen"])
    assert not any("optimum" in names for names in chosen)
    assert not {flag.attack for flag in linear.folder.flags} & {"optimum"}
    strongest = value(cells, "efficiency", "pixelate", "strongest")
    assert 0 <= strongest["value"] <= 1 + 0.05


def test_no_restoration_has_a_smaller_error(linear: Ran) -> None:
    for method in ("random", "grid"):
        best, ours = (value(linear.cells, "psnr", method, name)["value"] for name in ("optimum", "mean-fill"))
        assert best > ours + 1


def test_with_less_data_it_stands_beside_the_prior_of_less_data(linear: Ran) -> None:
    rows = pooled(linear.cells, attack="optimum", metric="bits", method="random", split="owner_train", params="")
    assert set(rows["aux_share"]) == {0.5, 1.0}
    half = pooled(linear.cells, attack="adaptive", metric="efficiency", method="random", split="owner_train", params="")
    assert set(half["aux_share"]) == {0.5, 1.0}


def test_laplace_noise_is_declared_and_checked(tmp_path_factory: pytest.TempPathFactory) -> None:
    once = {"epochs": 1}
    settings = {"scored": 256, "recognition": once, "attack": once, "restoration": once}
    suite = tiny(("dp-pix:epsilon=8", "misdeclared:epsilon=8"), (), data=world(), settings=settings)
    cells = run(suite, tmp_path_factory.mktemp("store"))[0].cells
    found = value(cells, "bits", "dp-pix", "optimum", "epsilon=8.0")
    assert 0.2 < found["value"] < 0.8
    wrong = cells[(cells["method"] == "misdeclared") & (cells["attack"] == "optimum")]
    assert set(wrong["status"]) == {"failed"}
    assert "mend its noisy_map" in wrong["reason"].iloc[0]


def test_other_data_have_no_optimum(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = ran(tmp_path_factory, ("pixelate",), ("naive",))
    assert "optimum" not in set(found.cells["attack"])
    assert "efficiency" not in set(found.cells["metric"])


@pytest.fixture(scope="module")
def finite(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    once = {"epochs": 1}
    settings = {"scored": 256, "draws": 1, "recognition": once, "attack": once, "restoration": once}
    methods = ("sobel", "random", "dp-pix:epsilon=8")
    return ran(tmp_path_factory, methods, ("linear",), data=world("finite"), settings=settings)


def test_masks_that_follow_the_picture_tell_by_their_shape_alone(finite: Ran) -> None:
    shape, whole, nothing = (
        value(finite.cells, "bits", method, attack)
        for method, attack in (("sobel", "optimum-of-masks"), ("sobel", "optimum"), ("random", "optimum-of-masks"))
    )
    assert 0.3 < shape["ci_low"] < shape["value"] < whole["value"]
    assert nothing["value"] == pytest.approx(0, abs=0.02)


def test_in_a_finite_world_every_release_has_an_optimum(finite: Ran) -> None:
    """That of raw pictures is what they have in common with the label: a sum that needs no pipeline."""
    joint = World("finite", 16, 0).mixture.joint  # type: ignore[attr-defined]  # of this family
    given = joint / joint.sum(1, keepdims=True)
    expected = (joint * np.log2(given / (joint.sum(0) / joint.sum((0, 1))))).sum()
    raw = value(finite.cells, "bits", "raw", "optimum")
    assert raw["ci_low"] < expected < raw["ci_high"]
    for method in ("random", "sobel", "dp-pix"):
        params = "epsilon=8.0" if method == "dp-pix" else ""
        best = value(finite.cells, "bits", method, "optimum", params)
        assert 0 < best["value"] < raw["ci_high"]  # with so little noise, hardly less than raw pictures
        assert value(finite.cells, "efficiency", method, "linear", params)["ci_low"] <= 1


@pytest.mark.slow
def test_masks_that_follow_a_teacher_have_an_optimum(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Chance breaks ties among the patches of a few pictures, so these are released several times."""
    settings = {"scored": 128, "draws": 1, "recognition": {"epochs": 2}, "restoration": {"epochs": 1}}
    methods, attacks = ("saliency:attribution=grad-cam",), ("mask-only",)
    cells = ran(tmp_path_factory, methods, attacks, data=world("finite"), settings=settings).cells
    of = "attribution=grad-cam"
    shape, whole = (value(cells, "bits", "saliency", name, of) for name in ("optimum-of-masks", "optimum"))
    assert 0 < shape["value"] < whole["value"]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_nobody_reads_more_than_there_is(family: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A leak between splits would show: the attacker would know pictures, not the world."""
    once = {"epochs": 1}
    settings = {"scored": 512, "draws": 1, "recognition": once, "attack": {"epochs": 8}, "restoration": once}
    settings |= {"recognizer": "small:width=16"}
    formula = () if family == "finite" else (f"formula:family={family}",)
    attacks = (*formula, "adaptive", "adaptive-with-task", "mask-only")
    methods = METHODS if family in ("gaussian-linear", "finite") else ("random", "pixelate", "gaussian-blur")
    cells = ran(tmp_path_factory, methods, attacks, data=world(family, 2000), settings=settings).cells
    found = pooled(cells, metric="efficiency")
    assert len(found) > 30
    beyond = found[found["ci_low"] > 1.01]
    assert beyond.empty, beyond[["method", "attack", "split", "value", "ci_low", "ci_high"]]


@pytest.mark.slow
def test_attacks_are_released_where_they_read_what_there_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The release gate of attacks: 720 pictures of the attacker's, and hardly a tenth of the bits may stay unread."""
    once = {"epochs": 1}
    settings = {"scored": 512, "recognition": once, "attack": once, "restoration": once}
    attacks = ("linear", "gaussian")
    cells = ran(tmp_path_factory, ("random", "pixelate"), attacks, data=world(pictures=2400), settings=settings).cells
    for method in ("random", "pixelate"):
        strongest = value(cells, "efficiency", method, "strongest", label="sensitive")
        assert strongest["value"] >= 0.75, method
        assert strongest["ci_high"] >= 0.8, method
        assert strongest["ci_low"] <= 1, method
