"""The source of calibrated worlds: what it draws, how it is written, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maskbench.data.load import fingerprint, known_world, load, resolve
from maskbench.data.options import DataOptions
from maskbench.data.parties import SPLITS_OF
from maskbench.data.splits import split
from maskbench.errors import UsageError
from maskbench.worlds.world import FAMILIES, World


def options(text: str, **more: object) -> DataOptions:
    return resolve(DataOptions(source=text, **more))


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_and_labels(family: str) -> None:
    found = load(options(f"calibrated:family={family},pictures=600"))
    assert found.images.shape == (600, 1, 16, 16)
    assert (found.target, found.sensitive, found.flippable) == ("task", "sensitive", False)
    assert [len(found.classes[name]) for name in ("task", "sensitive")] == [2, 5]
    # Every pair of labels has its share of the prior.
    pairs = found.labels["sensitive"] * 2 + found.labels["task"]
    expected = World(family, 16, 0).mixture.prior.ravel() * 600
    assert np.abs(torch.bincount(pairs, minlength=10).numpy() - expected).max() < 1


def test_no_picture_is_dropped_and_every_party_has_its_share() -> None:
    found = split(load(options("calibrated:pictures=1000")), None)
    sizes = {name: len(getattr(found, name)) for names in SPLITS_OF.values() for name in names}
    assert sizes == {"owner_train": 500, "owner_test": 200, "attacker_train": 240, "attacker_validation": 60}
    assert found.notes == []


def test_equal_pictures_of_a_finite_world_are_draws_of_their_own() -> None:
    """None is dropped, and who owns one says nothing of who owns its equals."""
    found = load(options("calibrated:family=finite,pictures=3000"))
    splits = split(found, None)
    assert splits.notes == []
    parts = [getattr(splits, name) for names in SPLITS_OF.values() for name in names]
    assert sorted(torch.cat(parts).tolist()) == list(range(3000))
    _, content = torch.unique(found.images.flatten(1), dim=0, return_inverse=True)
    owned = torch.zeros(3000, dtype=torch.bool)
    owned[splits.owner_train] = True
    pairs = (content[:, None] == content[None]).triu(1)
    both = owned[:, None] & owned[None]
    # Half of the pictures are the owner's: so are both of a quarter of the pairs.
    assert abs(float(both[pairs].float().mean()) - 0.25) < 5 * (0.25 * 0.75 / int(pairs.sum())) ** 0.5
    limited = split(load(options("calibrated:family=finite,pictures=3000", limit=600)), 600)
    assert sum(len(getattr(limited, name)) for names in SPLITS_OF.values() for name in names) == 600


def test_the_same_text_is_the_same_pictures_and_another_seed_others() -> None:
    one, again, other = (load(options(f"calibrated:seed={seed}")).images for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)
    keys = [fingerprint(options(f"calibrated:{text}")) for text in ("seed=1", "seed=2", "pictures=2401", "side=20")]
    assert len(set(keys)) == 4
    assert fingerprint(options("calibrated")) == fingerprint(options("calibrated:family=gaussian-linear,seed=0"))


def test_what_is_default_is_not_in_the_name() -> None:
    assert options("calibrated:pictures=2400").source == "calibrated:family=gaussian-linear"
    assert options("calibrated:seed=3,family=texture").source == "calibrated:family=texture,seed=3"


def test_other_labels_or_sizes_come_from_no_known_world() -> None:
    assert known_world(options("calibrated:seed=4")) == World("gaussian-linear", 16, 4)
    assert known_world(options("calibrated", size=16)) is not None
    assert known_world(options("calibrated", size=32)) is None
    assert known_world(options("calibrated", target="sensitive", sensitive="task")) is None
    assert known_world(options("digits")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("calibrated:family=gausian-linear", "did you mean 'gaussian-linear'"),
        ("calibrated:familie=texture", "did you mean 'family'"),
        ("calibrated:pictures=10", "from 100 to"),
        ("calibrated:pictures=many", "from 100 to"),
        ("calibrated:side=8", "from 16 to 64"),
        ("calibrated:seed=-1", "from 0 to"),
        ("calibrated:seed=true", "from 0 to"),
        ("calibrated:", "NAME:parameter=value"),
    ],
)
def test_wrong_use(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        options(text)
