"""The tables of times: how fast each stage goes, and whether its time is fresh."""

from __future__ import annotations

import pytest
from maskbench.report.html.throughput import counter
from maskbench.report.html.timing import timing_tables
from maskbench.report.phrases import duration
from planted_pages import full_run


@pytest.mark.parametrize(
    ("stage", "title", "images"),
    [
        ("data", "data", 2000),
        ("release", "release random · attacker · draw 1 · seed 0", 800),
        ("release", "release audited:folder=x · owner", 1200),
        ("attribution", "attribution grad-cam · attacker_train · attacker-1 · target · seed 0", 600),
        ("recognition", "recognition random · seed 0", 2400),
        ("teacher", "teacher · attacker-1 · target · seed 0", 1800),
        ("restoration", "restoration telea of random · seed 0", 300),
        ("inference", "inference linear of shuffled sensitive from random · seed 0", 300),
        ("inference", "inference linear of target from random · seed 0", None),
        ("closest restoration", "closest restoration of random · seed 0", None),
    ],
)
def test_how_many_pictures_a_stage_goes_through(stage: str, title: str, images: int | None) -> None:
    sizes = {"owner_train": 800, "owner_test": 400, "attacker_train": 600, "attacker_validation": 200}
    settings = {"scored": 100, "recognition": {"epochs": 3}}
    count = counter({"data": {"sizes": sizes}, "suite": {"settings": settings}})
    assert count(stage, title) == images
    assert counter({"data": {}})(stage, title) is None


def test_times_say_whether_they_are_fresh_and_how_fast_a_release_is() -> None:
    stages, releases = timing_tables(full_run())
    assert [cell.text for cell in stages.rows[0]][:4] == ["release", "AMD EPYC (1 thread)", "stored", "6"]
    speeds = {row[0].text: row[3].text for row in releases.rows}
    assert speeds["random"] == "1600"  # 800 pictures in half a second
    assert [cell.text for cell in stages.rows[0]][6] == "1600"


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.23, "4.2 s"), (59.96, "1 min 0 s"), (3017, "50 min 17 s"), (11530, "3 h 12 min")]
)
def test_times_are_said_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
