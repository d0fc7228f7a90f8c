"""Fitting a method on the user's own images, with teachers where it asks for attributions.

The stages of ``maskbench run`` are not used here: they split the data for an evaluation, keep raw images in the store,
and stop at the first image that cannot be read. The functions below them are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskbench.attributions.algorithm import find
from maskbench.data.sizes import check_images, check_size
from maskbench.errors import ContractViolation, MaskbenchError, UsageError
from maskbench.models.recognizer import ImageOnly
from maskbench.models.recognizers import build, identity, without_files
from maskbench.plugins.given import Attribution, Owner
from maskbench.plugins.method import Method
from maskbench.randomness import seeded
from maskbench.release import to_float
from maskbench.releasing.fitted import Fitted, Shape, TeacherWeights, learns
from maskbench.releasing.labelled import Labels
from maskbench.releasing.options import Options
from maskbench.releasing.pictures import Entry, NamedPicture, chunks, decode
from maskbench.releasing.secret import Secret
from maskbench.training.classifier import train_classifier
from maskbench.training.settings import CLASSIFICATION, Training

DEFAULT_RECOGNIZER = "small"
_BATCH = 256

StepProgress = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done."""


def training(options: Options) -> Training:
    """How teachers are trained."""
    changed = {} if options.epochs is None else {"epochs": options.epochs}
    return CLASSIFICATION.model_copy(update=changed)


def fit(
    method: Method,
    entries: Iterable[Entry],
    labels: Labels,
    options: Options,
    secret: Secret,
    device: torch.device,
    progress: StepProgress,
) -> Fitted:
    """Fit a method on all images that can be read and, where there are labels, have one.

    Args:
        entries: the images, with ``labels`` in the same order.

    Raises:
        UsageError: the method wants labels that are not there, or images of one size that have several.
    """
    policy = (
        "drawn from the operating system's random source; not recorded here"
        if options.seed is None
        else "chosen by the owner; not recorded here"
    )
    if not learns(method):
        return Fitted(method.with_state({}), secret, policy, options.size, sensitive=options.sensitive)
    wanted = {request.label for request in method.requests()}
    if method.needs_answers():
        wanted.add("target")
    labels.require(wanted, method.name)
    if wanted:
        check_size(options.size)
    read, rows = _read(entries, options.size, labels, progress)
    images = _stack(read, method.name)
    shape: Shape = (images.shape[1], images.shape[2], images.shape[3])
    if wanted:
        check_images(*shape[1:], "SRC")
    teachers: dict[str, TeacherWeights] = {}
    for label in sorted(wanted):
        teachers[label] = _teach(label, images, labels, rows, options, secret, device, progress)
    attributions = {}
    if type(method).fit is not Method.fit:
        for request in method.requests():
            attributions[request] = _explain(request, teachers[request.label], images, device, progress)
    progress(f"fitting {method.name}", 0.0)
    owner = Owner(
        images=to_float(images),
        labels=labels.codes("target", rows),
        classes=labels.count("target"),
        sensitive=labels.codes("sensitive", rows) if labels.has("sensitive") else None,
        sensitive_classes=labels.count("sensitive") if labels.has("sensitive") else 0,
        attributions=attributions,
        seed=secret.fit_seed(),
        device=device,
    )
    state = _fit(method, labels.guarded(owner, method.name))
    about: dict[str, Any] = {"images": len(images), "shape": list(shape), **labels.columns()}
    if method.needs_answers():
        about["classes"] = labels.names("target")
    if teachers:
        about["recognizer"] = identity(options.recognizer or DEFAULT_RECOGNIZER)
        about["training"] = training(options).model_dump()
    return Fitted(method.with_state(state), secret, policy, options.size, shape, options.sensitive, teachers, about)


def _fit(method: Method, owner: Owner) -> Mapping[str, Tensor]:
    try:
        return method.fit(owner)
    except MaskbenchError:
        raise
    except Exception as error:
        raise ContractViolation(f"method '{method.name}' failed in fit: {type(error).__name__}: {error}") from error


def _read(
    entries: Iterable[Entry], size: int | None, labels: Labels, progress: StepProgress
) -> tuple[list[NamedPicture], Tensor]:
    """The images to learn from, and their places among the entries."""
    places: list[int] = []

    def labelled() -> Iterator[Entry]:
        for place, entry in enumerate(entries):
            if labels.usable(place):
                places.append(place)
                yield entry

    pictures: list[NamedPicture] = []
    for chunk in chunks(labelled(), size):
        pictures += decode(chunk, size)
        progress("reading images to learn from", len(pictures) / labels.images)
    read = [(picture, place) for picture, place in zip(pictures, places, strict=True) if picture.pixels is not None]
    if not read:
        reasons = [f"{picture.name}: {picture.error}" for picture in pictures]
        reason = reasons[0] if reasons else "none of them has a label in the chosen columns"
        raise UsageError(f"There is no image to learn from ({reason}).")
    return [picture for picture, _ in read], torch.tensor([place for _, place in read])


def _stack(read: list[NamedPicture], who: str) -> Tensor:
    """Uint8 (N, C, H, W); images without colour get three equal channels where others have colour."""
    first, channels = read[0], 1
    for picture in read:
        if _sides(picture) != _sides(first):
            (height, width), (other_height, other_width) = _sides(first), _sides(picture)
            raise UsageError(
                f"Method '{who}' learns from images of one size, and these differ: {first.name} is {width}×{height} "
                f"px, {picture.name} is {other_width}×{other_height} px. Pass --size, for example --size 64."
            )
        channels = max(channels, len(_pixels(picture)))
    height, width = _sides(first)
    return torch.from_numpy(np.stack([np.broadcast_to(_pixels(it), (channels, height, width)) for it in read]))


def _pixels(picture: NamedPicture) -> np.ndarray:
    if picture.pixels is None:
        raise ValueError(f"{picture.name} was not decoded")
    return picture.pixels


def _sides(picture: NamedPicture) -> tuple[int, int]:
    height, width = _pixels(picture).shape[1:]
    return height, width


def _teach(
    label: str,
    images: Tensor,
    labels: Labels,
    rows: Tensor,
    options: Options,
    secret: Secret,
    device: torch.device,
    progress: StepProgress,
) -> TeacherWeights:
    name = options.recognizer or DEFAULT_RECOGNIZER
    classes = labels.count(label)
    channels, height, width = images.shape[1:]
    with seeded(secret.fit_seed("teacher", label, "weights")):
        network = ImageOnly(build(name, channels=channels, classes=classes, size=(height, width)))
    train_classifier(
        network,
        images,
        None,
        labels.codes(label, rows),
        training=training(options),
        flip=labels.flippable,
        seed=secret.fit_seed("teacher", label, "training"),
        device=device,
        progress=lambda share: progress(f"training the teacher of '{labels.columns()[label]}'", share),
    )
    weights = {name: tensor.cpu() for name, tensor in network.recognizer.state_dict().items()}
    return TeacherWeights(without_files(name), classes, weights)


def _explain(
    request: Attribution, teacher: TeacherWeights, images: Tensor, device: torch.device, progress: StepProgress
) -> Tensor:
    shape: Shape = (images.shape[1], images.shape[2], images.shape[3])
    network = teacher.network(shape, device)
    parts = []
    for start in range(0, len(images), _BATCH):
        batch = to_float(images[start : start + _BATCH].to(device))
        parts.append(find(request.algorithm).explain(network, batch).cpu())
        progress(f"attribution {request.algorithm}", min(start + _BATCH, len(images)) / len(images))
    return torch.cat(parts)
