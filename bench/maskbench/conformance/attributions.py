"""What an attribution algorithm must keep."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.passes import PassSize
from maskbench.conformance.check import Broken, NotChecked, define, explain, provided, raise_all
from maskbench.conformance.common import COMMON, SEED, Subject, cuda
from maskbench.conformance.samples import CLASSES, Shape, batch, written
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.randomness import seeded

FEW = 3
STANDARD: Shape = (3, 16, 24)
SHAPES: tuple[Shape, ...] = ((1, 16, 16), STANDARD, (3, 32, 32))
BATCHES = (1, 2)
PASS = 2
ROUNDING = 1e-5  # of the largest score, in float64: in float32 a rounding error now and then switches a ReLU
_WARM = 32  # images that the network's normalisation has seen


class _Watched(Recognizer):
    """The ``small`` recognizer of random weights, which notes how many images go through it at once."""

    def __init__(self, shape: Shape) -> None:
        channels, height, width = shape
        with seeded(SEED):
            inner = build("small", channels=channels, classes=CLASSES, size=(height, width))
        super().__init__(
            inner.network,
            feature_layers=inner.feature_layers,
            mean=inner.mean.flatten().tolist(),
            std=inner.std.flatten().tolist(),
        )
        self.train()(batch(_WARM, shape).images)
        self.passes: list[int] = []
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            self.passes.append(len(images))
        return super().forward(images)


class AttributionSubject(Subject):
    """An algorithm under examination: it explains a small network."""

    def algorithm(self) -> Algorithm:
        """A fresh instance."""
        algorithm: Algorithm = self.fresh()
        return algorithm

    def scores(self, network: Recognizer | None = None, images: Tensor | None = None) -> Tensor:
        """What it says of a few pictures; that it says nothing is the finding of 'scores'."""
        network = _Watched(STANDARD) if network is None else network
        images = _pictures() if images is None else images
        scores: Tensor = provided(lambda: self.algorithm().explain(network, images), "scores")
        return scores


def _pictures(shape: Shape = STANDARD) -> Tensor:
    return batch(FEW, shape).images


@define("scores", "attribute returns finite scores (N, 1, H, W), for 1 and 3 channels and images that are not square.")
def valid_scores(subject: AttributionSubject) -> None:
    wrong = []
    for shape in SHAPES:
        try:
            subject.algorithm().explain(_Watched(shape), _pictures(shape))
        except NotChecked:
            raise
        except Exception as error:  # noqa: BLE001 - a finding, told beside those of the other shapes
            wrong.append(f"{written(shape)}: {explain(error)}")
    raise_all(wrong)


@define("input", "work on a copy (images.clone()), and leave the network's weights and mode as they are.")
def input_untouched(subject: AttributionSubject) -> None:
    network, images = _Watched(STANDARD), _pictures()
    before = copy.deepcopy(network.state_dict())
    subject.scores(network, images)
    if not torch.equal(images, _pictures()) or images.requires_grad:
        raise Broken("it changed the images in place")
    changed = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
    if changed or network.training:
        raise Broken(f"it changed the network: {', '.join(changed) or 'it is in training mode'}")
    hooked = [name for name, module in network.named_modules() if module._forward_hooks or module._backward_hooks]
    if hooked:
        raise Broken(f"it left hooks on {', '.join(hooked)}")


@define(
    "determinism", "draw random numbers from a torch.Generator of its own with a fixed seed, not from a global one."
)
def determinism(subject: AttributionSubject) -> None:
    with seeded(SEED):
        first, again = subject.scores(), subject.scores()
    with seeded(SEED + 1):
        other = subject.scores()
    if not torch.equal(first, again):
        raise Broken("the same images got other scores the second time")
    if not torch.equal(first, other):
        raise Broken("its scores change with the seed of torch's global generator")


@define("batch size", "explain each image on its own: random variations are the same for every image of every batch.")
def batch_size(subject: AttributionSubject) -> None:
    network, images = _Watched(STANDARD).double(), _pictures().double()
    whole = subject.scores(network, images)
    if not torch.equal(whole, subject.scores(network, images)):
        raise NotChecked("its scores are not repeatable: mend 'determinism' first")
    for size in BATCHES:
        parts = torch.cat([subject.scores(network, part) for part in images.split(size)])
        if float((parts - whole).abs().max()) > ROUNDING * float(whole.abs().max()):
            raise Broken(f"in batches of {size} it scores otherwise than in one of {FEW}")


@define("pass size", "send at most pass_size images through the network at once, variations of an image counted.")
def pass_size(subject: AttributionSubject) -> None:
    network = _Watched(STANDARD)
    provided(lambda: subject.algorithm().explain(network, _pictures(), PassSize(PASS)), "scores")
    if max(network.passes, default=0) > PASS:
        raise Broken(f"it sent {max(network.passes)} images through the network at once, where {PASS} were allowed")


@define("device", "make every tensor on the images' device: images.new_zeros(…), tensor.to(images).")
def device(subject: AttributionSubject) -> None:
    gpu = cuda()
    subject.algorithm().explain(_Watched(STANDARD).to(gpu), _pictures().to(gpu))


@define("one party's state", "keep nothing in globals or class attributes.")
def one_party(subject: AttributionSubject) -> None:
    subject.scores()
    subject.nothing_left_behind()


ATTRIBUTION_CHECKS = (
    *COMMON,
    valid_scores,
    input_untouched,
    determinism,
    batch_size,
    pass_size,
    device,
    one_party,
)
