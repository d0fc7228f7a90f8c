"""A release that is cut off goes on with the same options and ends with the same files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desensitize_cases import class_folders, errors, picture, release, tree
from filelock import FileLock
from maskbench.errors import UsageError
from maskbench.releasing.finished import Finished


def _command(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "maskbench", "desensitize", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.soak
@pytest.mark.parametrize("method", ["random:patch=2", "saliency:patch=2"])
def test_a_kill_changes_nothing(tmp_path: Path, method: str) -> None:
    class_folders(tmp_path / "src", count=150)
    options = ("--method", method, "--seed", "7", *(("--epochs", "1") if "saliency" in method else ()))
    whole = _command("src", "whole", *options, cwd=tmp_path)
    assert whole.wait() == 0, whole.stdout.read()

    killed = _command("src", "killed", *options, cwd=tmp_path)
    while len(list((tmp_path / "killed").glob("images/cat/*.png"))) < 20 and killed.poll() is None:
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    written = len(list((tmp_path / "killed").glob("[!.]*/*/*.png")))
    assert 20 <= written < 600, "killed too late to tell anything"
    assert (tmp_path / "killed.unfinished").is_dir()
    early = {path: path.stat().st_ino for path in sorted((tmp_path / "killed").glob("[!.]*/*/*.png"))[: written // 4]}

    refused = _command("src", "killed", *options, cwd=tmp_path)
    assert refused.wait() == 2
    assert b"--resume" in refused.stdout.read()
    resumed = _command("src", "killed", *options, "--resume", cwd=tmp_path)
    assert resumed.wait() == 0, resumed.stdout.read()
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")
    assert not (tmp_path / "killed.unfinished").exists()
    assert {path: path.stat().st_ino for path in early} == early, "what was done was done again"


@pytest.fixture
def broken(tmp_path: Path) -> Finished:
    """A release with an error, which can be resumed when the image is mended."""
    source = class_folders(tmp_path / "src", count=3)
    (source / "cat" / "bad.png").write_bytes(b"broken")
    return release(source, tmp_path / "dst")


def test_errors_can_be_mended(broken: Finished, tmp_path: Path) -> None:
    assert list(errors(broken)) == ["cat/bad.png"]
    assert broken.unfinished == tmp_path / "dst.unfinished"
    before = tree(tmp_path / "dst")
    picture(77).save(tmp_path / "src" / "cat" / "bad.png")
    outcome = release(tmp_path / "src", tmp_path / "dst", resume=True)
    after = tree(tmp_path / "dst")
    assert errors(outcome) == {}
    assert set(after) - set(before) == {"images/cat/bad.png", "masks/cat/bad.png"}
    assert all(after[name] == before[name] for name in before if name != "manifest.json"), "another secret was drawn"
    assert not (tmp_path / "dst.unfinished").exists()


def test_what_changed_or_went_away_is_not_left_behind(broken: Finished, tmp_path: Path) -> None:
    before = tree(tmp_path / "dst")
    (tmp_path / "src" / "cat" / "000.png").unlink()
    (tmp_path / "src" / "cat" / "bad.png").unlink()
    picture(78).save(tmp_path / "src" / "dog" / "000.png")
    (tmp_path / "dst" / "images" / "dog" / "001.png").write_bytes(b"")  # as a power failure leaves it
    outcome = release(tmp_path / "src", tmp_path / "dst", resume=True)
    after = tree(tmp_path / "dst")
    assert outcome.manifest["images"]["source"] == 5
    assert set(before) - set(after) == {"images/cat/000.png", "masks/cat/000.png"}
    assert after["images/dog/000.png"] != before["images/dog/000.png"]
    assert after["images/dog/001.png"] == before["images/dog/001.png"]


def test_a_journal_that_was_cut_off_is_read(broken: Finished, tmp_path: Path) -> None:
    journal = tmp_path / "dst.unfinished" / "journal.jsonl"
    journal.write_text(journal.read_text()[:-40])
    (tmp_path / "src" / "cat" / "bad.png").unlink()
    before = tree(tmp_path / "dst")
    release(tmp_path / "src", tmp_path / "dst", resume=True)
    after = tree(tmp_path / "dst")
    assert {name: after[name] for name in after if name != "manifest.json"} == {
        name: before[name] for name in before if name != "manifest.json"
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "random:patch=2,ratio=0.25"}, "parameters was"),
        ({"method": "sobel"}, "method was 'random' and is now 'sobel'"),
        ({"size": 8}, "size was None and is now 8"),
        ({"masks": False}, "masks was True"),
        ({"seed": 1}, "seed was None"),
        ({"limit": 3}, "limit was None"),
    ],
)
def test_other_options_are_refused(broken: Finished, tmp_path: Path, changed: dict, message: str) -> None:
    before = tree(tmp_path / "dst")
    with pytest.raises(UsageError, match="these differ") as error:
        release(tmp_path / "src", tmp_path / "dst", **{"resume": True, **changed})
    assert message in str(error.value)
    assert tree(tmp_path / "dst") == before


def test_another_source_is_refused(broken: Finished, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="source was"):
        release(class_folders(tmp_path / "src2"), tmp_path / "dst", resume=True)


def test_two_runs_do_not_work_on_one_destination(broken: Finished, tmp_path: Path) -> None:
    with FileLock(tmp_path / "dst.unfinished" / "lock"), pytest.raises(UsageError, match="Another run"):
        release(tmp_path / "src", tmp_path / "dst", resume=True)


def test_resume_of_a_finished_release_says_so(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "src", count=2)
    first = release(source, tmp_path / "dst", resume=True)  # nothing to resume: it begins
    before = tree(tmp_path / "dst")
    again = release(source, tmp_path / "dst", resume=True)
    assert (first.already, again.already) == (False, True)
    assert again.manifest == first.manifest
    assert tree(tmp_path / "dst") == before
    with pytest.raises(UsageError, match="other options"):
        release(source, tmp_path / "dst", "sobel", resume=True)


def test_the_destination_never_holds_the_secret(broken: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "dst.unfinished"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "fitted.safetensors").stat().st_mode & 0o077 == 0
    assert set(tree(tmp_path / "dst")) == {
        "manifest.json",
        *(
            f"{folder}/{name}/{number:03}.png"
            for folder in ("images", "masks")
            for name in ("cat", "dog")
            for number in range(3)
        ),
    }


def test_what_fails_before_anything_is_done_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    picture(0).save(tmp_path / "src" / "a.png")
    with pytest.raises(UsageError, match="needs a teacher"):
        release(tmp_path / "src", tmp_path / "dst", "saliency")
    assert [path.name for path in tmp_path.iterdir()] == ["src"]
