"""Methods, recognizers and attribution algorithms by their names."""

from __future__ import annotations

from maskbench.artifacts.fingerprint import closure
from maskbench.attributions import algorithm
from maskbench.attributions.algorithm import Algorithm
from maskbench.models import recognizers
from maskbench.models.recognizer import Recognizer
from maskbench.plugins.catalogue import create
from maskbench.plugins.method import Method
from maskbench.plugins.names import parse


def method(text: str) -> Method:
    """The method that a user would type so, as in ``method("saliency:ratio=0.5")``.

    Raises:
        UsageError: there is no such method or parameter, or a value is out of its range.
    """
    found: Method = create("method", *parse(text))
    return found


def build_recognizer(name: str, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
    """Build a recognizer with random weights, drawn from torch's global generator: seed it.

    Args:
        name: one of ``maskbench list recognizers``.
        channels: of the images.
        classes: how many logits it returns; at least 2.
        size: (H, W) of the images.

    Raises:
        UsageError: there is no such recognizer, or it cannot take such images.
    """
    return recognizers.build(name, channels=channels, classes=classes, size=size)


def find_attribution(name: str) -> Algorithm:
    """The attribution algorithm of a name; ``explain(network, images)`` of it returns scores, float32 (N, 1, H, W).

    A method that wants the attributions of its party's teacher asks for them in ``requests``. This is for a network of
    the method's own.

    Raises:
        UsageError: there is no such algorithm; the message has the nearest name.
    """
    return algorithm.find(name)


def named_code(*, recognizer: str | None = None, attribution: str | None = None) -> dict[str, str]:
    """The code behind names: module → hash of it, library → version.

    Cache keys follow the imports of a plug-in, not names that it looks up. A plug-in that builds a recognizer or finds
    an algorithm by name returns this along with its ``release_parameters``.

    Raises:
        UsageError: nothing has that name.
    """
    modules = [] if recognizer is None else [recognizers.source_module(recognizer)]
    modules += [] if attribution is None else [algorithm.module_of(attribution)]
    sources, libraries = closure(modules)
    return {**sources, **libraries}
