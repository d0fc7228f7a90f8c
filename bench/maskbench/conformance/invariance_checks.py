"""What must not change a method's release: the batch, the device, labels, and who was fitted before."""

from __future__ import annotations

import torch

from maskbench.conformance.check import Broken, define, provided
from maskbench.conformance.common import SEED, cuda
from maskbench.conformance.method_subject import MethodSubject, learned, same
from maskbench.conformance.samples import OWNER_IMAGES
from maskbench.release import to_bytes

BATCHES = (1, 7)
MANY = 64  # pictures in the large batch
SPLIT = 14  # as many of them come again in small batches
OTHER_PARTY = 500  # number of the other party's first picture
# Sums run in another order on a GPU: a near-tie may fall the other way, a value may round to the next level.
DEVICE_PIXELS = 0.01


@define(
    "determinism",
    "draw random numbers from given.rng alone, and in fit from torch.Generator().manual_seed(owner.seed).",
)
def determinism(subject: MethodSubject) -> None:
    first, other = (provided(subject.fitted, "fit") for _ in range(2))
    if not same(learned(first.state), learned(other.state)):
        raise Broken("fitted twice on the same pictures with the same seed, it learned something else")
    given = subject.batch()
    once, again, elsewhere = (subject.release_of(method, given) for method in (first, first, other))
    if not same(once, again):
        raise Broken("the same pictures with the same seed gave another release the second time")
    if not same(once, elsewhere):
        raise Broken("two instances, fitted alike, gave different releases of the same pictures with the same seed")


@define(
    "batch size",
    "treat each image on its own: reduce over dims (1, 2, 3), never over the batch, and draw from given.rng, "
    "which has a stream for each image. Scores that a network computes differ in their last bits with the "
    "size of the batch: compute them in float64.",
)
def batch_size(subject: MethodSubject) -> None:
    method = subject.standard[0]
    given = subject.batch(MANY)
    whole = [tensor[:SPLIT] for tensor in subject.released(method, given)]
    for size in BATCHES:
        parts = [subject.released(method, part) for part in given.select(torch.arange(SPLIT)).split(size)]
        joined = [torch.cat(tensors) for tensors in zip(*parts, strict=True)]
        if len(joined) != len(whole) or any(one.shape != two.shape for one, two in zip(joined, whole, strict=True)):
            raise Broken(f"batches of {size} gave a release of another shape than a batch of {MANY}")
        pairs = zip(joined, whole, strict=True)
        differ = torch.stack([(one != two).flatten(1).any(dim=1) for one, two in pairs]).any(dim=0)
        if bool(differ.any()):
            count = f"{int(differ.sum())} of {SPLIT}"
            raise Broken(f"{count} pictures are released otherwise in batches of {size} than in one of {MANY}")


@define(
    "device",
    "create tensors on images.device, and draw from given.rng, which is the same everywhere.",
)
def device(subject: MethodSubject) -> None:
    gpu = cuda()
    method, given, released = subject.standard
    state = {name: value.to(gpu) for name, value in (method.state or {}).items()}
    there = method.with_state(state).release(
        given.images.to(gpu),
        seed=SEED,
        numbers=given.numbers.to(gpu),
        attributions={request: values.to(gpu) for request, values in given.attributions.items()},
    )
    answers = [to_bytes(there.images).cpu(), *([] if there.masks is None else [there.masks.cpu()])]
    for here, answer in zip(released, answers, strict=True):
        # One of the 255 levels of an image is rounding; in a mask a difference of 1 is a pixel kept or not.
        level = 1 if here.dtype == torch.uint8 else 0
        share = float(((here.float() - answer.float()).abs() > level).float().mean())
        if share > DEVICE_PIXELS:
            raise Broken(f"on the GPU {share:.1%} of its release differs from the CPU's")


@define(
    "labels",
    "given.labels is None for test images: do without it, and remember nothing of what came before.",
)
def labels(subject: MethodSubject) -> str | None:
    given = subject.batch()
    if subject.runs_with_labels_alone:
        raise Broken("it crashes without labels, and images to test on have none")
    plain = subject.standard[2]
    as_training = {}
    for kind, labels in (("right", given.labels), ("permuted", given.labels.roll(1))):
        method = subject.fitted()
        as_training[kind] = subject.released(method, given, labels)
        if not same(subject.released(method, given), plain):
            raise Broken("the release of test images depends on labels that it was given before")
    if not same(as_training["permuted"], plain) or not same(as_training["right"], plain):
        return "it uses the labels of training images, as it may; images to test on have none"
    return None


@define(
    "one party's state",
    "return from fit whatever must be remembered, and read it back from self.state; keep nothing in globals, "
    "class attributes, mutable defaults or private attributes: the attacker's re-fit would find it there.",
)
def one_party(subject: MethodSubject) -> None:
    given = subject.standard[1]
    other = subject.batch(OWNER_IMAGES, first=OTHER_PARTY).owner(SEED)
    owners = subject.fitted()
    subject.released(owners, given)
    fresh, again = (method.with_state(method.fit(other)) for method in (subject.fresh(), owners))
    alike = same(learned(fresh.state), learned(again.state))
    if not alike or not same(subject.released(fresh, given), subject.released(again, given)):
        raise Broken("fitted for one party and then for another, it learned something else than a fresh instance")
    subject.nothing_left_behind()
