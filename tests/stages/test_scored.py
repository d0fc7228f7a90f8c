"""From what the scoring stages leave, every number of the results can be computed again."""

from __future__ import annotations

import math

import pytest
import torch
from maskbench.data.parties import Split
from maskbench.stages.data import Dataset
from maskbench.stages.scored import Scored
from tiny import Ran, run, tiny

DATA = {"source": "digits", "limit": 300, "target": "parity", "sensitive": "digit"}
WITHHELD = "random:fill=noise,masks=withheld"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    attacks = ("released", "telea", "naive", "adaptive", "re-identify:people=2")
    suite = tiny((WITHHELD,), attacks, data=DATA, probe_target=True)
    found, log = run(suite, tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    return found


@pytest.fixture(scope="module")
def dataset(done: Ran) -> Dataset:
    return Dataset(done.artifact(done.execution.matrix.data))


def scored(done: Ran, attack: str, label: str | None) -> Scored:
    """A cell's outcomes on the method that is neither control."""
    (found,) = (
        result.artifact
        for result in done.results
        if (result.cell.attack_name, result.cell.label, result.cell.method.role) == (attack, label, "method")
    )
    assert found is not None
    return Scored(found)


@pytest.mark.parametrize(
    ("attack", "label", "splits"),
    [
        ("naive", "sensitive", ("owner_train", "owner_test")),
        ("adaptive", "sensitive", ("owner_train", "owner_test")),
        ("stacked", "sensitive", ("owner_train", "owner_test")),
        ("re-identify:people=2", "sensitive", ("owner_train", "owner_test")),
        ("adaptive", "target", ("owner_test",)),
        ("stacked", "target", ("owner_test",)),
    ],
)
def test_of_inference_the_beliefs_and_what_it_is_chosen_by(
    done: Ran, dataset: Dataset, attack: str, label: str, splits: tuple[Split, ...]
) -> None:
    found = scored(done, attack, label)
    assert found.splits == splits
    validated = dataset.index("attacker_validation" if label == "sensitive" else "owner_train")
    for split in splits:
        columns, beliefs = found.columns(split), found.probabilities(split)
        assert beliefs is not None
        assert (beliefs.dtype, beliefs.shape) == (torch.float32, (32, dataset.classes(label)))
        assert torch.allclose(beliefs.sum(1), torch.ones(32))
        rows = torch.arange(32)
        assert torch.equal(beliefs[rows, columns["guess"]], beliefs.amax(1))
        # Information is log2 of the belief in the truth over that of the prior, which is the same for equal priors.
        prior = beliefs[rows, columns["truth"]].double().log2() - columns["information"]
        assert bool((prior < 1e-3).all())
        numbers, scores = found.validation_scores(split)
        assert scores.dtype == torch.float64
        assert len(numbers) == len(scores) == len(numbers.unique()) > 3
        assert bool(torch.isin(numbers, validated).all())
        assert bool(scores.isfinite().all())


def test_stacked_attacks_are_chosen_on_the_same_pictures_as_each(done: Ran) -> None:
    for label, split in (("sensitive", "owner_train"), ("target", "owner_test")):
        numbers = [scored(done, attack, label).validation_scores(split)[0] for attack in ("naive", "stacked")]
        assert torch.equal(*numbers)


def test_of_restoration_what_it_is_chosen_by(done: Ran, dataset: Dataset) -> None:
    found = scored(done, "telea", None)
    assert found.splits == ("owner_train", "owner_test")
    assert found.probabilities("owner_train") is None
    positions = dataset.scored("attacker_validation", 32)
    for split in found.splits:
        numbers, scores = found.validation_scores(split)
        assert torch.equal(numbers, dataset.index("attacker_validation")[positions])
        assert scores.dtype == torch.float32
        assert math.isfinite(float(scores.nanmean()))


def test_nothing_is_chosen_by_recognition_or_by_masks_that_were_found(done: Ran) -> None:
    for attack, label, splits in (
        ("none", "target", ("owner_test",)),
        ("find-masks", None, ("owner_train", "owner_test")),
    ):
        found = scored(done, attack, label)
        assert found.splits == splits
        assert found.probabilities(splits[0]) is None
        assert found.validation_scores(splits[0]) is None
