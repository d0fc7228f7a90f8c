"""LaMa's generator, its weights' files, and the restorer around it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from maskbench.attacks._fourier import FourierGenerator, FourierInpainter, FourierUnit, RestoringGenerator
from maskbench.attacks._fourier_weights import load_generator
from maskbench.errors import UsageError
from maskbench.models.torchscript import load_torchscript
from maskbench.models.unet import pull_push
from safetensors.torch import save_file
from torchscript_files import write_torchscript

TINY = {"width": 4, "downsamplings": 2, "blocks": 2}
OF_BIG_LAMA = (
    "model.1.ffc.convl2l.weight",
    "model.4.ffc.convl2g.weight",
    "model.4.bn_g.running_var",
    "model.5.conv1.ffc.convg2g.conv1.1.weight",
    "model.22.conv2.ffc.convg2g.fu.conv_layer.weight",
    "model.22.conv2.bn_g.bias",
    "model.24.bias",
    "model.34.weight",
)


def test_at_full_size_it_is_big_lama() -> None:
    with torch.device("meta"):
        generator = FourierGenerator()
    state = generator.state_dict()
    assert all(name in state for name in OF_BIG_LAMA)
    assert sum(parameter.numel() for parameter in generator.parameters()) == 50_975_875
    assert state["model.5.conv1.ffc.convg2l.weight"].shape == (128, 384, 3, 3)
    assert state["model.5.conv1.ffc.convg2g.fu.conv_layer.weight"].shape == (384, 384, 1, 1)


def test_a_fourier_unit_convolves_the_spectrum() -> None:
    unit = FourierUnit(2).eval()
    images = torch.rand(1, 2, 6, 5)
    spectrum = torch.fft.rfftn(images, dim=(-2, -1), norm="ortho")
    parts = torch.stack([spectrum[:, 0].real, spectrum[:, 0].imag, spectrum[:, 1].real, spectrum[:, 1].imag], dim=1)
    mixed = torch.einsum("oi,nihw->nohw", unit.conv_layer.weight[:, :, 0, 0], parts) / (1 + unit.bn.eps) ** 0.5
    mixed = mixed.clamp_min(0)
    joined = torch.complex(mixed[:, 0::2], mixed[:, 1::2])
    expected = torch.fft.irfftn(joined, s=(6, 5), dim=(-2, -1), norm="ortho")
    torch.testing.assert_close(unit(images), expected)


def test_one_block_sees_the_whole_image() -> None:
    generator = FourierGenerator(**{**TINY, "blocks": 1}).eval()
    images = torch.rand(1, 4, 64, 64)
    changed = images.clone()
    changed[..., 0, 0] += 1
    # Seven convolutions of 3 to 7 px, two of them on a quarter of the side, reach less far than the other corner.
    assert (generator(images) - generator(changed))[..., -1, -1].abs().max() > 0


@pytest.mark.parametrize("size", [(16, 16), (28, 28), (48, 32), (17, 23)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("downsamplings", [1, 4])
def test_any_size_comes_back(size: tuple[int, int], channels: int, downsamplings: int) -> None:
    generator = FourierGenerator(2 * channels + 1, channels, width=4, downsamplings=downsamplings, blocks=1)
    network = RestoringGenerator(generator, guess=True).eval()
    images = torch.rand(2, channels, *size)
    restored = network(images, (torch.rand(2, 1, *size) < 0.5).float())
    assert restored.shape == images.shape and restored.min() >= 0 and restored.max() <= 1
    assert network(images, None).shape == images.shape


def test_untrained_with_a_guess_it_answers_with_that() -> None:
    network = RestoringGenerator(FourierGenerator(7, 3, **TINY), guess=True).eval()
    images, masks = 0.01 + 0.98 * torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) < 0.3).float()
    torch.testing.assert_close(network(images * masks, masks), pull_push(images * masks, masks).clamp(1 / 512))


def test_without_a_guess_it_is_lama() -> None:
    generator = FourierGenerator(**TINY).eval()
    images, masks = torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) < 0.3).float()
    restored = RestoringGenerator(generator, guess=False).eval()(images * masks, masks)
    hidden = masks == 0
    assert torch.equal(restored * hidden, FourierInpainter(generator)(images, 1 - masks) * hidden)


def test_a_generator_of_colours_restores_grey_images() -> None:
    network = RestoringGenerator(FourierGenerator(**TINY), guess=False).eval()
    grey, masks = torch.rand(2, 1, 32, 32), (torch.rand(2, 1, 32, 32) < 0.3).float()
    expected = network(grey.expand(-1, 3, -1, -1), masks).mean(dim=1, keepdim=True)
    torch.testing.assert_close(network(grey, masks), expected)


@pytest.mark.parametrize("form", ["safetensors", "checkpoint", "state dict", "TorchScript"])
def test_weights_are_read_from_whatever_they_come_in(tmp_path: Path, form: str) -> None:
    script = tmp_path / "generator.pt"
    generator = write_torchscript(script, **TINY)
    state, file = generator.state_dict(), script
    if form == "safetensors":
        file = tmp_path / "generator.safetensors"
        save_file(state, file)
    elif form != "TorchScript":
        file = tmp_path / "generator.ckpt"
        within = {f"generator.{name}": value for name, value in state.items() if "num_batches" not in name}
        within["discriminator.model.0.weight"] = torch.zeros(1)
        torch.save({"state_dict": within, "epoch": 3} if form == "checkpoint" else within, file)
    images = torch.rand(1, 4, 32, 32)
    assert torch.equal(load_generator(file).eval()(images), generator(images))


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.pt"
    torch.save({"layer.weight": torch.zeros(2)}, file)
    with pytest.raises(UsageError, match="holds no LaMa generator"):
        load_generator(file)
    state = FourierGenerator(**TINY).state_dict()
    torch.save({name: value for name, value in state.items() if "bn_g" not in name}, file)
    with pytest.raises(UsageError, match="another network than LaMa's"):
        load_generator(file)
    torch.save([1, 2], file)
    with pytest.raises(UsageError, match="no state dict"):
        load_generator(file)
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError, match="Cannot read weights"):
        load_generator(file)
    with pytest.raises(UsageError, match="Cannot read TorchScript"):
        load_torchscript(file)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_answers_as_the_cpu_does_and_trains_in_bfloat16() -> None:
    network = RestoringGenerator(FourierGenerator(**TINY), guess=False).eval()
    images, masks = torch.rand(2, 3, 40, 32), (torch.rand(2, 1, 40, 32) < 0.3).float()
    here = network(images, masks)
    network = network.cuda()
    torch.testing.assert_close(network(images.cuda(), masks.cuda()).cpu(), here, rtol=1e-2, atol=1e-2)
    with torch.autocast("cuda", torch.bfloat16):
        network.train()(images.cuda(), masks.cuda()).mean().backward()
