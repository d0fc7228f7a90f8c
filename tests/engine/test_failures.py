"""A plug-in that breaks its contract fails its own cells, by name and reason, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import command

BROKEN = '''
from typing import ClassVar
import torch
from maskbench import Method, Release, RestorationAttack, Unavailable


def method(name, function, masked=True, promised=None):
    body = {
        "__module__": __name__, "__annotations__": {"name": ClassVar[str], "masked": ClassVar[bool]},
        "name": name, "masked": masked, "desensitize": lambda self, images, given: function(images),
        "promised_ratio": lambda self: promised,
    }
    return type(name.title().replace("-", ""), (Method,), body)


def ones(images, value=1.0):
    return torch.full_like(images[:, :1], value)


def boom(images):
    raise RuntimeError("kaboom")


Raises = method("raises", boom)
Nan = method("nan", lambda images: Release(images * float("nan"), ones(images)))
Shape = method("shape", lambda images: Release(images[:, :, 1:], ones(images)))
Outside = method("outside", lambda images: Release(images + 1, ones(images)))
Grey = method("grey", lambda images: Release(images, ones(images, 0.5)))
Ratio = method("ratio", lambda images: Release(images, ones(images)), promised=0.9)


class NotOnTheseData(Method):
    """Finds out in fit that the data will not do."""

    name: ClassVar[str] = "not-on-these-data"

    def fit(self, owner):
        raise Unavailable("these data have no identities")

    def desensitize(self, images, given):
        return Release(images)


class BadRestorer(RestorationAttack):
    """Answers with NaN."""

    name: ClassVar[str] = "bad-restorer"

    def restore(self, release, device):
        return release.images * float("nan")


class Absent(RestorationAttack):
    """Is not there."""

    name: ClassVar[str] = "absent"

    def unavailable(self):
        return "its weights are missing: put them into FOLDER"

    def restore(self, release, device):
        return release.images
'''

REASONS = {
    "raises": "RuntimeError: kaboom",
    "nan": "NaN or infinite",
    "shape": "returned images of shape",
    "outside": "outside [0, 1]",
    "grey": "not binary",
    "ratio": "promised to hide 0.9",
}


@pytest.mark.slow
def test_each_failure_is_its_own_cell(tmp_path: Path) -> None:
    import pandas as pd

    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "suite.yaml").write_text(
        "data: {source: digits, limit: 300}\nseeds: 1\n"
        f"methods: [raw, full-mask, random, not-on-these-data, {', '.join(REASONS)}]\n"
        "attacks: [released, bad-restorer, absent]\n"
        "settings: {scored: 32, recognition: {epochs: 1}, attack: {epochs: 1}, restoration: {epochs: 1}}\n"
    )
    done = command("run", "suite.yaml", "--plugin", "broken.py", "--out", "out", "--store", "store", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    cells = pd.read_parquet(tmp_path / "out" / "cells.parquet")
    wrong = []
    for name, reason in REASONS.items():
        mine = cells[(cells["method"] == name) & (cells["attack"] != "absent")]
        if not (mine["status"] == "failed").all() or not mine["reason"].str.contains(reason, regex=False)[:1].all():
            wrong.append((name, mine[["attack", "status", "reason"]].to_dict("records")))
    assert not wrong
    good = cells[cells["method"].isin(["raw", "full-mask", "random"]) & cells["attack"].isin(["none", "released"])]
    assert (good["status"] == "ok").all()
    bad_restorer = cells[(cells["attack"] == "bad-restorer") & (cells["method"] == "random")]
    assert bad_restorer["reason"].str.contains("attack 'bad-restorer' returned images with NaN", regex=False).all()
    absent = cells[(cells["attack"] == "absent") & (cells["method"] == "random")]
    assert set(absent["status"]) == {"unavailable"}
    assert absent["reason"].str.contains("put them into FOLDER").all()
    # The attack that failed could have been the worst: the worst case must not be taken over the others.
    worst = cells[(cells["attack"] == "strongest") & (cells["method"] == "random")]
    assert set(worst["status"]) == {"failed"}
    not_here = cells[(cells["method"] == "not-on-these-data") & (cells["attack"].isin(["none", "released"]))]
    assert set(not_here["status"]) == {"unavailable"}
    assert not_here["reason"].str.contains("no identities").all()
    assert "Coverage: 6 of 50 cells ok" in done.stdout
