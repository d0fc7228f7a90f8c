"""What a recognizer must keep."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskbench.conformance.check import Broken, NotChecked, define, explain, provided, raise_all
from maskbench.conformance.common import COMMON, SEED, Subject, cuda
from maskbench.conformance.samples import CLASSES, STANDARD, Shape, batch, written
from maskbench.errors import UsageError
from maskbench.models.recognizer import Recognizer
from maskbench.randomness import seeded

FEW = 4
SHAPES: tuple[Shape, ...] = tuple((channels, *size) for size in ((32, 32), (64, 64)) for channels in (1, 3))
ROUNDING = 1e-3  # of the largest logit: a network's sums differ in their last bits with the size of the batch


class RecognizerSubject(Subject):
    """A recognizer under examination: built for images of several shapes."""

    def network(self, shape: Shape = STANDARD) -> Recognizer:
        """A network with the weights that the seed gives."""
        channels, height, width = shape
        with seeded(SEED):
            network: Recognizer = self.fresh().built(channels=channels, classes=CLASSES, size=(height, width))
        return network

    def usual(self) -> Recognizer:
        """A network that another check found to be built, in evaluation mode."""
        provided(lambda: _answers(self, STANDARD), "logits")
        return self.network().eval()


def _pictures(shape: Shape = STANDARD) -> Tensor:
    return batch(FEW, shape).images


def _answers(subject: RecognizerSubject, shape: Shape) -> None:
    """Raise where the network of a shape does not answer as it must, in training or in evaluation mode."""
    network, images = subject.network(shape), _pictures(shape)
    for mode in (True, False):
        logits = network.train(mode)(images)
        if not isinstance(logits, Tensor) or logits.shape != (FEW, CLASSES) or logits.dtype != torch.float32:
            came = f"{logits.dtype} {tuple(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
            raise Broken(f"it returned {came} instead of float32 logits {(FEW, CLASSES)}")
        if not bool(torch.isfinite(logits).all()):
            raise Broken("its logits are not finite")
    if not torch.equal(images, _pictures(shape)):
        raise Broken("it changed the images in place")


@define(
    "logits",
    "build returns a Recognizer that maps float32 images (N, C, H, W) in [0, 1] to float32 logits (N, classes), for 1 "
    "and 3 channels and for any size that it does not refuse with a UsageError.",
)
def valid_logits(subject: RecognizerSubject) -> str | None:
    wrong, refused = [], []
    for shape in SHAPES:
        try:
            _answers(subject, shape)
        except UsageError as reason:
            refused.append(str(reason))
        except NotChecked:
            raise
        except Exception as error:  # noqa: BLE001 - a finding, told beside those of the other shapes
            wrong.append(f"{written(shape)}: {explain(error)}")
    raise_all(wrong)
    if len(refused) == len(SHAPES):
        raise Broken(f"it takes none of {', '.join(map(written, SHAPES))}: {refused[0]}")
    return f"it refuses some sizes: {refused[0]}" if refused else None


@define(
    "feature layers",
    "name in feature_layers the submodules whose outputs are feature maps (N, C, H, W), from shallow to deep: Grad-CAM "
    "looks at the last, and adjustments may gate them.",
)
def feature_layers(subject: RecognizerSubject) -> None:
    network = subject.usual()
    modules = dict(network.named_modules())
    missing = [name for name in network.feature_layers if name not in modules]
    if missing or not network.feature_layers:
        raise Broken(f"it has no submodule {', '.join(missing)}" if missing else "it names none")
    outputs: dict[str, object] = {}
    for name in network.feature_layers:
        modules[name].register_forward_hook(lambda module, _, output, name=name: outputs.update({name: output}))
    network(_pictures())
    raise_all(_not_a_map(name, outputs.get(name)) for name in network.feature_layers)
    if list(outputs) != list(network.feature_layers):
        raise Broken(f"they run in the order {', '.join(outputs)}")


def _not_a_map(name: str, output: object) -> str | None:
    if not isinstance(output, Tensor):
        return f"{name} gives no tensor" if output is not None else f"{name} is not run"
    if output.ndim != 4 or len(output) != FEW:
        return f"{name} gives {tuple(output.shape)}"
    return None


@define("determinism", "draw random weights from torch's global generator, which the engine seeds, and nothing else.")
def determinism(subject: RecognizerSubject) -> None:
    first, other = subject.usual(), subject.usual()
    weights, again = first.state_dict(), other.state_dict()
    differing = [name for name, value in weights.items() if not torch.equal(value, again[name])]
    if differing:
        raise Broken(f"built twice with the same seed, it has other weights in {', '.join(differing)}")
    if not torch.equal(first(_pictures()), first(_pictures())):
        raise Broken("the same images gave other logits the second time")


@define("batch size", "treat each image on its own in evaluation mode: no statistics over the batch.")
def batch_size(subject: RecognizerSubject) -> None:
    network = subject.usual()
    with torch.no_grad():
        whole = network(_pictures())
        parts = torch.cat([network(picture) for picture in _pictures().split(1)])
    if float((whole - parts).abs().max()) > ROUNDING * float(whole.abs().max().clamp_min(1)):
        raise Broken(f"an image alone has other logits than in a batch of {FEW}")


@define("gradients", "detach nothing: training needs the gradient of every weight, and attributions that of the image.")
def gradients(subject: RecognizerSubject) -> None:
    network = subject.usual().train()
    images = _pictures().requires_grad_()
    F.cross_entropy(network(images), batch(FEW).labels).backward()
    without = [name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    if without:
        raise Broken(f"the loss has no gradient for {', '.join(without)}")
    if images.grad is None or not bool(images.grad.abs().sum() > 0):
        raise Broken("the loss has no gradient for the images")


@define("device", "register every weight and constant (parameters, buffers), so that .to(device) moves it.")
def device(subject: RecognizerSubject) -> None:
    gpu = cuda()
    logits = subject.usual().to(gpu)(_pictures().to(gpu))
    if not bool(torch.isfinite(logits).all()):
        raise Broken("its logits are not finite on the GPU")


@define("one party's state", "keep nothing in globals or class attributes: everything belongs to the network.")
def one_party(subject: RecognizerSubject) -> None:
    subject.usual()(_pictures())
    subject.nothing_left_behind()


RECOGNIZER_CHECKS = (
    *COMMON,
    valid_logits,
    feature_layers,
    determinism,
    batch_size,
    gradients,
    device,
    one_party,
)
