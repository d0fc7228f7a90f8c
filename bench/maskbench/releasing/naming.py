"""What pictures are called in a release: their own names, or numbers whose list stays with the owner."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskbench.data.paths import shown
from maskbench.releasing.private import write_private
from maskbench.releasing.secret import Secret


def number(names: Sequence[str], secret: Secret, remembered: Path) -> dict[str, str]:
    """Number pictures in random order; those that were numbered before keep their number.

    Args:
        names: the pictures of the source.
        secret: decides the order.
        remembered: the file that keeps the numbers until the release is finished.

    Returns:
        Name → number, with leading zeros.
    """
    before: dict[str, str] = json.loads(remembered.read_text(encoding="utf-8")) if remembered.is_file() else {}
    new = secret.shuffled(name for name in names if name not in before)
    digits = max([len(str(len(names))), *(len(text) for text in before.values())])
    first = max((int(text) for text in before.values()), default=0) + 1
    numbers = before | {name: f"{first + place:0{digits}}" for place, name in enumerate(new)}
    write_private(remembered, json.dumps(numbers).encode())
    return numbers


def list_beside(destination: Path) -> Path:
    """Where the list of numbers and names is kept: beside the destination, never in it."""
    return destination.with_name(f"{destination.name}.names.csv")


def write_list(path: Path, numbers: Mapping[str, str], present: set[str]) -> None:
    """Write the list of the pictures that are released."""
    text = io.StringIO(newline="")
    rows = sorted((numbers[name], shown(name)) for name in present)
    csv.writer(text, lineterminator="\n").writerows([("number", "name"), *rows])
    write_private(path, text.getvalue().encode())
