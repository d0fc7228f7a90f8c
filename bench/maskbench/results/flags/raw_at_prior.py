"""A recognizer of raw images that tells no more than the prior: then there is no utility that a method could keep."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.reserved import RECOGNITION
from maskbench.results.flags.kind import Finding, FlagKind, Judged, percent
from maskbench.results.reading import pooled, read


def _find(judged: Judged) -> Iterator[Finding]:
    rows = pooled(judged.cells)
    rows = rows[(rows["attack"] == RECOGNITION) & (rows["split"] == "owner_test")]
    accuracy = read(rows, "accuracy")
    if accuracy and (rows["metric"] == "utility").any() and read(rows, "utility") is None:
        yield "", "target", f"accuracy {percent(accuracy)} on raw images, no more than the prior: utility is not shown"


FLAGS = (
    FlagKind(
        "raw-at-prior",
        "Q",
        "warning",
        "the recognizer learned nothing from raw images",
        "Train it longer (settings.recognition.epochs) or on more images, or choose another target label.",
        _find,
        roles=("raw",),
    ),
)
