"""Which picture a name means that somebody wrote into a table, or that a tool gave to its output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

Rule = Callable[[PurePosixPath], str]

_RULES: tuple[Rule, ...] = (
    str,  # the relative path
    lambda path: str(path.with_suffix("")),  # the same, of another format
    lambda path: path.name,
    lambda path: path.stem,
)
"""How two names are held together, the strictest first."""

_OWN: tuple[Rule, Rule] = (str, lambda path: str(path.with_suffix("")))
"""What ``maskbench desensitize`` calls ``a.jpg`` beside an ``a.png``: ``a.jpg.png``."""


def matched(names: Sequence[PurePosixPath], files: Sequence[PurePosixPath]) -> dict[int, int]:
    """Find the file that each name means: the same relative path, the same without its ending, the same name, or stem.

    The stricter rule goes first, and what it finds is taken. A rule finds a file only where no other name or file that
    is left looks the same to it: nothing is guessed.

    Returns:
        Place of a name → place of its file; names without one are missing.
    """
    found: dict[int, int] = {}
    free_names, free_files = set(range(len(names))), set(range(len(files)))
    for of_name, of_file in ((_RULES[0], _RULES[0]), _OWN, *((rule, rule) for rule in _RULES[1:])):
        left = _single((place, of_name(names[place])) for place in sorted(free_names))
        right = _single((place, of_file(files[place])) for place in sorted(free_files))
        for text, place in left.items():
            if text in right:
                found[place] = right[text]
                free_names.discard(place)
                free_files.discard(right[text])
    return found


def some(names: Iterable[object], most: int = 3) -> str:
    """The first names of a list, for a message: ``a.jpg, b.jpg, c.jpg, …``."""
    listed = [str(name) for name in names]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")


def _single(written: Iterable[tuple[int, str]]) -> Mapping[str, int]:
    """What only one place looks like → that place."""
    places: dict[str, list[int]] = {}
    for place, text in written:
        places.setdefault(text, []).append(place)
    return {text: found[0] for text, found in places.items() if len(found) == 1}
