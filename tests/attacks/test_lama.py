"""The pretrained LaMa: lama-cleaner's answers on the same weights, in batches, and what it says without weights."""

from __future__ import annotations

import hashlib
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from maskbench import Release
from maskbench.attacks import lama
from maskbench.attacks.lama import LaMa
from maskbench.conformance.suite import examine
from maskbench.errors import UsageError
from maskbench.models.torchscript import load_torchscript
from restoration_cases import CPU, released
from torch import Tensor, nn
from torchscript_files import write_torchscript

SIZES = [(32, 32), (45, 37), (64, 48)]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of big-lama's signature."""
    file = tmp_path_factory.mktemp("lama") / "tiny.pt"
    write_torchscript(file, width=8, downsamplings=3, blocks=1)
    return file


@pytest.fixture
def lama_cleaner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """lama-cleaner's module, with a torch cache of its own."""
    with warnings.catch_warnings():  # importing it silences every UserWarning
        module = pytest.importorskip("lama_cleaner.model.lama", reason="needs the extra 'lama'", exc_type=ImportError)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", _no_network)
    monkeypatch.setattr("lama_cleaner.helper.download_url_to_file", _no_network)
    return module


def _no_network(*arguments: object, **options: object) -> None:
    raise AssertionError("nothing may be fetched")


def ready(file: Path, **parameters: object) -> LaMa:
    return LaMa(weights=str(file), **parameters).with_state(load_torchscript(file))


def cropped(size: tuple[int, int]) -> Release:
    """Six coloured pictures, some with nothing kept or hidden."""
    height, width = size
    larger = released((3, height + -height % 4, width + -width % 4))
    return Release(larger.images[..., :height, :width], larger.masks[..., :height, :width])


@pytest.mark.parametrize("size", SIZES)
def test_it_answers_as_lama_cleaner_does(
    script: Path, lama_cleaner: ModuleType, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    from lama_cleaner.schema import Config, HDStrategy

    monkeypatch.setattr(lama_cleaner, "LAMA_MODEL_URL", str(script))
    reference = lama_cleaner.LaMa(CPU)
    config = Config(
        ldm_steps=1,
        hd_strategy=HDStrategy.ORIGINAL,
        hd_strategy_crop_margin=0,
        hd_strategy_crop_trigger_size=0,
        hd_strategy_resize_limit=0,
    )
    release = cropped(size)
    pictures = (release.images * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    holes = ((1 - release.masks[:, 0]) * 255).byte().numpy()
    expected = np.stack(
        [reference(picture, hole, config)[..., ::-1] for picture, hole in zip(pictures, holes, strict=True)]
    )
    _agree(ready(script, enlarge=0).restored(release, CPU) * 255, torch.from_numpy(expected).permute(0, 3, 1, 2))


@pytest.mark.parametrize("size", SIZES)
def test_a_batch_answers_as_single_padded_images_do(script: Path, size: tuple[int, int]) -> None:
    release, network = cropped(size), load_torchscript(script)
    ahead = ((0, 0), (0, -size[0] % 8), (0, -size[1] % 8))
    singles = []
    for image, mask in zip(release.images.numpy(), release.masks.numpy(), strict=True):
        padded = (torch.from_numpy(np.pad(each, ahead, mode="symmetric"))[None] for each in (image, 1 - mask))
        singles.append(network(*padded).detach()[..., : size[0], : size[1]])
    expected = (torch.cat(singles) * 255).floor()
    _agree(ready(script, enlarge=0).restore(release, CPU) * 255, expected)


def _agree(answer: Tensor, expected: Tensor) -> None:
    """Equal, but where rounding in the last bit moved a value over the edge between two levels."""
    differences = (answer.round() - expected.round()).abs()
    assert differences.max() <= 1
    assert (differences > 0).float().mean() < 1e-3


@pytest.mark.parametrize("size", SIZES)
def test_bfloat16_is_off_by_little(script: Path, size: tuple[int, int]) -> None:
    release = cropped(size)
    attack = LaMa(weights=str(script), enlarge=0, precision="bfloat16")
    answer = attack.with_state(attack.fit(None)).restored(release, CPU) * 255
    exact = ready(script, enlarge=0).restored(release, CPU) * 255
    differences = (answer.round() - exact.round()).abs()
    assert torch.all(differences[release.masks.expand_as(differences) == 1] == 0)
    assert 0 < differences.max() <= 2
    assert differences.mean() < 0.5


def test_bfloat16_needs_lamas_own_network(tmp_path: Path) -> None:
    file = tmp_path / "other.pt"
    torch.jit.script(nn.Conv2d(4, 3, 1)).save(file)
    with pytest.raises(UsageError, match="holds no LaMa generator"):
        LaMa(weights=str(file), precision="bfloat16").fit(None)


@pytest.mark.parametrize("enlarge", [0, 64])
def test_batches_are_bounded_by_pixels(script: Path, monkeypatch: pytest.MonkeyPatch, enlarge: int) -> None:
    attack, release = ready(script, enlarge=enlarge), cropped((32, 32))
    whole = attack.restore(release, CPU)
    spy = _Spy()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(lama, "_CPU_PIXELS_A_THREAD", 2 * 32 * 32)
    _agree(attack.restore(release, CPU) * 255, whole * 255)
    attack.with_state(spy).restore(release, CPU)
    assert [len(images) for images, _ in spy.seen] == ([4, 2] if enlarge == 0 else [1] * 6)
    monkeypatch.setattr(lama, "_CPU_PIXELS_A_THREAD", 1)
    assert attack.restore(release, CPU).shape == release.images.shape


class _Spy(nn.Module):
    """A network that answers with the image, and remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        self.seen.append((image, mask))
        return image


@pytest.mark.parametrize(
    ("shape", "enlarge", "shown"),
    [
        ((1, 28, 28), 256, (256, 256)),  # nine times is 252
        ((3, 48, 32), 256, (240, 160)),
        ((3, 64, 64), 256, (256, 256)),
        ((3, 200, 200), 256, (200, 200)),
        ((3, 36, 36), 0, (40, 40)),
    ],
)
def test_small_images_are_enlarged_by_a_whole_factor(
    shape: tuple[int, int, int], enlarge: int, shown: tuple[int, int]
) -> None:
    spy, release = _Spy(), released(shape)
    restored = LaMa(enlarge=enlarge).with_state(spy).restore(release, CPU)
    assert restored.shape == release.images.shape
    images, masks = (torch.cat(parts) for parts in zip(*spy.seen, strict=True))
    assert images.shape[1:] == (3, *shown) and masks.shape[1:] == (1, *shown)
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    factor = max(1, round(enlarge / max(shape)))
    assert torch.equal(1 - masks[..., : factor * shape[1] : factor, : factor * shape[2] : factor], release.masks)


def test_enlarging_interpolates_between_kept_pixels_alone() -> None:
    spies = [_Spy(), _Spy()]
    for spy, fill in zip(spies, (0.0, 1.0), strict=True):
        LaMa(enlarge=96).with_state(spy).restore(released((3, 32, 32), fill), CPU)
    for (black, holes), (white, _) in zip(*(spy.seen for spy in spies), strict=True):
        assert torch.equal(black, white)
        assert black.shape[2:] == holes.shape[2:] == (96, 96)
    flat = Release(0.6 * (masks := released((3, 32, 32)).masks).expand(-1, 3, -1, -1), masks)
    spy = _Spy()
    LaMa(enlarge=96).with_state(spy).restore(flat, CPU)
    for image, holes in spy.seen:
        kept = image[(holes == 0).expand_as(image)]
        torch.testing.assert_close(kept, torch.full_like(kept, 0.6))


def test_grey_images_are_shown_in_three_channels(script: Path) -> None:
    grey = released((1, 32, 32))
    colour = Release(grey.images.expand(-1, 3, -1, -1), grey.masks)
    attack = ready(script, enlarge=0)
    one, three = attack.restore(grey, CPU), attack.restore(colour, CPU)
    assert one.shape == grey.images.shape
    assert (one - three.mean(dim=1, keepdim=True)).abs().max() <= 1 / 255 + 1e-6


def test_masks_are_made_binary() -> None:
    spy, release = _Spy(), released((3, 32, 32))
    soft = Release(release.images, release.masks * 0.5 + 0.5)
    LaMa(enlarge=0).with_state(spy).restore(soft, CPU)
    assert torch.equal(torch.cat([mask for _, mask in spy.seen]), 1 - release.masks)


def test_it_keeps_the_contract(script: Path) -> None:
    assert examine(LaMa, {"weights": str(script), "enlarge": 64}).failures == []


def test_without_lama_cleaner_it_says_how_to_get_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lama_cleaner", None)
    monkeypatch.delitem(sys.modules, "lama_cleaner.model", raising=False)
    monkeypatch.delitem(sys.modules, "lama_cleaner.model.lama", raising=False)
    reason = str(LaMa().unavailable())
    assert "pip install -e '.[lama]'" in reason and "LaMa('cpu')" in reason and "weights=FILE" in reason


def test_a_named_file_has_to_be_there_and_to_be_torchscript(tmp_path: Path, script: Path) -> None:
    assert LaMa(weights=str(script)).unavailable() is None
    missing = tmp_path / "missing.pt"
    assert "there is no file missing.pt" in str(LaMa(weights=str(missing)).unavailable())
    torch.save({"a": torch.zeros(1)}, missing)
    with pytest.raises(UsageError, match="TorchScript"):
        LaMa(weights=str(missing)).fit(None)


def test_weights_are_found_and_verified_where_lama_cleaner_keeps_them(
    script: Path, lama_cleaner: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lama_cleaner, "LAMA_MODEL_URL", "file:///nowhere/tiny-lama.pt")
    monkeypatch.setattr(lama_cleaner, "LAMA_MODEL_MD5", hashlib.md5(script.read_bytes()).hexdigest())
    reason = str(LaMa().unavailable())
    assert "tiny-lama.pt" in reason and "python -c" in reason
    kept = tmp_path / "hub" / "checkpoints" / "tiny-lama.pt"
    kept.write_bytes(script.read_bytes()[:-100])
    assert "is not big-lama" in str(LaMa().unavailable()) and kept.exists()
    kept.write_bytes(script.read_bytes())
    assert LaMa().unavailable() is None
    assert LaMa().files() == (kept,)
    assert LaMa().identity()["files"] == LaMa(weights=str(script)).identity()["files"]
    release = released((3, 32, 32))
    found = LaMa(enlarge=0)
    found = found.with_state(found.fit(None))
    assert torch.equal(found.restore(release, CPU), ready(script, enlarge=0).restore(release, CPU))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cuda_answers_as_the_cpu_does(script: Path, precision: str) -> None:
    attack, release = LaMa(weights=str(script), precision=precision), released((3, 32, 32))
    attack = attack.with_state(attack.fit(None))
    here = attack.restore(release, CPU)
    assert (attack.restore(release, torch.device("cuda")) - here).abs().max() <= 2 / 255
