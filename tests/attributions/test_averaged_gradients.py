"""SmoothGrad, GradientSHAP and guided Grad-CAM, against one plain gradient at a time."""

from __future__ import annotations

import torch
from maskbench.attributions.averaged_gradients import GradientShap, SmoothGrad
from maskbench.attributions.grad_cam import GradCam
from maskbench.attributions.gradients import Gradient
from maskbench.attributions.guided_grad_cam import GuidedGradCam
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.randomness import seeded
from torch import Tensor, nn


class _Quadratic(nn.Module):
    """Logits ±Σ w x²: the integral of the gradient from b to x is known, w (x² − b²)."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)))

    def forward(self, images: Tensor) -> Tensor:
        total = (self.weights * images**2).sum(dim=(1, 2, 3))
        return torch.stack([total, -total], dim=1)


QUADRATIC = Recognizer(_Quadratic(), feature_layers=[], mean=[0.0] * 3, std=[1.0] * 3).requires_grad_(False)
IMAGES = torch.rand((6, 3, 8, 8), generator=torch.Generator().manual_seed(1))


def test_smoothgrad_of_a_linear_gradient_is_the_gradient_up_to_the_noise() -> None:
    # 16 draws of σ = 0.15: the mean noise is below 0.15 / 4 × 5 on every value.
    smooth = SmoothGrad().explain(QUADRATIC, IMAGES)
    plain = Gradient().explain(QUADRATIC, IMAGES)
    assert float((smooth - plain).abs().max()) < 3 * 2 * 0.15 / 4 * 5
    assert float((smooth - plain).abs().max()) > 0


def test_smoothgrad_of_a_flat_image_is_its_gradient() -> None:
    flat = torch.full((2, 3, 8, 8), 0.5)
    assert torch.allclose(SmoothGrad().explain(QUADRATIC, flat), Gradient().explain(QUADRATIC, flat), rtol=1e-5)


def test_gradient_shap_comes_near_to_its_integral() -> None:
    # Over baselines uniform in [0, 1], E[w (x² − b²)] = w (x² − 1/3), for each channel.
    weights = QUADRATIC.network.weights
    expected = (weights * (IMAGES**2 - 1 / 3)).abs().sum(dim=1, keepdim=True)
    found = GradientShap().explain(QUADRATIC, IMAGES)
    assert float((found - expected).abs().mean() / expected.mean()) < 0.4  # 16 draws


def _guided(network: Recognizer, images: Tensor, classes: Tensor) -> Tensor:
    """Guided backpropagation by hand: a ReLU lets through what is positive forwards and backwards."""

    class Guided(torch.autograd.Function):
        @staticmethod
        def forward(context: torch.autograd.function.FunctionCtx, values: Tensor) -> Tensor:
            context.save_for_backward(values)
            return values.clamp(min=0)

        @staticmethod
        def backward(context: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
            return gradient.clamp(min=0) * (context.saved_tensors[0] > 0)

    class Module(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return Guided.apply(values)

    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(parent, name, Module())
    inputs = images.clone().requires_grad_()
    network(inputs).gather(1, classes[:, None]).sum().backward()
    return inputs.grad


def test_guided_grad_cam_is_guided_backpropagation_times_grad_cam() -> None:
    for recognizer in ("small", "resnet18"):
        with seeded(0):
            network = build(recognizer, channels=3, classes=4, size=(16, 16)).eval().requires_grad_(False)
        images = torch.rand((3, 3, 16, 16), generator=torch.Generator().manual_seed(2))
        found = GuidedGradCam().explain(network, images)
        coarse = GradCam().explain(network, images)
        classes = network(images).argmax(dim=1)
        expected = (_guided(network, images, classes) * coarse).abs().sum(dim=1, keepdim=True)
        assert float(expected.max()) > 0, recognizer
        assert float((found - expected).abs().max() / expected.max()) < 1e-4, recognizer


def test_hooks_are_taken_away() -> None:
    with seeded(0):
        network = build("small", channels=3, classes=4, size=(16, 16)).eval().requires_grad_(False)
    images = torch.rand(2, 3, 16, 16)
    before = Gradient().explain(network, images)
    GuidedGradCam().explain(network, images)
    assert torch.equal(Gradient().explain(network, images), before)
