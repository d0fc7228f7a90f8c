"""LPIPS against torchmetrics' own function on the same weights, and where those weights come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from maskbench.errors import UsageError
from maskbench.metrics.perceptual import BACKBONES, LEAST_SIDE, identity, load, lpips
from safetensors.torch import save_file
from torch import Tensor

published = pytest.importorskip("torchmetrics.functional.image.lpips")
CPU = torch.device("cpu")


def pair(channels: int = 3, height: int = 70, width: int = 64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    raw = torch.rand(3, channels, height, width, generator=generator)
    return (raw + 0.2 * torch.randn(raw.shape, generator=generator)).clamp(0, 1), raw


def features(name: str) -> torch.nn.Sequential:
    """torchvision's layers with random weights; what a downloaded file would hold."""
    torch.manual_seed(1)
    return getattr(torchvision.models, name)(weights=None).features


def write(name: str, layers: torch.nn.Module, file: Path) -> str:
    state = {f"features.{key}": value for key, value in layers.state_dict().items()}
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save(state, file)
    return f"{name}@{file}"


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    return write("squeezenet1_1", features("squeezenet1_1"), tmp_path_factory.mktemp("weights") / "net.safetensors")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("squeezenet1_1", "safetensors"), ("alexnet", "pth"), pytest.param("vgg16", "pth", marks=pytest.mark.slow)],
)
def test_equals_torchmetrics_on_the_same_weights(
    name: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = features(name)
    network = load(write(name, layers, tmp_path / f"weights.{suffix}"), CPU)
    restored, raw = pair()
    ours = lpips(restored, raw, network)
    # In place of the download; all else is the published function.
    monkeypatch.setattr(published, "_get_tv_model_features", lambda net, pretrained: layers)
    theirs = published.learned_perceptual_image_patch_similarity(
        restored, raw, net_type=BACKBONES[name], reduction="none", normalize=True
    )
    torch.testing.assert_close(ours, theirs)
    assert ours.shape == (3,)
    assert (ours > 0).all()


def test_the_same_image_has_distance_zero_and_a_worse_one_a_larger_one(squeezenet: str) -> None:
    network = load(squeezenet, CPU)
    restored, raw = pair()
    assert lpips(raw, raw, network).tolist() == [0.0] * 3
    near = lpips(0.3 * restored + 0.7 * raw, raw, network)
    assert (near < lpips(restored, raw, network)).all()


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 48, 32)])
def test_small_and_grey_images_are_shown_enlarged_and_in_all_colours(
    shape: tuple[int, int, int], squeezenet: str
) -> None:
    network = load(squeezenet, CPU)
    restored, raw = pair(*shape)
    scale = LEAST_SIDE / min(shape[1:])
    larger = [
        torch.nn.functional.interpolate(images.expand(-1, 3, -1, -1), scale_factor=scale, mode="bilinear")
        for images in (restored, raw)
    ]
    torch.testing.assert_close(lpips(restored, raw, network), lpips(*larger, network), atol=1e-6, rtol=1e-4)


def test_autocast_changes_nothing(squeezenet: str) -> None:
    network, (restored, raw) = load(squeezenet, CPU), pair()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = lpips(restored, raw, network)
    torch.testing.assert_close(inside, lpips(restored, raw, network))


def test_an_empty_batch_and_other_channels(squeezenet: str) -> None:
    network = load(squeezenet, CPU)
    assert lpips(torch.zeros(0, 3, 64, 64), torch.zeros(0, 3, 64, 64), network).shape == (0,)
    with pytest.raises(ValueError, match="raw: LPIPS needs 1 or 3 channels, got 4"):
        lpips(torch.zeros(1, 4, 64, 64), torch.zeros(1, 4, 64, 64), network)


def test_the_identity_is_the_content_and_not_the_path(squeezenet: str, tmp_path: Path) -> None:
    name, _, file = squeezenet.partition("@")
    copy = tmp_path / "elsewhere.safetensors"
    copy.write_bytes(Path(file).read_bytes())
    assert identity(squeezenet) == identity(f"{name}@{copy}")
    assert set(identity(squeezenet)) == {"name", "weights"}
    layers = features(name)
    layers[0].bias.data += 1
    write(name, layers, copy)
    assert identity(squeezenet) != identity(f"{name}@{copy}")


def test_what_is_wrong_is_said_before_anything_runs(squeezenet: str, tmp_path: Path) -> None:
    file = squeezenet.partition("@")[2]
    text = tmp_path / "text.pth"
    text.write_text("no weights")
    for given, message in (
        (f"alexnett@{file}", "alexnet"),
        ("alexnet", "alexnet@FILE"),
        ("alexnet@nowhere.pth", "no weights file 'nowhere.pth'"),
        (f"alexnet@{file}", "not torchvision's alexnet"),
        (f"alexnet@{text}", "Cannot read weights"),
    ):
        with pytest.raises(UsageError, match=message):
            identity(given)
