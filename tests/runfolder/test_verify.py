"""A bundle verifies as a run wrote it, and none does in which anything was changed, checksums made anew or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import maskbench as mb
import pandas as pd
import pytest
from maskbench.results.schema import SCHEMA_VERSION
from maskbench.runfolder import checksums
from maskbench.runfolder.folder import RunFolder
from maskbench.runfolder.verification.consistency import inconsistencies
from maskbench.runfolder.verification.recomputed import recompute
from tiny import command

ONCE = {"epochs": 1}

SUITE: dict[str, Any] = {
    "name": "bundled",
    "data": {"source": "digits", "limit": 120, "size": 16},
    "methods": ["random"],
    "attacks": ["released", "mean-fill", "adaptive"],
    "seeds": 1,
    "settings": {"scored": 16, "recognition": ONCE, "attack": ONCE, "restoration": ONCE},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> mb.Run:
    """A small run, as it is written."""
    root = tmp_path_factory.mktemp("bundle")
    return mb.run(SUITE, out=root / "out", store=root / "store", device="cpu", progress=False)


@pytest.fixture
def bundle(run: mb.Run, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(run.path, tmp_path / "bundle"))


def rewrite(bundle: Path, change: Callable[[RunFolder], RunFolder]) -> None:
    """Change what a folder holds and write it anew with checksums that fit: what a forger would do."""
    results = change(RunFolder.read(bundle))
    shutil.rmtree(bundle)
    results.write(bundle)


def test_a_run_verifies_as_it_was_written(run: mb.Run) -> None:
    found = mb.verify(run.path)
    assert found.problems == ()
    assert found.verified and found.rows == len(run.cells)
    # A checkout with changes is one whose code nobody else has.
    assert all("checkout" in note for note in found.notes)


def test_what_may_be_left_out_is_said(bundle: Path) -> None:
    (bundle / "cells.csv").unlink()
    shutil.rmtree(bundle / "pictures")
    shutil.rmtree(bundle / "tables")
    found = mb.verify(bundle)
    assert found.verified
    assert any(note.startswith("Left out of the bundle, and not needed: cells.csv, pictures/") for note in found.notes)


def _at(cells: pd.DataFrame, **where: object) -> pd.Index:
    """The rows of recognition over all seeds, or of what else is asked for."""
    chosen = cells[cells["seed"].isna() & (cells["status"] == "ok")]
    for name, value in {"method": "random", **where}.items():
        chosen = chosen[chosen[name] == value]
    return chosen.index[:1]


def _cell(column: str, by: float) -> Callable[[RunFolder], RunFolder]:
    def change(run: RunFolder) -> RunFolder:
        cells = run.cells.copy()
        cells.loc[_at(cells, metric="accuracy", attack="adaptive"), column] += by
        return replace(run, cells=cells)

    return change


def _other_choice(run: RunFolder) -> RunFolder:
    cells = run.cells.copy()
    rows = _at(cells, attack="strongest", attack_kind="restoration")
    cells.loc[rows, "chosen"] = "released" if cells.loc[rows, "chosen"].iloc[0] != "released" else "mean-fill"
    return replace(run, cells=cells)


def _no_row(run: RunFolder) -> RunFolder:
    return replace(run, cells=run.cells.drop(index=_at(run.cells, metric="accuracy", attack="adaptive")))


def _row_twice(run: RunFolder) -> RunFolder:
    twice = run.cells.loc[_at(run.cells, metric="accuracy", attack="adaptive")]
    return replace(run, cells=pd.concat([run.cells, twice]))


def _no_cell(run: RunFolder) -> RunFolder:
    """The attack on one method gone from every file but the timings, and the numbers computed anew."""
    gone = [(part["method"] == "random") & (part["attack"] == "adaptive") for part in (run.cells, run.samples)]
    return replace(run, cells=run.cells[~gone[0]], samples=run.samples[~gone[1]])


def _no_samples(run: RunFolder) -> RunFolder:
    first = run.samples["number"].iloc[0]
    gone = (run.samples["number"] == first) & (run.samples["method"] == "random")
    return replace(run, samples=run.samples[~gone])


def _other_samples(run: RunFolder) -> RunFolder:
    samples = run.samples.copy()
    mine = (samples["method"] == "random") & (samples["attack"] == "adaptive") & (samples["correct"] == 1)
    samples.loc[samples.index[mine][:1], "correct"] = 0.0
    return replace(run, samples=samples)


def _other_images(run: RunFolder) -> RunFolder:
    samples = run.samples.copy()
    samples["number"] = samples["number"].where(samples["split"] != "owner_test", samples["number"] + 5000)
    return replace(run, samples=samples)


def _one_image_in_two_splits(run: RunFolder) -> RunFolder:
    samples = run.samples.copy()
    train = samples.loc[samples["split"] == "owner_train", "number"].iloc[0]
    test = samples.loc[samples["split"] == "owner_test", "number"].iloc[0]
    samples["number"] = samples["number"].replace(test, train)
    return replace(run, samples=samples)


def _no_scores(run: RunFolder) -> RunFolder:
    return replace(run, samples=run.samples[run.samples["split"] != "validation"])


def _no_flags(run: RunFolder) -> RunFolder:
    assert run.flags
    return replace(run, flags=())


def _provenance(*path: str, value: object) -> Callable[[RunFolder], RunFolder]:
    def change(run: RunFolder) -> RunFolder:
        provenance = json.loads(json.dumps(run.provenance))
        within = provenance
        for name in path[:-1]:
            within = within[name]
        within[path[-1]] = value
        return replace(run, provenance=provenance)

    return change


NUMBERS: dict[str, tuple[Callable[[RunFolder], RunFolder], str]] = {
    "a value": (_cell("value", 0.01), "The value of accuracy of random 0.75 × adaptive"),
    "an interval": (_cell("ci_low", 0.01), "The interval of accuracy of random 0.75 × adaptive"),
    "the strongest attack": (_other_choice, "The strongest attack of "),
    "a row is gone": (_no_row, "has no row for accuracy of random"),
    "a row twice": (_row_twice, "has rows twice: accuracy of random"),
    "samples": (_other_samples, "The value of accuracy of random 0.75 × adaptive"),
    "the scores that chose": (_no_scores, "lacks the scores by which the strongest attacks were chosen"),
    "all samples": (lambda run: replace(run, samples=run.samples[:0]), "samples.parquet is empty"),
    "a column": (lambda run: replace(run, samples=run.samples.drop(columns="number")), "does not give cells.parquet"),
    "flags": (_no_flags, "flags.json has 0 flags"),
}
"""What was changed → the change, and what is said of it when numbers are computed again."""

REST: dict[str, tuple[Callable[[RunFolder], RunFolder], str]] = {
    "a cell is gone": (_no_cell, "scored cells that cells.parquet lacks"),
    "samples are gone": (_no_samples, "are not all of the same images"),
    "samples": (_other_samples, "answers in samples.parquet are called right or wrong, and are not"),
    "the images of a split": (_other_images, "The images of owner_test in samples.parquet are not those"),
    "an image in two splits": (_one_image_in_two_splits, "images are in owner_test and in owner_train"),
    "a column of samples": (
        lambda run: replace(run, samples=run.samples.drop(columns="number")),
        "samples.parquet has no column number",
    ),
    "the fingerprint of a split": (
        _provenance("data", "splits", "owner_test", value="0" * 16),
        "The images of owner_test in samples.parquet are not those of the fingerprint",
    ),
    "the name of the data": (_provenance("data", "name", value="cifar10"), "has the dataset digits, and run.json"),
    "the sizes of the splits": (_provenance("data", "sizes", "owner_test", value=3), "images of owner_test, and run"),
    "the coverage": (_provenance("coverage", "failed", value=1), "and run.json"),
    "no fingerprints of splits": (_provenance("data", "splits", value=None), "no fingerprints of the splits"),
}
"""The same, of what files say of each other."""


@pytest.mark.parametrize("what", NUMBERS)
def test_numbers_that_samples_do_not_give_are_found(what: str, run: mb.Run) -> None:
    change, message = NUMBERS[what]
    assert message in " ".join(recompute(change(run.results)).problems)


@pytest.mark.parametrize("what", REST)
def test_files_that_contradict_each_other_are_found(what: str, run: mb.Run) -> None:
    change, message = REST[what]
    assert message in " ".join(inconsistencies(change(run.results)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_cell("value", 0.01), "The value of accuracy of random"),
        (_no_cell, "scored cells that cells.parquet lacks"),
        (_provenance("data", "sizes", value=None), "do not fit together"),
        (_provenance("schema_version", value=SCHEMA_VERSION - 1), "of the run folder's schema"),
    ],
)
def test_what_was_changed_is_refused_though_checksums_fit(
    bundle: Path, change: Callable[[RunFolder], RunFolder], message: str
) -> None:
    rewrite(bundle, change)
    assert message in " ".join(mb.verify(bundle).problems)


def files(bundle: Path) -> Iterator[str]:
    """The files that a run writes, tables and figures aside."""
    for line in (bundle / checksums.CHECKSUMS).read_text().splitlines():
        yield line.partition("  ")[2]


def test_a_file_that_was_touched_is_named(bundle: Path) -> None:
    """Whatever it holds: the provenance, times and pictures cannot be computed again."""
    assert {"run.json", "timings.csv", "pictures/0000.png"} <= set(files(bundle))
    about = json.loads((bundle / "run.json").read_text())
    about["data"]["fingerprint"] = "0" * 64
    (bundle / "run.json").write_text(json.dumps(about))
    with (bundle / "timings.csv").open("a") as file:
        file.write("\n")
    assert mb.verify(bundle).problems == (
        "run.json is not what the run wrote: its checksum differs.",
        "timings.csv is not what the run wrote: its checksum differs.",
    )


def test_checksums_that_say_nothing_are_refused(bundle: Path) -> None:
    place = bundle / checksums.CHECKSUMS
    place.write_text("not a checksum\n")
    with pytest.raises(ValueError, match="a line that is no checksum: 'not a checksum'"):
        checksums.compare(bundle)
    place.write_text(f"{'0' * 64}  ../run.json\n")
    with pytest.raises(ValueError, match="a file outside of the folder"):
        checksums.compare(bundle)
    place.write_text("")
    assert "SHA256SUMS does not name run.json." in mb.verify(bundle).problems
    place.unlink()
    assert "There is no SHA256SUMS in it" in mb.verify(bundle).problems[0]


def test_a_table_for_other_programs_says_the_same(bundle: Path) -> None:
    text = (bundle / "cells.csv").read_text()
    (bundle / "cells.csv").write_text(text.replace("random", "mine"))
    assert "cells.csv does not hold what cells.parquet holds." in mb.verify(bundle).problems


def test_other_code_is_a_note_and_no_problem(bundle: Path) -> None:
    def older(run: RunFolder) -> RunFolder:
        code = dict(run.provenance["code"])
        first = next(iter(code))
        return replace(run, provenance={**run.provenance, "code": {**code, first: "0" * 16}, "maskbench": "0.0.1"})

    rewrite(bundle, older)
    found = mb.verify(bundle)
    assert found.verified
    assert "It was made with maskbench 0.0.1" in found.notes[0]
    assert "1 of " in found.notes[1] and "a run of today may find other numbers" in found.notes[1]


def test_the_command_says_it_and_exits_by_it(run: mb.Run, bundle: Path, tmp_path: Path) -> None:
    good = command("verify", str(run.path))
    assert good.returncode == 0, good.stderr
    assert f"verifies: {len(run.cells)} rows of cells computed again" in good.stdout
    rewrite(bundle, _cell("value", 0.01))
    both = command("verify", str(run.path), str(bundle))
    assert both.returncode == 1
    assert "does not verify" in both.stdout and "verifies:" in both.stdout
    none = command("verify", str(tmp_path / "nowhere"))
    assert none.returncode == 2
    assert "is no folder: there is no run.json in it" in none.stderr
