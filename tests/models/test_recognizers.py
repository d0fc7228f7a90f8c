from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from maskbench.errors import UsageError
from maskbench.models import recognizers
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.randomness import seeded

CLASSES = 5
SIZES = [(28, 28), (32, 32), (64, 64), (48, 32)]
BUILDABLE = ["small", "resnet18", "airbench:width=8", "torchvision:network=mobilenet_v3_small"]


def _build(name: str, channels: int = 3, size: tuple[int, int] = (32, 32)) -> Recognizer:
    return recognizers.build(name, channels=channels, classes=CLASSES, size=size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", BUILDABLE)
def test_logits_and_feature_stages(name: str, channels: int, size: tuple[int, int]) -> None:
    recognizer = _build(name, channels, size)
    stages: dict[str, torch.Size] = {}
    for layer in recognizer.feature_layers:
        recognizer.get_submodule(layer).register_forward_hook(
            lambda module, _, output, layer=layer: stages.update({layer: output.shape})
        )
    logits = recognizer(torch.rand(2, channels, *size))
    assert logits.shape == (2, CLASSES) and torch.isfinite(logits).all()
    assert tuple(stages) == recognizer.feature_layers and len(stages) >= 3
    assert all(len(shape) == 4 for shape in stages.values())
    areas = [shape[-2] * shape[-1] for shape in stages.values()]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("name", ["small", "small:width=16", "resnet18", "airbench"])
def test_sixteen_pixels_are_enough_and_fifteen_are_not(name: str) -> None:
    assert _build(name, size=(16, 24))(torch.rand(2, 3, 16, 24)).shape == (2, CLASSES)
    with pytest.raises(UsageError, match="at least 16 px, got 15×32"):
        _build(name, size=(15, 32))


def test_small_is_as_wide_as_asked() -> None:
    narrow, plain = _build("small:width=16"), _build("small")
    sizes = [sum(weights.numel() for weights in network.parameters()) for network in (narrow, plain)]
    assert 3 < sizes[1] / sizes[0] < 4
    assert recognizers.identity("small:width=16") != recognizers.identity("small")
    assert recognizers.recognizer_label("small:width=16") == "small:width=16"
    with pytest.raises(UsageError, match="greater than or equal to 1"):
        _build("small:width=0")


def test_resnet18_uses_the_standard_stem_above_64_pixels() -> None:
    assert _build("resnet18", size=(64, 64)).network.conv1.stride == (1, 1)
    assert _build("resnet18", size=(65, 64)).network.conv1.stride == (2, 2)


def test_the_module_of_a_recognizer_is_known() -> None:
    assert recognizers.source_module("small") == "maskbench.models.small"
    assert recognizers.source_module("torchvision:network=vgg11") == "maskbench.models.torchvision_models"


def test_naming_a_recognizer_does_not_load_torch() -> None:
    code = (
        "import sys; from maskbench.models.recognizers import source_module as s; "
        "s('torchvision:network=vgg11'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_no_file_is_part_of_is_told_by_its_parameters() -> None:
    assert recognizers.identity("small") == {"name": "small", "width": 32}
    assert recognizers.recognizer_label("small") == recognizers.without_files("small") == "small"
    assert recognizers.recognizer_label("torchvision") == "torchvision:network=mobilenet_v3_small"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("small", -0.000865, -0.013509), ("resnet18", -0.025767, -0.001971)],
)
def test_weights_of_a_seed_stay_what_they_were(name: str, first: float, last: float) -> None:
    with seeded(0):
        weights = [weight.detach() for weight in _build(name).parameters() if weight.ndim == 4]
    assert float(weights[0].flatten()[0]) == pytest.approx(first, abs=1e-6)
    assert float(weights[-1].flatten()[-1]) == pytest.approx(last, abs=1e-6)


def test_weights_follow_the_seed() -> None:
    def head(seed: int) -> torch.Tensor:
        with seeded(seed):
            return _build("small").network.head.weight

    assert torch.equal(head(0), head(0)) and not torch.equal(head(0), head(1))


def test_image_only_ignores_masks() -> None:
    network = ImageOnly(_build("small")).eval()
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(network(images, torch.rand(2, 1, 32, 32)), network(images, None))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smal", "did you mean 'small'"),
        ("torchvision:network=resnet81", "did you mean 'resnet18'"),
        ("torchvision:netwrok=resnet18", "did you mean 'network'"),
        ("torchvision:", "is not NAME or NAME:parameter=value"),
        ("torchvision:resnet18", "expected parameter=value, found 'resnet18'"),
        ("torchvision:weights=/far/away/nowhere.pt", "there is no weights file nowhere.pt"),
    ],
)
def test_unknown_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _build(name)


@pytest.mark.parametrize(("channels", "classes"), [(0, 5), (3, 1)])
def test_impossible_data_are_refused(channels: int, classes: int) -> None:
    with pytest.raises(UsageError, match="needs"):
        recognizers.build("small", channels=channels, classes=classes, size=(32, 32))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", BUILDABLE)
def test_cuda_answers_as_the_cpu_does(name: str) -> None:
    recognizer = _build(name).eval()
    images = torch.rand(4, 3, 32, 32)
    here = recognizer(images)
    torch.testing.assert_close(recognizer.cuda()(images.cuda()).cpu(), here, rtol=1e-2, atol=1e-2)
