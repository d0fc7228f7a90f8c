"""What a method's release must be, for any picture."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.artifacts.fingerprint import digest
from maskbench.attributions.algorithm import find
from maskbench.conformance.check import Broken, NotChecked, define, explain, provided, raise_all
from maskbench.conformance.common import SEED
from maskbench.conformance.method_subject import FEW, MethodSubject, judge
from maskbench.conformance.samples import OTHER_SHAPES, OWNER_IMAGES, STANDARD, Shape, written
from maskbench.errors import ContractViolation, UsageError
from maskbench.plugins import judging
from maskbench.plugins.given import Attribution
from maskbench.release import Release, to_float

RATIOS = (0.0, 0.25, 0.5, 0.9, 1.0)
LARGEST_UNIT = 0.25  # share of the image; what a mask hides in larger pieces has no ratio to speak of


@define(
    "declarations",
    "return maskbench.Attribution(NAME) from requests(), with names from `maskbench list attributions`; from "
    "release_parameters() and adaptation_parameters() return a dict of plain values, because they go into cache keys; "
    "time_limit is a number of seconds.",
)
def declarations(subject: MethodSubject) -> None:
    if not subject.built.time_limit > 0:
        raise Broken(f"time_limit is {subject.built.time_limit!r}")
    for request in subject.built.requests():
        if not isinstance(request, Attribution):
            raise Broken(f"it requests {request!r}")
        find(request.algorithm)
    for declared in (subject.built.release_parameters, subject.built.adaptation_parameters):
        try:
            digest(declared())
        except (TypeError, ValueError) as error:
            raise Broken(f"{declared.__name__}() cannot be part of a cache key: {error}") from error


@define(
    "fit",
    "return a dict of tensors by name ({} where nothing is learned), and leave what it is given as it is.",
)
def fit(subject: MethodSubject) -> None:
    owner = subject.batch(OWNER_IMAGES, first=0).owner(SEED)
    before = owner.images.clone()
    state = subject.built.fit(owner)
    if not isinstance(state, dict):
        raise Broken(f"fit returned {type(state).__name__}")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise Broken(f"fit returned a {type(value).__name__} under {name!r}")
    if not torch.equal(owner.images, before):
        raise Broken("fit changed the owner's images in place")


@define(
    "release",
    "return maskbench.Release(images, masks): images of the input's shape, float32, within [0, 1]; masks N 1 H W "
    "of 0 and 1, exactly where the class sets `masked = True`.",
)
def valid_release(subject: MethodSubject) -> None:
    method, given = provided(subject.fitted, "fit"), subject.batch()
    proposed, who = subject.propose(method, given.copy()), f"method '{method.name}'"
    if not isinstance(proposed, Release) or (proposed.masks is not None) != method.masked:
        judging.release(proposed, given.images, who, method.masked)  # raises, and names what came
    judging.images(proposed.images, given.images, who)
    if proposed.masks is not None:
        judging.masks(proposed.masks, given.images, who)


@define(
    "input",
    "work on a copy (images.clone()), not with functions that end in an underscore.",
)
def input_untouched(subject: MethodSubject) -> None:
    method, given, _ = subject.standard
    handed = given.copy()
    subject.propose(method, handed)
    if not torch.equal(handed.images, given.images):
        raise Broken("desensitize changed its input in place")


@define(
    "kept pixels",
    "take kept pixels from the input: torch.where(masks == 1, images, filled).",
)
def kept_pixels(subject: MethodSubject) -> None:
    method, given, released = subject.standard
    proposed = subject.propose(method, given.copy())
    if len(released) == 1:
        raise NotChecked("it releases no masks")
    if proposed.images.shape != given.images.shape or proposed.masks.shape != given.images[:, :1].shape:
        raise NotChecked("nothing to look at: mend 'release' first")
    changed = int(((proposed.images != given.images).any(dim=1, keepdim=True) & (proposed.masks == 1)).sum())
    if changed:
        raise Broken(f"it changed {changed} of {int(proposed.masks.sum())} pixels that its masks say are kept")


@define(
    "ratio",
    "hide `ratio` of every image to the nearest unit (maskbench.keep_highest does), return it from "
    "promised_ratio, and return one unit's share of the image from ratio_tolerance.",
)
def ratio(subject: MethodSubject) -> None:
    if not subject.built.masked:
        raise NotChecked("it releases no masks")
    if "ratio" in type(subject.built).model_fields:
        raise_all(_ratio_kept(subject, share) for share in RATIOS)
    else:
        raise_all([_ratio_kept(subject, None)])


def _ratio_kept(subject: MethodSubject, share: float | None) -> str | None:
    """What is wrong with the ratio, or None; a ratio that the parameter rules out is no concern."""
    try:
        method = subject.build() if share is None else subject.build(ratio=share)
    except UsageError:
        return None
    promised = method.promised_ratio()
    if share is not None and promised != share:
        return f"with ratio={share} it promises to hide {promised}"
    tolerance = method.ratio_tolerance(*STANDARD[1:])
    if promised is not None and tolerance > LARGEST_UNIT:
        return f"it takes {tolerance:.2g} of an image for one unit of its mask"
    method, given = provided(lambda: subject.fitted(method=method), "fit"), subject.batch()
    released = subject.release_of(method, given)
    if len(released) == 1:
        raise NotChecked("nothing to look at: mend 'release' first")
    try:
        judging.ratio(released[1], promised, tolerance, f"method '{method.name}'")
    except ContractViolation as violation:
        return str(violation)
    return None


@define(
    "output",
    "change every image that is not of one colour, at the eight bits it is released in, and show nothing that a mask "
    "hides; a control that is meant to release raw images sets `role = 'raw'`.",
)
def output(subject: MethodSubject) -> None:
    method, given, released = subject.standard
    if method.role == "raw":
        raise NotChecked("it is a control that releases raw images")
    shapes = [given.images.shape, given.images[:, :1].shape]
    if any(tensor.shape != right for tensor, right in zip(released, shapes, strict=False)):
        raise NotChecked("nothing to look at: mend 'release' first")
    shown, masks = to_float(released[0]), released[1] if len(released) > 1 else None
    judging.output(Release(shown, masks), given.images, f"method '{method.name}'")


def _holds(subject: MethodSubject, shape: Shape, images: Tensor | None = None) -> str | None:
    """What goes wrong on pictures of a shape, or None."""
    try:
        method = subject.fitted(shape)
        given = subject.batch(FEW if images is None else len(images), shape, images=images)
        expected = [given.images.shape, given.images[:, :1].shape]
        for tensor, right in zip(subject.released(method, given), expected, strict=False):
            if tensor.shape != right:
                return f"{written(shape)}: released {tuple(tensor.shape)} instead of {tuple(right)}"
        if subject.judged:
            judge(method, given)
    except NotChecked:
        raise
    except Exception as error:  # noqa: BLE001 - a finding, told beside those of the other shapes
        return f"{written(shape)}: {explain(error)}"
    return None


def _needs_its_shape(subject: MethodSubject) -> None:
    """A release that has the wrong shape at the standard size already says nothing about other sizes."""
    if subject.standard[2][0].shape[1:] != STANDARD:
        raise NotChecked("nothing to look at: mend 'release' first")


@define(
    "sizes",
    "take channels, height and width from images.shape; images need not be square nor coloured.",
)
def sizes(subject: MethodSubject) -> None:
    _needs_its_shape(subject)
    raise_all([_holds(subject, shape) for shape in OTHER_SHAPES])


@define(
    "black and white",
    "an image of one colour has no contrast: guard divisions by a range, a sum or a deviation.",
)
def extremes(subject: MethodSubject) -> None:
    _needs_its_shape(subject)
    images = torch.stack([torch.zeros(STANDARD), torch.ones(STANDARD)])
    raise_all([_holds(subject, STANDARD, images)])


@define(
    "judge",
    "see the message: it is what a run would say in every cell of this method.",
    last_resort=True,
)
def sealed_judge(subject: MethodSubject) -> None:
    judge(provided(subject.fitted, "fit"), subject.batch())
