"""Shards that are merged give what one run of the whole suite gives, bit by bit; what does not fit is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import maskbench as mb
import pandas as pd
import pytest
from tiny import FAST, command

SUITE: dict[str, Any] = {
    "name": "parts",
    "data": {"source": "digits", "limit": 120, "size": 16},
    "methods": ["random", "random:adjust=masknet", "pixelate", "saliency:attribution=gradient"],
    "attacks": ["released", "telea", "adaptive", "mask-only"],
    "seeds": 2,
    "settings": {"scored": 16, "recognition": FAST, "attack": FAST, "restoration": FAST},
}
OF = 3
TABLES = ("summary", "strongest", "by-target", "flags", "attacks", "aux-curve")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> mb.Run:
    """A run of the whole suite."""
    root = tmp_path_factory.mktemp("whole")
    return mb.run(SUITE, out=root / "out", store=root / "store", device="cpu", progress=False)


@pytest.fixture(scope="module")
def shards(whole: mb.Run) -> list[Path]:
    """The suite in three shards: the first two share the store of the whole run, the third makes all of its own."""
    root = whole.path.parent
    for number in range(1, OF + 1):
        store = root / ("other" if number == OF else "store")
        place = root / f"shard{number}"
        mb.run(SUITE, shard=f"{number}/{OF}", out=place, store=store, device="cpu", progress=False)
    return [root / f"shard{number}" for number in range(1, OF + 1)]


@pytest.fixture(scope="module")
def joined(whole: mb.Run, shards: list[Path]) -> mb.Run:
    """The shards, merged in another order."""
    return mb.merge([shards[2], shards[0], shards[1]], out=whole.path.parent / "merged")


@pytest.mark.slow
def test_merged_shards_are_the_whole_run_bit_by_bit(whole: mb.Run, joined: mb.Run) -> None:
    pd.testing.assert_frame_equal(joined.cells, whole.cells, check_exact=True)
    pd.testing.assert_frame_equal(joined.samples, whole.samples, check_exact=True)
    assert [flag.record() for flag in joined.flags] == [flag.record() for flag in whole.flags]
    for name in ("cells.csv", *(f"tables/{table}.{kind}" for table in TABLES for kind in ("md", "csv"))):
        there, here = whole.path / name, joined.path / name
        assert there.is_file() == here.is_file(), name
        assert not there.is_file() or there.read_bytes() == here.read_bytes(), name
    assert {path.name for path in (joined.path / "tables").iterdir()} == {
        path.name for path in (whole.path / "tables").iterdir()
    }


@pytest.mark.slow
def test_merged_shards_hold_the_same_pictures(whole: mb.Run, joined: mb.Run) -> None:
    mine, theirs = (sorted((run.path / "pictures").iterdir()) for run in (joined, whole))
    assert [path.name for path in mine] == [path.name for path in theirs] and mine
    assert all(one.read_bytes() == two.read_bytes() for one, two in zip(mine, theirs, strict=True))


@pytest.mark.slow
def test_a_merged_run_says_what_it_was_merged_of(whole: mb.Run, joined: mb.Run) -> None:
    provenance = joined.provenance
    assert provenance["coverage"] == whole.provenance["coverage"]
    assert provenance["libraries"] == whole.provenance["libraries"]
    assert provenance["unavailable_metrics"] == whole.provenance["unavailable_metrics"]
    assert provenance["shards"]["missing"] == [] and "shard" not in provenance
    assert [each["number"] for each in provenance["shards"]["merged"]] == [1, 2, 3]
    assert set(joined.results.timings["key"]) == set(whole.results.timings["key"])


@pytest.mark.slow
def test_a_shard_says_that_it_is_one_and_holds_its_trials_alone(whole: mb.Run, shards: list[Path]) -> None:
    places: list[int] = []
    for number, path in enumerate(shards, 1):
        shard = mb.load(path)
        record = shard.provenance["shard"]
        assert (record["number"], record["of"], record["trials_in_all"]) == (number, OF, 12)
        places += [trial["place"] for trial in record["trials"]]
        assert f"Shard {number} of {OF} alone" in (path / "tables" / "summary.md").read_text()
        assert set(shard.cells["status"]) == {"ok"}
    assert sorted(places) == list(range(12))
    assert "Shard" not in (whole.path / "tables" / "summary.md").read_text()


@pytest.mark.slow
def test_what_is_missing_is_named_and_may_be_left_out(shards: list[Path], tmp_path: Path) -> None:
    with pytest.raises(mb.UsageError, match=r"2 of 3 shards are missing: 1/3, 3/3\. .*--partial"):
        mb.merge([shards[1]], out=tmp_path / "out")
    assert not list(tmp_path.iterdir())
    done = command("merge", "--partial", *map(str, shards[:2]), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    found = mb.load(tmp_path / "out")
    assert found.provenance["shards"]["missing"] == [3]
    assert found.provenance["command"] == "maskbench merge --partial shard1 shard2 --out out"
    assert "Shards 3 of 3 are missing" in (found.path / "tables" / "summary.md").read_text()
    with pytest.raises(mb.UsageError, match="merged already"):
        mb.merge([found.path, shards[2]], out=tmp_path / "again")


@pytest.mark.slow
def test_what_does_not_belong_together_is_refused_with_the_reason(
    whole: mb.Run, shards: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(mb.UsageError, match=r"Shard 1/3 is there twice: .*shard1 and .*copy"):
        mb.merge([*shards, shutil.copytree(shards[0], tmp_path / "copy")], out=tmp_path / "out")
    with pytest.raises(mb.UsageError, match="out is a whole run, no shard"):
        mb.merge([*shards, whole.path], out=tmp_path / "out")
    with pytest.raises(mb.UsageError, match="write a list"):
        mb.merge(str(shards[0]), out=tmp_path / "out")
    with pytest.raises(mb.UsageError, match="nothing to merge"):
        mb.merge([], out=tmp_path / "out")
    with pytest.raises(mb.UsageError, match=r"no run folder"):
        mb.merge([tmp_path], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["suite", "settings", "scored"], 32, r"suite\.settings\.scored is 16 in the first and 32 in the second"),
        (["data", "fingerprint"], "another", r"data\.fingerprint is .* and another in the second"),
        (["shard", "of"], 5, "1/3 is a part of another division than 2/5"),
        (["shard", "run"], "0" * 64, "the code that made them"),
        (["shard", "trials"], None, "is damaged"),
        (["shard", "trials"], [], "is damaged: its run.json has no trial"),
    ],
)
def test_a_shard_of_another_run_is_refused(
    place: list[str], value: object, message: str, shards: list[Path], tmp_path: Path
) -> None:
    _changed(shutil.copytree(shards[1], tmp_path / "other"), place, value)
    with pytest.raises(mb.UsageError, match=message):
        mb.merge([shards[0], tmp_path / "other", shards[2]], out=tmp_path / "out")


@pytest.mark.slow
def test_other_libraries_are_named(shards: list[Path], tmp_path: Path) -> None:
    other = shutil.copytree(shards[1], tmp_path / "other")
    _changed(other, ["shard", "run"], "0" * 64)
    _changed(other, ["libraries", "torch"], "0.1")
    with pytest.raises(mb.UsageError, match=r"torch is .* in the first and 0\.1 in the second"):
        mb.merge([shards[0], other, shards[2]], out=tmp_path / "out")


@pytest.mark.slow
def test_a_shard_without_its_samples_is_refused(shards: list[Path], tmp_path: Path) -> None:
    other = shutil.copytree(shards[1], tmp_path / "other")
    samples = pd.read_parquet(other / "samples.parquet")
    samples[samples["attack"] != "telea"].to_parquet(other / "samples.parquet")
    with pytest.raises(mb.UsageError, match=r"holds no samples of .* × telea under seed"):
        mb.merge([shards[0], other, shards[2]], out=tmp_path / "out")


@pytest.mark.slow
def test_a_failed_cell_stays_one(tmp_path: Path) -> None:
    """Also what follows of it: no strongest attack is known."""
    plugin = tmp_path / "broken.py"
    plugin.write_text(
        "from maskbench import RestorationAttack\n"
        "class Broken(RestorationAttack):\n"
        '    """Fail."""\n'
        '    name = "broken"\n'
        "    def restore(self, release, generator):\n"
        '        raise ValueError("kaboom")\n'
    )
    suite = SUITE | {"methods": ["random"], "attacks": ["telea", "broken"], "seeds": 1}
    options: dict[str, Any] = {"store": tmp_path / "store", "device": "cpu", "progress": False, "plugins": [plugin]}
    whole = mb.run(suite, out=tmp_path / "whole", **options)
    parts = [mb.run(suite, out=tmp_path / f"{n}", shard=f"{n}/2", **options).path for n in (1, 2)]
    joined = mb.merge(parts, out=tmp_path / "merged")
    pd.testing.assert_frame_equal(joined.cells, whole.cells, check_exact=True)
    assert (joined.failed["attack"] == "broken").sum() == 3
    assert "kaboom" in (joined.path / "failures.log").read_text()
    done = command("merge", *map(str, parts), "--out", str(tmp_path / "command"))
    assert done.returncode == 1, done.stderr


def _changed(folder: Path, place: list[str], value: object) -> None:
    """Set a value of run.json."""
    path = folder / "run.json"
    content = json.loads(path.read_text())
    inner = content
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    path.write_text(json.dumps(content))
