"""Memory is bounded: how many images an algorithm sends through the network at once, and how often it sends them."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from maskbench.attributions.algorithm import Algorithm, find
from maskbench.attributions.passes import PassSize, activation_bytes
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.plugins.catalogue import catalogue
from maskbench.randomness import seeded
from torch import Tensor, nn

COUNT = 7
SIZE = (16, 24)
NAMES = catalogue().names("attribution")
FORWARD_PASSES = {  # of each image, the least that the algorithm needs, and one for the class where variations follow
    "gradient": 1,
    "input-x-gradient": 1,
    "grad-cam": 1,
    "guided-grad-cam": 2,
    "integrated-gradients": 1 + 16,
    "smoothgrad": 1 + 16,
    "gradient-shap": 1 + 16,
}


class _Memory(Recognizer):
    """The small recognizer, which notes its batches and runs out of memory where one is too large."""

    def __init__(self, room: int = 10**6) -> None:
        with seeded(3):
            inner = build("small", channels=3, classes=4, size=SIZE)
        super().__init__(
            inner.network,
            feature_layers=inner.feature_layers,
            mean=inner.mean.flatten().tolist(),
            std=inner.std.flatten().tolist(),
        )
        self.room = room
        self.batches: list[int] = []
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        self.batches.append(len(images))
        if len(images) > self.room:
            raise torch.OutOfMemoryError("no room")
        return super().forward(images)


def _find(name: str) -> Algorithm:
    """An algorithm, with a tenth of the masked copies where it takes them: the time grows with them."""
    return find({"lime": "lime(samples=32)", "rise": "rise(masks=32)"}.get(name, name))


def _images() -> Tensor:
    return torch.rand((COUNT, 3, *SIZE), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_no_pass_is_larger_than_it_may_be(name: str, limit: int) -> None:
    network = _Memory()
    scores = _find(name).explain(network, _images(), PassSize(limit))
    assert scores.shape == (COUNT, 1, *SIZE)
    assert max(network.batches) <= limit


@pytest.mark.parametrize("name", FORWARD_PASSES)
def test_no_image_goes_through_more_often_than_it_must(name: str) -> None:
    network = _Memory()
    _find(name).explain(network, _images(), PassSize(4))
    assert sum(network.batches) == COUNT * FORWARD_PASSES[name]


@pytest.mark.parametrize("name", NAMES)
def test_passes_shrink_until_memory_suffices_and_stay_so(name: str) -> None:
    network, size = _Memory(room=2), PassSize(8)
    scores = _find(name).explain(network.double(), _images().double(), size)
    expected = _find(name).explain(_Memory().double(), _images().double(), PassSize(2))
    assert size == PassSize(2)
    # Scores may be compared with a little slack: the images came in other batches.
    assert torch.allclose(scores, expected, rtol=1e-4, atol=1e-6 * float(expected.abs().max()))
    refused = sum(batch > 2 for batch in network.batches)
    assert refused == 2  # with eight to a pass and with four, and never again


def test_one_image_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        find("input-x-gradient").explain(_Memory(room=0), _images(), PassSize(4))


def test_images_are_divided_evenly() -> None:
    network = _Memory()
    find("gradient").explain(network, _images(), PassSize(3))
    assert network.batches == [3, 2, 2]


def test_activations_of_known_layers_are_counted_once_each() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 3, padding=1), nn.Flatten())
    image = torch.rand(1, 3, 16, 24)
    # Kept are the image and what the ReLU gives, of which the second convolution keeps the same tensor.
    assert activation_bytes(layers.requires_grad_(False), image) == (3 + 8) * 16 * 24 * 4
    assert activation_bytes(layers.double(), image.double()) == (3 + 8) * 16 * 24 * 8


def test_measuring_leaves_nothing_behind() -> None:
    kept: list[weakref.ref[Tensor]] = []

    class Watched(nn.ReLU):
        def forward(self, images: Tensor) -> Tensor:
            answer = super().forward(images)
            kept.append(weakref.ref(answer))
            return answer

    network = nn.Sequential(nn.Conv2d(3, 8, 3), Watched(), nn.Flatten()).requires_grad_(False)
    image = _images()[:1]
    gc.disable()  # a cycle would only be found by the collector
    try:
        activation_bytes(network, image)
        assert [reference() for reference in kept] == [None]
    finally:
        gc.enable()
    assert not image.requires_grad


@pytest.mark.parametrize(("recognizer", "side"), [("small", 32), ("small", 64), ("resnet18", 32)])
def test_the_processors_bound_follows_from_the_network_and_the_image_size_alone(recognizer: str, side: int) -> None:
    with seeded(0):
        network = build(recognizer, channels=3, classes=4, size=(side, side)).eval().requires_grad_(False)
    images = torch.rand(5, 3, side, side)
    size = PassSize.fitting(network, images)
    assert size == PassSize.fitting(network, images[2:])
    assert 2**24 < size.images * activation_bytes(network, images[:1]) <= 2**25


def test_a_huge_image_still_goes_through_alone() -> None:
    layers = nn.Conv2d(3, 64, 1).requires_grad_(False)
    assert PassSize.fitting(nn.Sequential(layers, nn.ReLU()), torch.zeros(1, 3, 600, 600)) == PassSize(1)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_pass_stays_below_its_bound_on_the_gpu() -> None:
    with seeded(0):
        network = build("resnet18", channels=3, classes=4, size=(64, 64)).eval().requires_grad_(False).cuda()
    images = torch.rand(64, 3, 64, 64, device="cuda")
    size = PassSize.fitting(network, images)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    find("integrated-gradients").explain(network, images, size)
    assert torch.cuda.max_memory_allocated() - before < 2 * size.images * activation_bytes(network, images[:1])
