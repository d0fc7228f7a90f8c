"""A run folder comes back as it was written; what is no run folder, or another schema's, is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maskbench import UsageError
from maskbench.results.examples import Example
from maskbench.results.schema import CELL, PROBABILITIES, SCHEMA_VERSION
from maskbench.runfolder.folder import RunFolder
from planted_runs import planted_run

ROW = {
    "method": "random",
    "ratio": 0.75,
    "role": "method",
    "attack": "adaptive",
    "attack_kind": "inference",
    "label": "sensitive",
    "aux_share": 1.0,
    "split": "owner_train",
    "metric": "advantage",
    "value": 1 / 3,
    "status": "ok",
}


@pytest.fixture
def run() -> RunFolder:
    """A run with a flag, samples of two kinds, a failure and pictures of one and of three channels."""
    grey, colour = (
        np.arange(size, dtype=np.uint8).reshape(shape) for size, shape in ((64, (1, 8, 8)), (192, (3, 8, 8)))
    )
    pictures = [
        Example("random:ratio=0.75", 0, "raw", "", None, colour),
        Example("random:ratio=0.75", 0, "mask", "", None, grey),
        Example("random:ratio=0.75", 0, "restored", "a/b:c", 0.125, colour),
    ]
    rows = [ROW, {**ROW, "seed": 0}, {**ROW, "seed": 0, "attack": "lama", "status": "failed", "reason": "kaboom"}]
    found = planted_run(rows, pictures)
    cell = {name: ROW.get(name, "") for name in CELL}
    samples = pd.DataFrame([{**cell, "seed": 0, "split": "owner_train", "number": number} for number in range(3)])
    samples[PROBABILITIES] = [np.array([0.25, 0.75], dtype=np.float32), None, None]
    return replace(found, samples=samples, failures="Traceback …\n")


def test_it_comes_back_as_it_was(run: RunFolder, tmp_path: Path) -> None:
    run.write(tmp_path / "run")
    again = RunFolder.read(tmp_path / "run")
    pd.testing.assert_frame_equal(again.cells, run.cells)
    assert again.provenance == run.provenance
    assert [flag.record() for flag in again.flags] == [flag.record() for flag in run.flags] != []
    assert again.failures == run.failures
    assert len(again.samples) == 3
    np.testing.assert_array_equal(again.samples[PROBABILITIES].iloc[0], np.float32([0.25, 0.75]))
    assert again.samples[PROBABILITIES].iloc[1] is None
    for there, here in zip(again.pictures, run.pictures, strict=True):
        assert (there.method, there.shows, there.attack, there.score) == (
            here.method,
            here.shows,
            here.attack,
            here.score,
        )
        np.testing.assert_array_equal(there.pixels, here.pixels)


def test_without_pictures_no_raw_image_is_in_it(run: RunFolder, tmp_path: Path) -> None:
    replace(run, pictures=()).write(tmp_path / "run")
    assert not list(tmp_path.rglob("*.png"))
    assert RunFolder.read(tmp_path / "run").pictures == ()


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_another_schema_is_refused_with_what_to_do(run: RunFolder, tmp_path: Path, version: int) -> None:
    replace(run, provenance={**run.provenance, "schema_version": version}).write(tmp_path / "run")
    with pytest.raises(UsageError, match=f"version {version} .* reads version {SCHEMA_VERSION}: run the suite again"):
        RunFolder.read(tmp_path / "run")


@pytest.mark.parametrize("name", ["cells.parquet", "samples.parquet", "timings.csv", "flags.json"])
def test_what_is_missing_is_named(run: RunFolder, tmp_path: Path, name: str) -> None:
    run.write(tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(UsageError, match=f"not complete: there is no {name}"):
        RunFolder.read(tmp_path / "run")


@pytest.mark.parametrize("name", ["cells.parquet", "samples.parquet", "flags.json", "run.json"])
def test_what_is_damaged_is_one_message(run: RunFolder, tmp_path: Path, name: str) -> None:
    run.write(tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"\x00{")
    with pytest.raises(UsageError, match=r"damaged|cannot be read"):
        RunFolder.read(tmp_path / "run")


def test_a_column_that_is_gone_is_named(run: RunFolder, tmp_path: Path) -> None:
    run.write(tmp_path / "run")
    run.cells.drop(columns="learns_from").to_parquet(tmp_path / "run" / "cells.parquet")
    with pytest.raises(UsageError, match="has no column learns_from"):
        RunFolder.read(tmp_path / "run")


def test_another_folder_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run folder: there is no run\.json"):
        RunFolder.read(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        RunFolder.read(tmp_path / "nowhere")


def test_an_index_does_not_lead_out_of_the_folder(run: RunFolder, tmp_path: Path) -> None:
    run.write(tmp_path / "run")
    index = tmp_path / "run" / "pictures" / "pictures.json"
    entries = json.loads(index.read_text())
    shutil.copy(tmp_path / "run" / "pictures" / "0000.png", tmp_path / "outside.png")
    entries[0]["file"] = "../../outside.png"
    index.write_text(json.dumps(entries))
    with pytest.raises(UsageError, match=r"outside\.png"):
        RunFolder.read(tmp_path / "run")
