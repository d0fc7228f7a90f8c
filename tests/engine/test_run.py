"""A whole run in small: what is shared, stored, repeated and reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maskbench.artifacts.store import Store
from maskbench.executors.local import LocalExecutor
from maskbench.report.write import write_report_and_figures, write_tables
from maskbench.results.execute import execute
from maskbench.results.measure import measure, planned_of
from maskbench.runfolder.folder import RunFolder
from tiny import CPU, EVERYTHING, Log, command, pooled, run, tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a tiny run of every built-in attack, with its store beside it."""
    root = tmp_path_factory.mktemp("everything")
    methods = ("random", "saliency", "saliency:adjust=masknet", "pixelate")
    result, log = run(tiny(methods, EVERYTHING, seeds=2), root / "store")
    assert log.outcomes["failed"] == []
    result.folder.write(root / "out")
    write_tables(RunFolder.read(root / "out"), root / "out")
    write_report_and_figures(RunFolder.read(root / "out"), root / "out")
    return root


def test_all_files_are_there(folder: Path) -> None:
    expected = [
        "cells.parquet",
        "cells.csv",
        "samples.parquet",
        "timings.csv",
        "run.json",
        "flags.json",
        "pictures/pictures.json",
        "tables/summary.md",
        "tables/summary.csv",
        "tables/attacks-inference.md",
        "tables/attacks-restoration.tex",
        "report.html",
        "tables/timing.md",
        "figures/accuracy-against-leakage.png",
        "figures/accuracy-against-leakage.svg",
        "figures/pictures.png",
    ]
    assert [name for name in expected if not (folder / "out" / name).is_file()] == []


def test_cells_are_tidy(folder: Path) -> None:
    cells = pd.read_parquet(folder / "out" / "cells.parquet")
    assert set(cells["status"]) == {"ok"}
    keys = ["method", "params", "ratio", "attack", "attack_kind", "label", "seed", "split", "metric"]
    assert not cells.duplicated(keys).any()
    finite = cells[np.isfinite(cells["ci_low"])]
    # utility and advantage of a resample may lie on one side of the value, but never the wrong way round.
    assert (finite["ci_low"] <= finite["ci_high"] + 1e-12).all()
    assert set(cells["direction"]) == {"higher", "lower"}
    raw = pooled(cells, method="raw", metric="utility")
    assert raw["value"].tolist() == [1.0]
    found = cells[(cells["attack_kind"] == "inference") & (cells["metric"] != "late_fall")]
    assert set(found["direction"]) == {"lower"}


def test_samples_give_the_values_of_the_cells(folder: Path) -> None:
    cells = pd.read_parquet(folder / "out" / "cells.parquet")
    samples = pd.read_parquet(folder / "out" / "samples.parquet")
    row = pooled(cells, method="random", attack="restorer", split="owner_train", metric="ssim_hole").iloc[0]
    mine = samples[
        (samples["method"] == "random") & (samples["attack"] == "restorer") & (samples["split"] == "owner_train")
    ]
    assert len(mine) == 2 * row["n"]
    assert mine["ssim_hole"].mean() == pytest.approx(row["value"], abs=1e-6)


def test_every_number_can_be_made_again_from_the_samples(folder: Path) -> None:
    run = RunFolder.read(folder / "out")
    again = measure(planned_of(run.cells), run.samples, run.classes)
    pd.testing.assert_frame_equal(again, run.cells, check_exact=True)


def test_samples_hold_what_attacks_believe_and_are_chosen_by(folder: Path) -> None:
    samples = RunFolder.read(folder / "out").samples
    inferred = samples[(samples["attack_kind"] == "inference") & (samples["split"] != "validation")]
    beliefs = np.stack(inferred.loc[inferred["label"] == "sensitive", "probabilities"].to_list())
    assert beliefs.shape[1] == 10 and np.allclose(beliefs.sum(1), 1, atol=1e-5)
    judged = samples[samples["split"] == "validation"]
    assert set(judged["attack_kind"]) == {"restoration", "inference"}
    assert judged["score_owner_train"].notna().any()


def test_a_report_is_made_again_from_the_folder_alone(folder: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(folder / "out", tmp_path / "moved")
    shutil.rmtree(moved / "tables")
    shutil.rmtree(moved / "figures")
    done = command("report", str(moved), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("tables", "figures"):
        assert {path.name for path in (moved / name).iterdir()} == {
            path.name for path in (folder / "out" / name).iterdir()
        }
    for path in (folder / "out" / "tables").iterdir():
        assert (moved / "tables" / path.name).read_bytes() == path.read_bytes(), path.name


def test_provenance_holds_no_path(folder: Path) -> None:
    text = (folder / "out" / "run.json").read_text()
    record = json.loads(text)
    assert str(Path.home()) not in text
    assert str(folder) not in text
    assert record["coverage"]["failed"] == 0
    assert {"torch", "numpy", "captum"} <= set(record["libraries"])
    assert record["suite"]["seeds"] == 2


def test_adjustments_share_release_and_attacks(folder: Path) -> None:
    timings = pd.read_csv(folder / "out" / "timings.csv")
    assert not timings["title"].str.contains("masknet")[timings["stage"] == "release"].any()
    saliency = timings["title"].str.startswith("restoration restorer of saliency")
    assert saliency.sum() == 2  # one for each seed
    assert (timings["title"].str.startswith("teacher · owner · target")).sum() == 2


def test_a_second_run_finds_everything(folder: Path) -> None:
    methods = ("random", "saliency", "saliency:adjust=masknet", "pixelate")
    again, log = run(tiny(methods, EVERYTHING, seeds=2), folder / "store")
    assert log.outcomes["computed"] == []
    first = pd.read_parquet(folder / "out" / "cells.parquet")
    pd.testing.assert_frame_equal(again.cells, first)


def test_a_repeated_seed_is_bit_equal_and_another_is_not(folder: Path, tmp_path: Path) -> None:
    suite = tiny(("random",), ("restorer", "adaptive"), seeds=2)
    here, _ = run(suite, folder / "store")
    there, log = run(suite, tmp_path)
    assert log.outcomes["stored"] == []
    pd.testing.assert_frame_equal(here.samples, there.samples)
    samples = there.samples
    restored = samples[(samples["attack"] == "restorer") & (samples["method"] == "random")]
    first, second = (restored.loc[restored["seed"] == seed, "psnr"].to_numpy() for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_a_flipped_byte_anywhere_is_found_and_the_artifact_made_again(tmp_path: Path) -> None:
    suite = tiny(("random",), ("released",))
    before, _ = run(suite, tmp_path)
    titles = {outcome.step.key: outcome.step.stage.title() for outcome in before.execution.outcomes.values()}
    for key, title in titles.items():
        for name in ("artifact.json", "tensors.safetensors"):
            path = tmp_path / "objects" / key[:2] / key / name
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
            log = Log()
            execute(suite, LocalExecutor(Store(tmp_path), CPU), log)
            assert log.outcomes["computed"] == [title], name
            assert path.read_bytes() != bytes(content)
    after, _ = run(suite, tmp_path)
    pd.testing.assert_frame_equal(after.cells, before.cells)


def test_why_tells_what_changed(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(tiny(("random",), ("released",)), store)
    after, _ = run(tiny(("random",), ("released",), settings={"scored": 32, "recognition": {"epochs": 3}}), store)
    key = next(
        outcome.step.key
        for outcome in after.execution.outcomes.values()
        if outcome.step.stage.title().startswith("scoring recognition random")
    )
    done = command("why", key[:12], "--store", str(store))
    assert done.returncode == 0, done.stderr
    assert "parameter training" in done.stdout
    assert "'epochs': 2" in done.stdout
    assert "'epochs': 3" in done.stdout
    missing = command("why", "ffff", "--store", str(store))
    assert missing.returncode == 2
    assert "No artifact's key starts with 'ffff'" in missing.stderr
