"""What is told about a release to those who get it: how it was made, and nothing that is secret."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from maskbench.artifacts.fingerprint import closure
from maskbench.attributions.algorithm import module_of
from maskbench.data.own_output import MADE_BY, SCHEMA_VERSION
from maskbench.data.paths import shown
from maskbench.models.recognizers import source_module
from maskbench.releasing.fitted import Fitted
from maskbench.releasing.image_source import ImageSource, Writing
from maskbench.releasing.output import Record
from maskbench.version import own_version


def manifest(
    options: Mapping[str, Any], fitted: Fitted, source: ImageSource, records: Sequence[Record], writing: Writing
) -> dict[str, Any]:
    """The content of ``manifest.json``.

    Args:
        options: what was asked for, without paths and seeds.
        writing: how the release was written; names that do not leave are not in the manifest either.
    """
    method, soft = fitted.method, fitted.soft_labels()
    rules: Counter[str] = Counter()
    for record in records:
        rules.update(record.rules)
    numbers = writing.numbers

    def called(name: str) -> str:
        return shown(name) if numbers is None else numbers.get(name, name)

    errors = [{"file": called(name), "reason": reason} for record in records for name, reason in record.errors]
    not_used = dict(source.not_used)
    if numbers is not None:
        not_used["files"] = len(not_used["files"])
    return {
        "made_by": MADE_BY,
        "schema_version": SCHEMA_VERSION,
        "options": dict(options),
        "method": {
            "name": method.name,
            "source": method.source,
            "parameters": method.model_dump(mode="json"),
            "ratio": method.promised_ratio(),
            "releases_images_as_they_are": releases_raw(method),
            "learned_from": dict(fitted.learned_from) or None,
        },
        "seed": f"{fitted.seed_policy}; each image has random numbers of its own, keyed by a secret and its pixels",
        "masks": "255 is kept, 0 is hidden" if writing.masks else None,
        "soft_labels": soft.described(source.soft_labels) if soft is not None and writing.soft_labels else None,
        "names": "those of the source" if numbers is None else "random numbers; folders keep theirs",
        "images": {
            "source": source.total,
            "left_out_by_limit": source.total - len(source.chosen),
            "released": sum(record.released for record in records),
            "errors": len(errors),
        },
        "hidden": {"ratio_promised": method.promised_ratio(), "ratio_measured": _measured(records)},
        # Of one colour, or hidden where they were of one; named, because nothing else may leave as it came.
        "unchanged": None if releases_raw(method) else [called(name) for name in unchanged(records)],
        "conversions": dict(sorted(rules.items())),
        "errors": errors,
        "not_used": {
            **not_used,
            "parameters": _not_used(fitted, writing),
            "metadata": "EXIF, colour profiles, thumbnails, comments and further frames are in no output",
        },
        "versions": {"maskbench": own_version(), "python": platform.python_version(), **_libraries(fitted)},
    }


def _not_used(fitted: Fitted, writing: Writing) -> list[str]:
    """The parameters that shape nothing of the release; an adjustment does where it has soft labels."""
    used = set(fitted.method.release_parameters()) | (
        set(fitted.method.adaptation_parameters()) if writing.soft_labels else set()
    )
    return sorted(set(fitted.method.identity()) - used)


def releases_raw(method: Any) -> bool:
    """Whether images leave as they are: the raw control, or a mask that hides nothing."""
    return method.role == "raw" or method.promised_ratio() == 0


def unchanged(records: Sequence[Record]) -> list[str]:
    """The released images that came out as they went in, by their names in the source."""
    return [name for record in records for name in record.unchanged]


def _measured(records: Sequence[Record]) -> dict[str, float] | None:
    """The share of an image that its mask hides, over the released images; None where none has a mask."""
    hidden = [share for record in records for share in record.hidden]
    if not hidden:
        return None
    return {"mean": fmean(hidden), "least": min(hidden), "most": max(hidden)}


def _libraries(fitted: Fitted) -> dict[str, str]:
    roots = [__name__, "maskbench.releasing.command", type(fitted.method).__module__]
    roots += [module_of(request.algorithm) for request in fitted.method.requests()]
    roots += [source_module(teacher.recognizer) for teacher in fitted.teachers.values()]
    return closure(roots)[1]
