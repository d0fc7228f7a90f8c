"""What changed is named from the keys: the attack's code is not the method's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maskbench.artifacts.fingerprint import digest
from maskbench.gate.causes import NOTHING
from maskbench.gate.compare import compare, row_name
from maskbench.gate.report import markdown
from maskbench.runfolder.folder import RunFolder
from numpy.typing import NDArray
from planted_pairs import IMAGES, lower, run

_LUCK = (np.random.default_rng(1).random(IMAGES) < 0.7).astype(float)


def traced(folder: RunFolder, **code: str) -> RunFolder:
    """The run with a stage graph: data → release → inference or restoration → scoring; ``code`` by kind of stage."""
    rows = []
    cells = folder.cells[folder.cells["stage_key"] != ""].drop_duplicates("stage_key")
    keys = {}
    for cell in cells.to_dict("records"):
        name = f"{cell['method']} {cell['seed']}"
        kind = {"none": "recognition", "restoration": "restoration"}.get(cell["attack_kind"], "inference")
        release = _key("release", name, code)
        attack = _key(kind, f"{name} {cell['attack']}", code, release)
        scoring = _key("scoring", f"{name} {cell['attack']}", code, attack)
        rows += [
            _row("release", release, code, ""),
            _row(kind, attack, code, f"release/owner={release[:16]}"),
            _row("scoring", scoring, code, f"inference/0={attack[:16]}"),
        ]
        keys[cell["stage_key"]] = scoring
    named = folder.cells.assign(stage_key=folder.cells["stage_key"].map(lambda key: keys.get(key, "")))
    return replace(folder, cells=named, timings=pd.DataFrame(rows).drop_duplicates())


def _key(kind: str, name: str, code: dict[str, str], of: str = "") -> str:
    return digest([kind, name, code.get(kind, "old"), of])


def _row(kind: str, key: str, code: dict[str, str], inputs: str) -> dict[str, object]:
    made = {"libraries": "", "parameters": "p", "sources": code.get(kind, "old"), "inputs": inputs}
    times = {"title": key, "source": "computed", "seconds": 1.0, "device": "a processor", "alone": True}
    return {"stage": kind, "key": key, **made, **times}


def stronger(cell: dict[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The adaptive attack gets more from every method."""
    return values if cell["attack"] != "adaptive" else (values + (values == 0) * _LUCK > 0.5).astype(float)


def test_a_stronger_attack_is_no_regression_of_the_method() -> None:
    old, new = run(range(12), key="k"), run(range(5), key="k", change=stronger)
    found = compare(traced(old), traced(new, inference="new"))
    assert found.exit_code == 0, found.causes
    apart = [each for each in found.judged if each.verdict == "stronger attack"]
    assert any(row_name(each).startswith("mine 75% × adaptive") for each in apart)
    assert {cause for each in apart for cause in each.row.causes} == {"attack code"}
    assert "baseline update" in markdown(found)


def test_the_same_rise_after_a_change_of_the_method_is_a_regression() -> None:
    old, new = run(range(12), key="k"), run(range(5), key="k", change=stronger)
    found = compare(traced(old), traced(new, release="new"))
    assert found.exit_code == 1
    assert any("method code" in each.row.causes for each in found.regressed)


def test_a_weaker_attack_on_the_same_releases_is_suspected() -> None:
    old, new = run(range(12), key="k"), run(range(5), key="k", change=lower("mine", "adaptive", 0.3))
    found = compare(traced(old), traced(new, inference="new"))
    assert found.exit_code == 1
    assert "attack broken?" in markdown(found)


def test_what_keys_do_not_tell_is_said() -> None:
    assert "not known" in markdown(compare(run(range(12)), run(range(20, 25))))
    other = compare(run(range(12), key="k"), run(key="k", change=lower("mine", "none", 0.2)))
    assert NOTHING in markdown(other)


def test_slower_stages_are_a_warning_unless_asked_for() -> None:
    old = traced(run(range(3), key="k"))
    late = traced(run(range(3), key="k"), release="new")
    slow = replace(late, timings=late.timings.assign(seconds=2.0, title=late.timings["stage"]))
    before = replace(old, timings=old.timings.assign(title=old.timings["stage"]))
    assert compare(before, slow).exit_code == 0
    assert compare(before, slow).slower
    found = compare(before, slow, timing=1.5)
    assert found.exit_code == 1
    assert "slower" in found.causes
    with pytest.raises(Exception, match="above 1"):
        compare(before, slow, timing=0.5)
