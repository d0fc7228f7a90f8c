"""What an attack must keep."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args

import torch
from torch import Tensor

from maskbench.conformance.attack_subject import (
    CANDIDATES,
    FEW,
    AttackSubject,
    candidates_of,
    copied,
    learned,
    released,
)
from maskbench.conformance.check import Broken, NotChecked, define, explain, provided, raise_all
from maskbench.conformance.common import COMMON, cuda
from maskbench.conformance.samples import CPU, OTHER_SHAPES, STANDARD, Shape, written
from maskbench.plugins.attack import Attack, LearnsFrom, RestorationAttack
from maskbench.plugins.matching import MatchingAttack, Question
from maskbench.release import Release

OTHER_PARTY = 500  # number of the other party's first picture
BATCHES = (1, 3)
# A network's sums differ in their last bits with the size of the batch: a level of 255, a thousandth of a logit.
LEVELS, LOGITS = 1.0, 1e-3
_SWITCHES = ("needs_", "restores_", "trains_", "cpu_", "pretrained")
_DECLARED = [name for contract in (Attack, RestorationAttack, MatchingAttack) for name in contract.__annotations__]


@define(
    "declarations",
    "learns_from is one of the words that LearnsFrom lists; needs_…, restores_training, trains_network, cpu_only and "
    "pretrained are True or False, time_limit is a number of seconds; "
    "spell them as the contract does: the engine passes over others without a word.",
)
def declarations(subject: AttackSubject) -> None:
    plugin = subject.built
    if plugin.learns_from not in get_args(LearnsFrom):
        known = ", ".join(map(repr, get_args(LearnsFrom)))
        raise Broken(f"learns_from is {plugin.learns_from!r}, which is none of {known}")
    declared = {name for contract in type(plugin).__mro__ if _is_contract(contract) for name in vars(contract)}
    if isinstance(plugin, MatchingAttack) and not (plugin.questions and {*plugin.questions} <= {*get_args(Question)}):
        known = ", ".join(map(repr, get_args(Question)))
        raise Broken(f"questions is {plugin.questions!r}, which is not one or more of {known}")
    for name in (name for name in declared if name.startswith(_SWITCHES)):
        if not isinstance(getattr(plugin, name), bool):
            raise Broken(f"{name} is {getattr(plugin, name)!r}")
    if not plugin.time_limit > 0:
        raise Broken(f"time_limit is {plugin.time_limit!r}")
    own = {name for layer in type(plugin).__mro__ if not _is_contract(layer) for name in vars(layer)} - declared
    for name in sorted(name for name in own if not name.startswith("_")):
        meant = get_close_matches(name, [*_DECLARED], n=1, cutoff=0.85)
        if meant:
            raise Broken(f"it sets {name}, which the contract does not have; {meant[0]}?")


@define(
    "answer",
    "restore returns float32 images of the release's shape within [0, 1], infer returns float32 logits N × classes, "
    "match returns float32 scores N × candidates; finite, and on the CPU (.cpu()).",
)
def valid_answer(subject: AttackSubject) -> None:
    subject.judged(subject.fitted(), released(FEW))


@define("input", "work on a copy (release.images.clone()), in fit and in restore, infer or match alike.")
def input_untouched(subject: AttackSubject) -> None:
    attack, release, _ = subject.standard
    handed = copied(release)
    subject.propose(attack, handed)
    if not torch.equal(handed.images, release.images) or not torch.equal(handed.kept, release.kept):
        raise Broken("it changed the release in place")
    if isinstance(attack, MatchingAttack):
        pictures = candidates_of(attack, release)
        given = copied(pictures)
        attack.match(release, given, CPU)
        if not torch.equal(given.images, pictures.images):
            raise Broken("it changed the candidates in place")
    aux = subject.aux(STANDARD)
    before = [known.raw_images.clone() for known in (aux.train, aux.validation)]
    shown = copied(aux.train.release)
    learned(subject.built, aux)
    if not all(
        torch.equal(known.raw_images, raw) for known, raw in zip((aux.train, aux.validation), before, strict=True)
    ):
        raise Broken("fit changed the raw images in place")
    if not torch.equal(aux.train.release.images, shown.images):
        raise Broken("fit changed the release in place")


@define(
    "determinism",
    "draw random numbers from torch's generators, which the engine seeds, or from torch.Generator().manual_seed("
    "aux.seed); not from the clock, nor from numpy's or Python's global generators.",
)
def determinism(subject: AttackSubject) -> None:
    first, other = (provided(subject.fitted, "answer") for _ in range(2))
    release = released(FEW)
    once, again, elsewhere = (subject.answer_of(attack, release) for attack in (first, first, other))
    if not torch.equal(once, again):
        raise Broken("the same release got another answer the second time")
    if not torch.equal(once, elsewhere):
        raise Broken("fitted twice on the same pictures with the same seed, it gave different answers")


@define("batch size", "treat each image on its own: no statistics over the batch, networks in eval() mode.")
def batch_size(subject: AttackSubject) -> None:
    if subject.built.kind == "matching":
        raise NotChecked("it may look at the whole release")
    attack, release, whole = subject.standard
    for size in BATCHES:
        parts = [subject.answer(attack, release.select(index)) for index in torch.arange(FEW).split(size)]
        joined = torch.cat(parts)
        if joined.shape != whole.shape or not _close(attack, joined, whole):
            raise Broken(f"in batches of {size} it answers otherwise than in one of {FEW}")


@define("candidates", "give each candidate a score that does not depend on its place: the engine shuffles them.")
def candidates(subject: AttackSubject) -> None:
    if subject.built.kind != "matching":
        raise NotChecked("it is handed no candidates")
    attack, release, whole = subject.standard
    assert isinstance(attack, MatchingAttack), "of its kind"
    order = torch.arange(CANDIDATES).flip(0)
    turned = subject.scores(attack, copied(release), order)
    if not isinstance(turned, Tensor) or turned.shape != whole.shape:
        raise Broken("with the candidates in another order its answer has another form")
    if not _close(attack, turned.float().nan_to_num(), whole[:, order]):
        raise Broken("with the candidates in another order it answers otherwise")


@define("device", "move what a network needs to the device that is handed in, and the answer back to the CPU (.cpu()).")
def device(subject: AttackSubject) -> None:
    gpu = cuda()
    subject.judged(subject.fitted(device=gpu), released(FEW), gpu)


@define(
    "one party's state",
    "return from fit whatever must be remembered, and read it back from self.state; keep nothing in globals, class "
    "attributes, mutable defaults or private attributes.",
)
def one_party(subject: AttackSubject) -> None:
    release = subject.standard[1]
    used = subject.fitted()
    subject.answer(used, release)
    fresh, again = subject.fitted(first=OTHER_PARTY), subject.fitted(first=OTHER_PARTY, attack=used)
    if not torch.equal(subject.answer(fresh, release), subject.answer(again, release)):
        raise Broken("fitted twice, on one party's pictures and then on another's, it remembers the first")
    subject.nothing_left_behind()


@define(
    "without masks",
    "release.masks is None for a method that hides nothing by a mask: do without, or set `needs_masks = True`.",
)
def without_masks(subject: AttackSubject) -> None:
    if subject.built.needs_masks:
        raise NotChecked("it declares needs_masks")
    _needs_valid(subject)
    subject.judged(subject.fitted(masked=False), released(FEW, masked=False))


@define(
    "nothing raw",
    "aux.train.raw is None where the pictures are the owner's, as they are when the label to infer is the task's: "
    "learn from aux.train.release and aux.train.labels.",
)
def nothing_raw(subject: AttackSubject) -> str | None:
    if subject.built.kind == "restoration":
        return "by construction: restore is handed the release alone, fit the attacker's own pictures"
    if subject.built.needs_restorations or subject.built.kind == "matching":
        return "by construction: it learns on the attacker's own pictures alone"
    _needs_valid(subject)
    subject.judged(subject.fitted(raw=False), released(FEW))
    return None


@define("sizes", "take channels, height and width from the release; images need not be square nor coloured.")
def sizes(subject: AttackSubject) -> None:
    _needs_valid(subject)
    raise_all([_holds(subject, shape, released(FEW, shape)) for shape in OTHER_SHAPES])


@define(
    "all or nothing hidden",
    "the fully masked control and the raw one are attacked too: answer something (grey, say) where no pixel is kept "
    "and where every pixel is.",
)
def extremes(subject: AttackSubject) -> None:
    _needs_valid(subject)
    blank = torch.zeros(FEW, *STANDARD)
    white, hole = torch.ones_like(blank), torch.zeros_like(blank[:, :1])
    restorations = {"blur": blank, "release": blank}
    raise_all(
        [
            _holds(subject, STANDARD, Release(blank, hole, restorations)),
            _holds(subject, STANDARD, Release(white, 1 - hole, restorations)),
        ]
    )


def _needs_valid(subject: AttackSubject) -> None:
    provided(lambda: valid_answer.run(subject), "answer")


def _holds(subject: AttackSubject, shape: Shape, release: Release) -> str | None:
    """What goes wrong on a release of a shape, or None."""
    try:
        subject.judged(subject.fitted(shape), release)
    except NotChecked:
        raise
    except Exception as error:  # noqa: BLE001 - a finding, told beside those of the other cases
        hidden = f"{float(1 - release.kept.mean()):.0%} hidden"
        return f"{written(shape)}, {hidden}: {explain(error)}"
    return None


def _close(attack: object, one: Tensor, two: Tensor) -> bool:
    scale = LEVELS if isinstance(attack, RestorationAttack) else LOGITS * float(two.abs().amax().clamp_min(1))
    return float((one - two).abs().amax()) <= scale


def _is_contract(layer: type) -> bool:
    return layer.__module__.startswith("maskbench.plugins.") or not issubclass(layer, Attack)


ATTACK_CHECKS = (
    *COMMON,
    declarations,
    valid_answer,
    input_untouched,
    determinism,
    batch_size,
    candidates,
    device,
    one_party,
    without_masks,
    nothing_raw,
    sizes,
    extremes,
)
