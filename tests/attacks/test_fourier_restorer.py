"""The trained LaMa: it learns, and starts from weights by their content."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from maskbench import Aux, Known, Release
from maskbench.attacks.fourier_restorer import FourierRestorer
from maskbench.conformance.suite import examine
from maskbench.errors import UsageError
from maskbench.randomness import seeded
from maskbench.release import to_bytes, to_float
from maskbench.training.settings import RESTORATION
from restoration_cases import CPU
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F
from torchscript_files import write_torchscript

TRAIN, TEST = slice(0, 200), slice(200, 300)
TINY = {"width": 8, "blocks": 1}


def digits() -> tuple[Tensor, Tensor]:
    """300 digits of 16 px on the 8-bit grid, and masks that hide 75 % in patches of 4."""
    images = torch.tensor(load_digits().images[:300], dtype=torch.float32)[:, None] / 16
    images = F.interpolate(images, size=16, mode="bilinear").clamp(0, 1)
    order = torch.rand(300, 16, generator=torch.Generator().manual_seed(0)).argsort(1).argsort(1)
    masks = (order < 4).float().view(300, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    return to_float(to_bytes(images)), masks


def aux(images: Tensor, release: Release, epochs: int) -> Aux:
    known = Known(images, release)
    training = RESTORATION.model_copy(update={"epochs": epochs})
    return Aux(train=known, validation=known, training=training, mirror=False, seed=0, device=CPU)


def fitted(attack: FourierRestorer, images: Tensor, release: Release, epochs: int = 5) -> FourierRestorer:
    with seeded(0):
        return attack.with_state(attack.fit(aux(images, release, epochs)))


def test_it_clearly_beats_the_mean_of_what_is_kept() -> None:
    images, masks = digits()
    attack = fitted(FourierRestorer(**TINY), images[TRAIN], Release(images[TRAIN] * masks[TRAIN], masks[TRAIN]))
    raw, kept = images[TEST], masks[TEST]
    restored = attack.restored(Release(raw * kept, kept), CPU)
    mean = (raw * kept).sum((2, 3), keepdim=True) / kept.sum((2, 3), keepdim=True)
    hole = kept == 0
    gain = 10 * ((mean.expand_as(raw) - raw)[hole].square().mean() / (restored - raw)[hole].square().mean()).log10()
    assert gain > 3


def test_it_undoes_what_has_no_masks() -> None:
    images, _ = digits()
    attack = fitted(FourierRestorer(**TINY), images[TRAIN], Release(1 - images[TRAIN]))
    restored = attack.restored(Release(1 - images[TEST]), CPU)
    assert (restored - images[TEST]).abs().mean() < 0.2 * (1 - 2 * images[TEST]).abs().mean()


def test_weights_are_what_it_starts_from(tmp_path: Path) -> None:
    file = tmp_path / "lama.pt"
    generator = write_torchscript(file, width=4, downsamplings=2, blocks=1)
    images, masks = digits()
    release = Release(images[:8] * masks[:8], masks[:8])
    attack = fitted(FourierRestorer(weights=str(file)), images[:8], release, epochs=1)
    learned = {name.removeprefix("generator."): value for name, value in attack.state.items() if name != "mirror"}
    assert {name: value.shape for name, value in learned.items()} == {
        name: value.shape for name, value in generator.state_dict().items()
    }
    moved = (learned["model.1.ffc.convl2l.weight"] - generator.state_dict()["model.1.ffc.convl2l.weight"]).abs().max()
    assert 0 < moved < 0.01  # one step of at most 1e-3


def test_the_key_holds_what_is_in_the_file_and_not_where_it_lies(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one.pt", "same.pt", "other.pt"))
    for file, content in ((one, b"a"), (same, b"a"), (other, b"b")):
        file.write_bytes(content)
    keys = [FourierRestorer(weights=str(file)).identity() for file in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
    assert str(tmp_path) not in str(keys[0])
    one.write_bytes(b"changed")
    assert FourierRestorer(weights=str(one)).identity() != keys[0]
    assert FourierRestorer().identity() == FourierRestorer().model_dump()


def test_missing_weights_are_a_reason_and_wrong_ones_an_error(tmp_path: Path) -> None:
    assert FourierRestorer().unavailable() is None
    file = tmp_path / "lama.pt"
    assert "there is no file lama.pt" in str(FourierRestorer(weights=str(file)).unavailable())
    torch.save({"a": torch.zeros(1)}, file)
    images, masks = digits()
    with pytest.raises(UsageError, match="no LaMa generator"):
        fitted(FourierRestorer(weights=str(file)), images[:8], Release(images[:8] * masks[:8], masks[:8]))


def test_it_keeps_the_contract_from_weights_too(tmp_path: Path) -> None:
    write_torchscript(tmp_path / "lama.pt", width=4, downsamplings=2, blocks=1)
    assert examine(FourierRestorer, {"weights": str(tmp_path / "lama.pt")}).failures == []
