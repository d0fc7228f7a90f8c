"""What methods and attacks are, in the words of their authors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.names import parse
from maskbench.plugins.reserved import AVERAGED, OPTIMUM, OPTIMUM_OF_MASKS, ORACLE, PERMUTED, STACKED, STRONGEST
from maskbench.report.text import plain_words

_MADE_OF_OTHERS = {
    STACKED: "all attacks of its kind, with their answers taken together",
    STRONGEST: "the attack that does best on pictures that it is not scored on: the headline",
    ORACLE: "the best attack for each picture, chosen by someone who knows the answer: no attacker reaches it",
    AVERAGED: "attacks that train no network: what they say of each release of a picture alone, averaged",
    PERMUTED: "attacks that train no network, with the labels that the attacker has shuffled: a control",
    OPTIMUM: "the best possible attack, of someone who knows what the pictures are drawn from",
    OPTIMUM_OF_MASKS: "the same where nothing is seen but the mask: what its shape gives away",
}


class Described(NamedTuple):
    """A plug-in and the first line of what its author says of it; empty where it is not installed here."""

    label: str
    summary: str


def described(kind: str, labels: Iterable[str]) -> list[Described]:
    """Each plug-in of a kind by its ``name:parameters``."""
    return [Described(label, _summary(kind, label)) for label in labels]


def _summary(kind: str, label: str) -> str:
    try:
        name, _ = parse(label)
        return plain_words(catalogue().get(kind, name).summary())
    except UsageError:
        return ""  # of a run that somebody made with a plug-in of theirs


def attacks_made_of_others(named: Iterable[str]) -> list[Described]:
    """Of the attacks that were named, those that no plug-in is."""
    return [Described(name, words) for name, words in _MADE_OF_OTHERS.items() if name in set(named)]


def attacks_not_asked_for(asked: Iterable[str]) -> list[Described]:
    """The attacks that are installed here, and that a run was not asked for."""
    names = {label.split(":", 1)[0] for label in asked}
    return described("attack", [name for name in catalogue().names("attack") if name not in names])
