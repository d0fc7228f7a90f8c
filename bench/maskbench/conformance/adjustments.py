"""What a model adjustment must keep."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskbench.conformance.check import Broken, NotChecked, define, explain, raise_all
from maskbench.conformance.common import COMMON, SEED, Subject, cuda
from maskbench.conformance.samples import CLASSES, CPU, OTHER_SHAPES, STANDARD, Batch, Shape, batch, masks, written
from maskbench.errors import MaskbenchError
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.randomness import seeded
from maskbench.release import to_bytes
from maskbench.training.classifier import train_classifier
from maskbench.training.settings import Training

RECOGNIZERS = ("small", "resnet18")
FEW = 4
TRAINED_ON = 8

_TRAINING = Training(epochs=1, batch_size=4, learning_rate=1e-3, weight_decay=0.0)


class AdjustmentSubject(Subject):
    """An adjustment under examination: wrapped around recognizers."""

    def wrapped(self, recognizer: str = RECOGNIZERS[0], shape: Shape = STANDARD) -> tuple[nn.Module, Recognizer]:
        """The adjusted module and the recognizer in it, with the weights that the seed gives."""
        module, inside, _ = self.wrapped_with_teacher(recognizer, shape)
        return module, inside

    def wrapped_with_teacher(self, recognizer: str, shape: Shape) -> tuple[nn.Module, Recognizer, Recognizer | None]:
        """The same with the owner's recognizer of raw images, where the adjustment wants it."""
        channels, *size = shape
        with seeded(SEED):
            teacher, inside = (
                build(recognizer, channels=channels, classes=CLASSES, size=(size[0], size[1])) for _ in range(2)
            )
            given = teacher.eval().requires_grad_(False) if self.built.needs_teacher else None
            return self.built.wrap(inside, given), inside, given


def _shown(shape: Shape = STANDARD, count: int = FEW) -> tuple[Batch, Tensor]:
    drawn = batch(count, shape)
    return drawn, masks(drawn.numbers, shape)


def _logits(module: nn.Module, images: Tensor, kept: Tensor | None) -> Tensor:
    logits = module(images, kept)
    if not isinstance(logits, Tensor) or logits.shape != (len(images), CLASSES):
        came = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise Broken(f"it returned {came} instead of logits {(len(images), CLASSES)}")
    if not bool(torch.isfinite(logits).all()):
        raise Broken("its logits are not finite")
    return logits


def _cases() -> Iterator[tuple[str, Shape]]:
    for recognizer in RECOGNIZERS:
        for channels in (1, 3):
            yield recognizer, (channels, *STANDARD[1:])


def _goes(subject: AdjustmentSubject, recognizer: str, shape: Shape, kept: Tensor | None = None) -> str | None:
    """What goes wrong in training or evaluation mode, or None."""
    drawn, drawn_masks = _shown(shape)
    try:
        module, _ = subject.wrapped(recognizer, shape)
        for mode in (True, False):
            _logits(module.train(mode), (images := drawn.images), drawn_masks if kept is None else kept)
            if not torch.equal(images, batch(FEW, shape).images):
                raise Broken("it changed the images in place")
    except NotChecked:
        raise
    except Exception as error:  # noqa: BLE001 - a finding, told beside those of the other recognizers
        return f"{recognizer} at {written(shape)}: {explain(error)}"
    return None


@define("logits", "wrap returns a module; module(images, masks) returns float32 logits N × classes for any recognizer.")
def valid_logits(subject: AdjustmentSubject) -> None:
    raise_all([_goes(subject, recognizer, shape) for recognizer, shape in _cases()])


def _needs_valid(subject: AdjustmentSubject) -> None:
    if _goes(subject, RECOGNIZERS[0], STANDARD):
        raise NotChecked("nothing to look at: mend 'logits' first")


@define("sizes", "take height and width from images.shape and the channels from the recognizer.")
def sizes(subject: AdjustmentSubject) -> None:
    _needs_valid(subject)
    raise_all([_goes(subject, RECOGNIZERS[0], shape) for shape in OTHER_SHAPES if shape[1:] != STANDARD[1:]])


@define("all or nothing hidden", "guard divisions by the number of kept pixels, which may be none or all of them.")
def extremes(subject: AdjustmentSubject) -> None:
    _needs_valid(subject)
    kept = torch.ones(FEW, 1, *STANDARD[1:])
    raise_all([_goes(subject, RECOGNIZERS[0], STANDARD, value * kept) for value in (0.0, 1.0)])


@define("without masks", "take masks=None as all kept, or raise maskbench.UsageError that says why masks are needed.")
def without_masks(subject: AdjustmentSubject) -> str | None:
    _needs_valid(subject)
    module, _ = subject.wrapped()
    try:
        _logits(module.eval(), _shown()[0].images, None)
    except MaskbenchError as reason:
        return f"it says why not: {reason}"
    return None


@define("gradients", "hold the recognizer that is handed in, not a copy, and detach nothing on the way to it.")
def gradients(subject: AdjustmentSubject) -> None:
    _needs_valid(subject)
    wrong = []
    for recognizer, shape in _cases():
        drawn, kept = _shown(shape)
        module, inside = subject.wrapped(recognizer, shape)
        F.cross_entropy(module.train()(drawn.images, kept), drawn.labels).backward()
        weights = [weight for weight in inside.parameters() if weight.requires_grad]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        held = {id(weight) for weight in module.parameters()}
        if not weights or any(id(weight) not in held for weight in weights):
            wrong.append(f"{recognizer}: the module does not hold the recognizer's weights")
        elif len(gradients) < len(weights) or not bool(gradients[0].abs().sum() > 0):
            wrong.append(f"{recognizer}: the loss has no gradient for some of its weights")
    raise_all(wrong)


@define("determinism", "draw random weights from torch's global generator, which the engine seeds, and nothing else.")
def determinism(subject: AdjustmentSubject) -> None:
    _needs_valid(subject)
    drawn, kept = _shown()
    (first, _), (other, _) = subject.wrapped(), subject.wrapped()
    once, again, elsewhere = (module.eval()(drawn.images, kept) for module in (first, first, other))
    if not torch.equal(once, again):
        raise Broken("the same images gave other logits the second time")
    if not torch.equal(once, elsewhere):
        raise Broken("wrapped twice with the same seed, it gave different logits")


@define(
    "training",
    "the engine trains module(images, masks) with cross-entropy: every weight must be a parameter of the module, and "
    "its loss finite.",
)
def training(subject: AdjustmentSubject) -> None:
    _needs_valid(subject)
    _train(subject, subject.wrapped()[0], CPU)


@define("teacher", "the owner's recognizer of raw images is shared: copy what you train, and keep the rest in eval().")
def teacher(subject: AdjustmentSubject) -> None:
    if not subject.built.needs_teacher:
        raise NotChecked("it wants no teacher")
    _needs_valid(subject)
    module, _, given = subject.wrapped_with_teacher(RECOGNIZERS[0], STANDARD)
    assert given is not None, "it wants a teacher"
    before = {name: value.clone() for name, value in given.state_dict().items()}
    _train(subject, module, CPU)
    changed = [name for name, value in given.state_dict().items() if not torch.equal(value, before[name])]
    if changed:
        raise Broken(f"training changed the teacher: {', '.join(changed)}")


@define("device", "register every weight and constant (parameters, buffers), so that .to(device) moves it.")
def device(subject: AdjustmentSubject) -> None:
    gpu = cuda()
    _needs_valid(subject)
    _train(subject, subject.wrapped()[0], gpu)


@define("one party's state", "keep nothing in globals or class attributes: everything belongs to the module.")
def one_party(subject: AdjustmentSubject) -> None:
    _needs_valid(subject)
    subject.nothing_left_behind()


def _train(subject: AdjustmentSubject, module: nn.Module, where: torch.device) -> None:
    drawn, kept = _shown(count=TRAINED_ON)
    generator = torch.Generator().manual_seed(SEED)
    taught = torch.randn(TRAINED_ON, CLASSES, generator=generator) if subject.built.needs_answers else None
    train_classifier(
        module,
        to_bytes(drawn.images),
        kept.to(torch.uint8),
        drawn.labels,
        training=_TRAINING,
        flip=True,
        seed=SEED,
        device=where,
        taught=taught,
        loss=subject.built.loss,
    )


ADJUSTMENT_CHECKS = (
    *COMMON,
    valid_logits,
    sizes,
    extremes,
    without_masks,
    gradients,
    determinism,
    training,
    teacher,
    device,
    one_party,
)
