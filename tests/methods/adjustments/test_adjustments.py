"""Each adjustment against what its source says it computes."""

from __future__ import annotations

import pytest
import torch
from maskbench.errors import Unavailable
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.plugins.catalogue import create_nested
from maskbench.training.classifier import train_classifier
from maskbench.training.settings import Training
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS, CLASSES, SIDE = 3, 4, 32


def recognizer(name: str = "small", seed: int = 0) -> Recognizer:
    torch.manual_seed(seed)
    return build(name, channels=CHANNELS, classes=CLASSES, size=(SIDE, SIDE)).eval()


def pictures(count: int = 6, hidden: float = 0.75) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, CHANNELS, SIDE, SIDE, generator=generator)
    masks = (torch.rand(count, 1, SIDE, SIDE, generator=generator) > hidden).float()
    return images * masks, masks


def wrapped(adjustment: str, name: str = "small") -> nn.Module:
    return create_nested("adjustment", adjustment).wrap(recognizer(name), None).eval()


class Linear(Recognizer):
    """A recognizer without a convolution."""

    def __init__(self) -> None:
        super().__init__(
            nn.Sequential(nn.Flatten(), nn.Linear(CHANNELS * SIDE * SIDE, CLASSES)),
            feature_layers=[],
            mean=[0.5] * CHANNELS,
            std=[0.25] * CHANNELS,
        )


@pytest.mark.parametrize("name", ["mask-channel", "partial-convolution"])
def test_a_recognizer_without_convolutions_says_why_not(name: str) -> None:
    with pytest.raises(Unavailable, match="convolution"):
        create_nested("adjustment", name).wrap(Linear(), None)


@pytest.mark.parametrize("name", ["small", "resnet18"])
@pytest.mark.parametrize("adjustment", ["mask-channel", "partial-convolution"])
def test_with_nothing_hidden_the_recognizer_is_what_it_was(adjustment: str, name: str) -> None:
    images, masks = pictures(hidden=0.0)
    plain = recognizer(name)(images)
    torch.testing.assert_close(wrapped(adjustment, name)(images, torch.ones_like(masks)), plain, atol=1e-4, rtol=1e-4)


def test_mask_channel_is_a_convolution_of_image_and_mask() -> None:
    images, masks = pictures()
    module = wrapped("mask-channel")
    nn.init.normal_(module.widened.weight)
    first = next(part for part in module.modules() if isinstance(part, nn.Conv2d))
    seen = []
    # The hook that adds the mask was there first, so this one sees the sum.
    first.register_forward_hook(lambda part, inputs, output: seen.append(output))
    module(images, masks)
    normalised = (images - module.recognizer.mean) / module.recognizer.std
    expected = F.conv2d(
        torch.cat([normalised, masks], 1),
        torch.cat([first.weight, module.widened.weight], 1),
        first.bias,
        first.stride,
        first.padding,
    )
    torch.testing.assert_close(seen[0], expected, atol=1e-4, rtol=1e-4)


def test_partial_convolution_is_equation_1() -> None:
    """Against a loop over windows, with holes, stride, padding and a bias."""
    images, masks = pictures(count=1, hidden=0.9)
    layer = nn.Conv2d(CHANNELS, 2, 3, stride=2, padding=1)
    network = nn.Sequential(layer, nn.Flatten(), nn.Linear(2 * 16 * 16, CLASSES))
    module = create_nested("adjustment", "partial-convolution").wrap(
        Recognizer(network, feature_layers=["network.0"], mean=[0.0] * CHANNELS, std=[1.0] * CHANNELS), None
    )
    seen = []
    module.recognizer.network[0].register_forward_hook(lambda part, inputs, output: seen.append(output))
    module(images, masks)
    padded, holes = F.pad(images, [1] * 4), F.pad(masks, [1] * 4)
    inside = F.pad(torch.ones_like(masks), [1] * 4)
    expected = torch.zeros(2, 16, 16)
    for row in range(16):
        for column in range(16):
            window = (0, slice(None), slice(2 * row, 2 * row + 3), slice(2 * column, 2 * column + 3))
            known = holes[window].sum()
            if known > 0:
                sums = (layer.weight * padded[window] * holes[window]).sum((1, 2, 3))
                expected[:, row, column] = sums * inside[window].sum() / known + layer.bias
    torch.testing.assert_close(seen[0][0], expected, atol=1e-4, rtol=1e-4)


def test_partial_convolution_does_not_look_into_holes() -> None:
    images, masks = pictures()
    other = torch.where(masks == 1, images, torch.rand_like(images))
    for name in ("small", "resnet18"):
        module = wrapped("partial-convolution", name)
        assert torch.equal(module(images, masks), module(other, masks))
    plain = recognizer()
    assert not torch.equal(plain(images), plain(other))


def test_fine_tuning_starts_from_the_teacher() -> None:
    teacher = recognizer(seed=7)
    images, masks = pictures()
    module = create_nested("adjustment", "fine-tune").wrap(recognizer(), teacher).eval()
    assert torch.equal(module(images, masks), teacher(images))


def test_distillation_learns_what_the_teacher_says() -> None:
    """With labels of no weight, the student of a teacher that knows better says what the teacher says."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(2, (200,), generator=generator)
    images = (torch.rand(200, CHANNELS, SIDE, SIDE, generator=generator) * 60).to(torch.uint8)
    images += (truth * 120).to(torch.uint8).view(-1, 1, 1, 1)
    labels = torch.randint(2, (200,), generator=generator)  # nothing to be learned from these
    taught = F.one_hot(truth, CLASSES).float() * 8

    def agreement(weight: float) -> float:
        adjustment = create_nested("adjustment", f"distill(weight={weight})")
        module = adjustment.wrap(recognizer(), None)
        train_classifier(
            module,
            images,
            None,
            labels,
            training=Training(epochs=4, batch_size=32, learning_rate=5e-3, weight_decay=0.0),
            flip=False,
            seed=0,
            device=torch.device("cpu"),
            taught=taught,
            loss=adjustment.loss,
        )
        return float((module.eval()(images.float() / 255, None).argmax(1) == truth).float().mean())

    assert agreement(1.0) > 0.95
    assert agreement(0.0) < 0.75


def test_distillation_is_the_papers_loss() -> None:
    logits, taught = torch.randn(5, CLASSES), torch.randn(5, CLASSES)
    task = torch.tensor(1.5)
    found = create_nested("adjustment", "distill(temperature=3,weight=0.25)").loss(task, logits, taught)
    student, teacher = (logits / 3).softmax(1), (taught / 3).softmax(1)
    divergence = (teacher * (teacher / student).log()).sum(1).mean()
    torch.testing.assert_close(found, 0.75 * task + 0.25 * 9 * divergence)


@pytest.mark.parametrize("shape", [(32, 32), (30, 21)])
def test_mask_dropout_hides_squares_in_training_alone(shape: tuple[int, int]) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Spy(nn.Module):
        def forward(self, images: Tensor, masks: Tensor) -> Tensor:
            seen.append((images, masks))
            return images.mean((2, 3))

    adjustment = create_nested("adjustment", "mask-dropout(share=0.5,unit=3)")
    module = adjustment.around(Spy(), recognizer(), None)
    torch.manual_seed(0)
    images = torch.rand(64, CHANNELS, *shape) + 0.1
    module.train()(images, None)
    shown, masks = seen[-1]
    assert torch.equal(shown, images * masks)
    assert abs(float(masks.mean()) - 0.5) < 0.05
    whole = masks[:, :, : shape[0] // 3 * 3, : shape[1] // 3 * 3]
    squares = F.avg_pool2d(whole, 3)
    assert bool(((squares == 0) | (squares == 1)).all())
    module.eval()(images, None)
    assert seen[-1] == (images, None)


def test_the_warm_up_of_mask_dropout_goes_from_little_to_much() -> None:
    module = create_nested("adjustment", "mask-dropout(share=0.8,warm_up=10)").wrap(recognizer(), None).train()
    hidden = []
    module.network.register_forward_pre_hook(lambda part, inputs: hidden.append(1 - float(inputs[1].mean())))
    images, _ = pictures(count=64, hidden=0.0)
    for _ in range(14):
        module(images, None)
    assert hidden[0] == 0
    assert abs(hidden[5] - 0.4) < 0.06
    assert min(hidden[10:]) > 0.7
