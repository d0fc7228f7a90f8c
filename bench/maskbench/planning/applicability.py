"""Which attack runs against which method, on which label, with how much data; and why not, where it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maskbench.data.options import DataOptions
from maskbench.data.parties import Label
from maskbench.errors import UsageError
from maskbench.planning.suite import Suite
from maskbench.plugins.attack import Attack, InferenceAttack, RestorationAttack
from maskbench.plugins.audited import NOT_RUN, Audited
from maskbench.plugins.matching import MatchingAttack, Question
from maskbench.plugins.method import Method


def refuse_without_restorations(attacks: Sequence[Attack]) -> None:
    """Refuse attacks on restored images in a suite that restores none.

    Raises:
        UsageError: an attack needs restorations, and no attack of the suite restores.
    """
    if any(isinstance(attack, RestorationAttack) for attack in attacks):
        return
    for attack in attacks:
        if attack.needs_restorations:
            raise UsageError(
                f"The attack {attack.label()} works on restored images: name a restoration attack as well."
            )


def applies(attack: Attack, method: Method) -> bool:
    """Whether there is anything to run: some attacks work on masks, some with the owner's key, some run the method."""
    if attack.needs_method and (method.masked or method.requests()):
        return False
    if attack.needs_masks and not method.masked:
        return False
    if isinstance(attack, InferenceAttack) and attack.needs_soft_labels and not method.needs_answers():
        return False
    return method.key_known() or not attack.needs_key


def method_lacks(method: Method, options: DataOptions) -> str | None:
    """Why a method cannot run here, where it cannot."""
    unavailable = method.unavailable()
    if unavailable is not None:
        return unavailable
    if options.sensitive is None and any(request.label == "sensitive" for request in method.requests()):
        return "the method needs a sensitive label and the data have none: choose one with --sensitive"
    return None


def refuse_releases(suite: Suite, options: DataOptions) -> None:
    """Refuse several releases of each picture where the release was made elsewhere.

    Raises:
        UsageError: it was, and there should be more.
    """
    if suite.settings.releases > 1 and options.released is not None:
        raise UsageError("A release that was made elsewhere cannot be made again: leave settings.releases at 1.")


def releases_lack(method: Method, releases: int) -> str | None:
    """Why a method is not attacked through several releases of each picture, where it is not."""
    if releases > 1 and method.withholds_masks():
        return "masks that are withheld are found in one release at a time: not measured with several of each picture"
    return None


def attack_lacks(attack: Attack, method: Method, restoring: Sequence[RestorationAttack]) -> str | None:
    """Why an attack cannot run on a method, where it cannot.

    Args:
        restoring: the attacks of the suite that restore what the method releases.
    """
    unavailable = attack.unavailable() or method_not_run(attack, method)
    if unavailable is not None or not attack.needs_restorations:
        return unavailable
    if not restoring:
        return (
            f"{attack.label()} works on restored images, and no restoration attack of the suite can be run on "
            f"{method.name}: name one that needs no masks as well"
        )
    if attack.learns_from == "restorations" and not any(each.restores_training for each in restoring):
        return (
            f"{attack.label()} learns on restored images, and no restoration attack of the suite that can be run "
            f"on {method.name} is fast enough for so many: name a faster one as well"
        )
    return None


def method_not_run(attack: Attack, method: Method) -> str | None:
    """Why an attack cannot run a method, where it has to."""
    return NOT_RUN if attack.needs_method and isinstance(method, Audited) else None


def question_lacks(attack: MatchingAttack, question: Question, method: Method) -> str | None:
    """Why a matching attack cannot be asked a question of a method, where it cannot: it takes the method itself."""
    return NOT_RUN if question == "linkage" and isinstance(method, Audited) else method_not_run(attack, method)


def asks(attack: MatchingAttack, persons: bool) -> tuple[Question, ...]:
    """What a matching attack is asked. Restored pictures are put beside raw ones.

    Args:
        persons: it is known who is on each picture.
    """
    asked = (question for question in attack.questions if persons or question != "person-linkage")
    return tuple(question for question in asked if question == "matching" or not attack.needs_restorations)


def cannot_infer(attack: Attack, label: Label | None, classes: Mapping[Label, int]) -> str | None:
    """Why an attack cannot infer a label, where it cannot.

    Args:
        classes: how many each label has.
    """
    if label is None or not isinstance(attack, InferenceAttack):
        return None
    return attack.cannot_infer(classes[label])


def inferred_labels(attack: Attack, suite: Suite, options: DataOptions) -> tuple[Label | None, ...]:
    """Which labels an attack is run for. Without a sensitive label, what is inferred is the target label."""
    if not isinstance(attack, InferenceAttack):
        return (None,)
    if attack.with_task or attack.needs_soft_labels:
        return ("sensitive",) if options.sensitive is not None else ()
    if options.sensitive is None:
        return ("target",)
    return ("sensitive", "target") if attack.learns_from == "masks" or suite.probe_target else ("sensitive",)


def aux_shares(attack: Attack, label: Label | None, suite: Suite) -> tuple[float, ...]:
    """Which shares of its own training pictures the attacker is given.

    A curve is of attacks that learn from the attacker's own pictures, and from nothing else that they were told.
    Where the target label is inferred, they learn from the owner's released training images instead.
    """
    told = attack.needs_restorations or attack.needs_raw_classifier
    return suite.aux_shares if attack.learns_from and not told and label != "target" else (1.0,)
