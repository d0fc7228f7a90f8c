"""Run folders with something in every part of the page."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from maskbench.results.examples import Example
from maskbench.results.timings import COLUMNS
from maskbench.runfolder.folder import RunFolder
from planted_methods import Planted, planted

EVIL = "<script>document.title='owned'</script>"
"""What a plug-in may be called, and what its reason may say."""

SHAPES = {"raw": 3, "released": 3, "mask": 1, "restored": 3}


@cache
def full_run() -> RunFolder:
    """Ratios, a name that is markup, failed and missing attacks, pictures and times."""
    run = planted(
        *(Planted("random", keeps, leaks, 0.6 - ratio / 2, ratio, 0.5) for ratio, keeps, leaks in
          ((0.5, 0.8, 0.6), (0.75, 0.7, 0.5), (0.9, 0.6, 0.2))),
        *(Planted("saliency", keeps, leaks, 0.5 - ratio / 2, ratio, 0.7) for ratio, keeps, leaks in
          ((0.5, 0.92, 0.5), (0.75, 0.9, 0.3), (0.9, 0.8, 0.1))),
        Planted("pixelate", 0.85, 0.7, None),
        Planted("unattacked", 0.8, None, None),
        Planted(EVIL, 0.75, 0.4, status="failed"),
        seeds=2,
    )  # fmt: skip
    methods = ("random", EVIL)  # by the default ratio
    pictures = [_picture(method, example, shows) for method in methods for example in range(2) for shows in SHAPES]
    rows = [_stage(method, seed) for method in ("random", "saliency", EVIL) for seed in range(2)]
    provenance = run.provenance | {
        "attacks": ["restorer", "adaptive", "mask-only", "telea"],
        "methods": ["raw", "full-mask", *_at_ratios("random"), *_at_ratios("saliency"), "pixelate", EVIL],
        "command": f"maskbench run planted -m '{EVIL}'",
        "suite": {"name": "planted", "description": "All that a page can show."},
    }
    provenance["data"] = provenance["data"] | {
        "fingerprint": "0b7e9c3202d7",
        "sizes": {"owner_train": 400, "owner_test": 400},
    }
    return replace(
        run, pictures=tuple(pictures), timings=pd.DataFrame(rows, columns=list(COLUMNS)), provenance=provenance
    )


def _at_ratios(method: str) -> tuple[str, ...]:
    return f"{method}:ratio=0.5", method, f"{method}:ratio=0.9"


def _picture(method: str, example: int, shows: str) -> Example:
    pixels = np.random.default_rng(example).integers(0, 255, (SHAPES[shows], 16, 16), dtype=np.uint8)
    restored = shows == "restored"
    return Example(
        method, example, shows, "restorer" if restored else "", 0.5 if restored else None, pixels // (1 + restored)
    )


def _stage(method: str, seed: int) -> dict[str, object]:
    known = {"stage": "release", "title": f"release {method} · owner · seed {seed}", "source": "stored", "seconds": 0.5}
    return known | {"device": "AMD EPYC (1 thread)", "peak_memory": 5e8}
