"""The tables of a run: what they say of planted outcomes, and that they fit a terminal."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from maskbench.report.tables.strongest import TABLE as STRONGEST
from maskbench.report.tables.summary import caption, headline
from maskbench.report.terminal import print_flags
from maskbench.report.text import to_markdown
from maskbench.report.write import tables
from maskbench.runfolder.folder import RunFolder
from planted_runs import planted_run
from rich.console import Console

HALF = 0.05


def rows(method: str, attack: str, metric: str, value: float, **more: object) -> list[dict[str, object]]:
    """A cell's row for one seed and the one over seeds, on owner-train."""
    inference = metric.startswith(("advantage", "worst_class"))
    base = {
        "dataset": "planted",
        "target": "parity",
        "sensitive": "digit",
        "recognizer": "small",
        "method": method,
        "params": "geometry=pixel" if method == "random" else "",
        "ratio": 0.75 if method == "random" else np.nan,
        "role": {"raw": "raw", "full-mask": "null"}.get(method, "method"),
        "attack": attack,
        "attack_kind": "inference" if inference else "restoration",
        "label": "sensitive" if inference else "",
        "aux_share": 1.0,
        "split": "owner_train",
        "metric": metric,
        "value": value,
        "ci_low": value - HALF,
        "ci_high": value + HALF,
        "n": 64,
        "seeds": 2,
        "status": "ok",
        "chosen": "adaptive, reverse" if attack == "strongest" else "",
        **more,
    }
    return [{**base, "seed": 0}, base]


@pytest.fixture(scope="module")
def run() -> RunFolder:
    """A method that leaks a little above the null by its shape, and one whose advantage is the null's."""
    return planted_run(
        [
            *rows("full-mask", "strongest", "advantage", 0.10),
            *rows("full-mask", "strongest", "advantage_over_null", 0.0),
            *rows("random", "mask-only", "advantage", 0.2, learns_from="masks"),
            *rows("random", "strongest", "advantage", 0.4),
            *rows("random", "strongest", "advantage_over_null", 0.3),
            *rows("random", "oracle", "advantage", 0.7),
            *rows("random", "oracle", "advantage_over_null", 0.2),
            *rows("random", "restorer", "ssim_hole", 0.5, learns_from="pairs"),
            *rows("random", "strongest", "ssim_hole", 0.5),
            *rows("random", "strongest", "ssim_hole_over_null", 0.35),
            *rows("pixelate", "adaptive", "advantage", 0.12, learns_from="releases"),
            *rows("pixelate", "strongest", "advantage", 0.12),
            *rows("pixelate", "strongest", "advantage_over_null", 0.02),
        ]
    )


def test_headline_has_the_advantage_over_the_null_and_the_marks(run: RunFolder) -> None:
    shown = headline(run).set_index("method")
    assert shown.loc["random:geometry=pixel", "over null %"] == "30.0 [25.0, 35.0]"
    assert shown["flags"].to_dict() == {"full-mask": "", "random:geometry=pixel": "S", "pixelate": "N"}
    words = caption(run)
    assert "S the shape of the masks alone leaks the sensitive label; N the strongest advantage" in words
    assert words.count(" F ") == 0, "the legend names only what occurs"


def test_worst_case_table_has_realizable_oracle_null_and_their_difference(run: RunFolder) -> None:
    shown = STRONGEST.build(run)
    inference = shown[shown["strongest"] == "advantage on sensitive %"].set_index("method")
    assert inference.loc["random:geometry=pixel", "realizable":].to_dict() == {
        "realizable": "40.0 [35.0, 45.0] (adaptive, reverse)",
        "oracle": "70.0 [65.0, 75.0]",
        "null": "10.0",
        "shuffled": "–",
        "over null": "30.0 [25.0, 35.0]",
        "oracle over null": "20.0 [15.0, 25.0]",
    }
    assert inference.loc["pixelate", "oracle"] == "–"
    restoration = shown[shown["strongest"] == "hole SSIM"].iloc[0]
    assert (restoration["hidden"], restoration["null"]) == ("75%", "0.150")


def test_the_worst_class_stands_in_the_summary_where_it_is_measured() -> None:
    leaks = rows("random", "strongest", "advantage", 0.3)
    assert "worst class AUC" not in headline(planted_run(leaks))
    found = headline(planted_run([*leaks, *rows("random", "strongest", "worst_class_auc", 0.888)]))
    assert found["worst class AUC"].iloc[0].startswith("0.888")


def test_every_table_says_the_share_that_was_measured() -> None:
    """Three of five units are hidden for 0.5, and a method that promises no share has one all the same."""
    own = {"attack_kind": "none", "split": "owner_test"}
    measured = planted_run(
        [
            *rows("random", "none", "hidden", 0.6, ratio=0.5, **own),
            *rows("random", "strongest", "advantage", 0.4, ratio=0.5),
            *rows("edges", "none", "hidden", 0.31, **own),
            *rows("edges", "strongest", "advantage", 0.4),
            *rows("pixelate", "strongest", "advantage", 0.4),
        ]
    )
    for built in (headline(measured), STRONGEST.build(measured)):
        assert built.set_index("method")["hidden"].to_dict() == {
            "random:geometry=pixel": "60%",
            "edges": "31%",
            "pixelate": "–",
        }


def test_every_table_can_be_written(run: RunFolder) -> None:
    written = {table.name: to_markdown(table.build(run)) for table in tables() if len(table.build(run))}
    assert {"summary", "strongest", "attacks-inference", "flags", "timing"} <= set(written)
    assert all(table.caption(run) for table in tables())
    assert len({line.count("|") for line in written["strongest"].splitlines()}) == 1
    assert "choose masks that depend less on the image" in written["flags"]


def test_what_is_missing_is_written_as_not_measured() -> None:
    frame = pd.DataFrame({"method": ["raw", "random"], "value": [np.nan, 0.5], "attack": [None, "a|b"]})
    assert to_markdown(frame).splitlines()[2:] == ["| raw | – | – |", "| random | 0.5 | a\\|b |"]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_flags_are_not_cut_off(run: RunFolder, width: int) -> None:
    console = Console(width=width, record=True, force_terminal=False, file=StringIO())
    print_flags(run, console)
    text = console.export_text()
    assert "…" not in text
    assert "Flags: 1 warning, 2 notes " in text
    for flag in run.flags:
        assert flag.title in " ".join(text.split())


def test_without_flags_nothing_is_said_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_flags(planted_run(rows("random", "strongest", "advantage", 0.4)), Console(width=100))
    assert capsys.readouterr().out == ""


def test_what_a_cell_says_is_no_markup() -> None:
    frame = pd.DataFrame({"class <b>": ["<!-- a | b & c"], "n": ["1"]})
    assert to_markdown(frame).splitlines() == [
        "| class &lt;b> | n |",
        "| --- | ---: |",
        "| &lt;!-- a \\| b &amp; c | 1 |",
    ]
