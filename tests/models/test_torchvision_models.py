from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from maskbench.errors import UsageError
from maskbench.models import recognizers
from maskbench.models.recognizer import Recognizer
from safetensors.torch import save_file

BACKBONE = "shufflenet_v2_x0_5"
CLASSES = 5


def _build(
    network: str, weights: Path | None = None, *, channels: int = 3, size: tuple[int, int] = (32, 32)
) -> Recognizer:
    text = f"torchvision:network={network}" + (f",weights={weights}" if weights else "")
    return recognizers.build(text, channels=channels, classes=CLASSES, size=size)


def _state(classes: int = CLASSES) -> dict[str, torch.Tensor]:
    return torchvision.models.get_model(BACKBONE, weights=None, num_classes=classes).state_dict()


def _saved(state: dict[str, torch.Tensor], file: Path) -> Path:
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save(state, file)
    return file


@pytest.mark.parametrize(
    ("name", "size", "last"),
    [
        ("googlenet", (64, 64), "network.inception5b"),
        ("squeezenet1_1", (64, 64), "network.features"),
        ("swin_t", (64, 64), "network.permute"),  # its other maps lie channels-last
    ],
)
def test_families_train_and_have_stages(name: str, size: tuple[int, int], last: str) -> None:
    recognizer = _build(name, channels=1, size=size).train()
    assert recognizer.feature_layers[-1] == last
    logits = recognizer(torch.rand(2, 1, *size))
    logits.sum().backward()
    assert logits.shape == (2, CLASSES)


@pytest.mark.parametrize(
    ("name", "size"),
    [("inception_v3", (32, 32)), ("vit_b_16", (48, 32)), ("maxvit_t", (32, 32))],
)
def test_an_unsuitable_size_is_one_clear_line(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(
        UsageError, match=rf"'torchvision:network={name}' cannot take {size[0]}×{size[1]} images: "
    ) as caught:
        _build(name, size=size)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_weights_come_from_a_file(tmp_path: Path, suffix: str) -> None:
    state = _state()
    file = _saved(state, tmp_path / f"weights.{suffix}")
    loaded = _build(BACKBONE, file).network.state_dict()
    assert all(torch.equal(state[name], loaded[name]) for name in state)


def test_a_grey_image_answers_as_its_three_equal_channels(tmp_path: Path) -> None:
    file = _saved(_state(), tmp_path / "weights.safetensors")
    colour = _build(BACKBONE, file).eval().network
    grey = _build(BACKBONE, file, channels=1).eval().network
    images = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(grey(images), colour(images.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


def test_a_head_of_other_classes_starts_anew_with_its_reason(tmp_path: Path) -> None:
    state = _state(classes=9)
    file = _saved(state, tmp_path / "weights.pt")
    with pytest.warns(UserWarning, match=r"fc.weight \(9, 1024\) → \(5, 1024\)"):
        loaded = _build(BACKBONE, file).network.state_dict()
    assert loaded["fc.weight"].shape == (CLASSES, 1024)
    assert torch.equal(loaded["conv1.0.weight"], state["conv1.0.weight"])


class _Unsafe:
    """Something that only full unpickling would load."""


@pytest.mark.parametrize(
    ("content", "suffix", "message"),
    [
        (b"no weights", "pt", "Cannot read weights"),
        (b"no weights", "safetensors", "Cannot read weights"),
        (b"", "pt", "Cannot read weights"),
        (_Unsafe(), "pt", "Cannot read weights"),
        ([torch.zeros(2)], "pt", "holds no state dict"),
        ({"epoch": 3}, "pt", "holds no state dict"),
        ({"other": torch.zeros(2)}, "pt", "missing: .* and .* more; unexpected: other"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: object, suffix: str, message: str) -> None:
    file = tmp_path / f"weights.{suffix}"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(UsageError, match=message):
        _build(BACKBONE, file)


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    state = {**_state(), "conv1.0.weight": torch.zeros(12, 3, 3, 3)}
    file = _saved(state, tmp_path / "weights.safetensors")
    with pytest.raises(UsageError, match=r"of another shape: conv1\.0\.weight"):
        _build(BACKBONE, file)


def test_keys_hold_the_content_of_a_file_and_tables_its_name(tmp_path: Path) -> None:
    file = _saved(_state(), tmp_path / "weights.pt")
    copy = tmp_path / "elsewhere" / "copy.pt"
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes())
    texts = [f"torchvision:network={BACKBONE},weights={path}" for path in (file, copy)]
    assert recognizers.identity(texts[0]) == recognizers.identity(texts[1])
    assert str(tmp_path) not in str(recognizers.identity(texts[0]))
    assert recognizers.recognizer_label(texts[0]) == f"torchvision:network={BACKBONE},weights=weights.pt"
    assert recognizers.without_files(texts[0]) == f"torchvision:network={BACKBONE}"
    copy.write_bytes(b"other weights")
    assert recognizers.identity(texts[0]) != recognizers.identity(texts[1])
