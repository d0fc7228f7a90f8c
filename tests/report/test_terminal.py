"""What a terminal shows when a run is over: nothing is cut, whatever its width, and what is not known is said so."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from maskbench.cli.console import tell_where, terminal
from maskbench.report.narrow import fitting, legend
from maskbench.report.summary import summarize
from maskbench.report.tables.summary import headline
from maskbench.report.terminal import print_run
from maskbench.runfolder.folder import RunFolder
from planted_methods import RAW, Planted, planted
from rich.console import Console

LONG = Planted("saliency", 0.8, 0.4, ratio=0.75, shape=0.7, params="attribution=grad-cam,adjust=masknet(gates=input)")
SHY = Planted("shy", 0.9, None, 0.4)
NARROW, WIDE = (60, 80), 200


def shown(run: RunFolder, width: int, **more: bool) -> str:
    console = Console(width=width, file=StringIO(), record=True, force_terminal=False)
    print_run(run, console, **more)
    return console.export_text()


@pytest.mark.parametrize("width", [*NARROW, WIDE])
def test_nothing_is_cut_at_any_width(width: int) -> None:
    run = planted(LONG, SHY)
    text = shown(run, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    form = fitting(run, summarize(run), width)
    names = ["".join(name.split()) for name in form["method"]]
    assert names[2:] == ["saliency:attribution=grad-cam,adjust=masknet(gates=input)75%", "shy"]
    assert all(line in text for name in form["method"] for line in name.split("\n"))
    assert "not\nattacked" in form["advantage\non digit %"].tolist()


def test_intervals_go_first_then_psnr_then_utility() -> None:
    run = planted(LONG, SHY)
    summary = summarize(run)
    seen = []
    for width in range(WIDE, NARROW[0], -7):
        form = fitting(run, summary, width)
        names = [title.split("\n")[0] for title in form.columns]
        seen.append(("[" in form["accuracy\n%"].iloc[0], "PSNR" in names, "utility" in names, "accuracy" in names))
    assert list(dict.fromkeys(seen)) == [
        (True, True, True, True),
        (False, True, True, True),
        (False, False, True, True),
        (False, False, False, True),
    ]


def test_what_matching_finds_stands_in_a_table_of_its_own_where_there_is_no_room() -> None:
    run = planted(replace(LONG, traced=0.98), SHY)
    narrow, wide = shown(run, 60), shown(run, WIDE)
    heads = [text.count("\nmethod ") for text in (narrow, wide)]
    assert heads == [2, 1]
    assert "98.0" in narrow.split("\nmethod ")[2] and "98.0" in wide
    assert max(map(len, narrow.splitlines())) <= 60


@pytest.mark.parametrize("width", [80, WIDE])
def test_the_legend_has_three_lines_however_many_flags_there_are(width: int) -> None:
    run = planted(replace(LONG, traced=0.98), SHY)
    flag = next(flag for flag in run.flags if flag.method)
    run = replace(run, flags=tuple(replace(flag, mark=mark, name=f"flag-of-kind-{mark}") for mark in "ABCDEF"))
    summary = summarize(run)
    lines = legend(run, summary, fitting(run, summary, width), width)
    assert len(lines) == 3 and max(map(len, lines)) <= width
    assert ("flag-of-kind-F" in lines[2]) == (width == WIDE) and "F" in lines[2]


def test_what_was_not_attacked_reads_so_and_is_no_dash() -> None:
    run = planted(SHY, replace(LONG, status="failed"))
    table = headline(run).set_index("method")
    assert table.loc["shy", "strongest advantage on sensitive %"] == "not attacked"
    assert (table.filter(like="saliency", axis=0)["strongest hole SSIM"] == "an attack failed").all()
    assert "not\nattacked" in fitting(run, summarize(run), 80)["advantage\non digit %"].tolist()


def test_a_failed_cell_is_told_and_verbose_says_why() -> None:
    run = planted(replace(LONG, status="failed"))
    assert "Coverage: 9 of 11 cells ok, 2 failed; --verbose tells why." in shown(run, 80)
    assert "2 failed: planted (saliency:" in shown(run, 200, verbose=True)


def test_utility_is_a_dash_where_raw_is_at_the_prior() -> None:
    assert summarize(planted(LONG))["utility"].notna().any()
    assert "utility –: raw images are at the prior" in " ".join(shown(planted(LONG, raw=0.5), 80).split())


def test_over_the_null_is_no_more_than_the_advantage() -> None:
    """An attack that does worse than its prior on fully masked images has gained nothing by that."""
    run = planted(LONG)
    over = run.cells["metric"] == "advantage_over_null"
    cells = run.cells.assign(value=run.cells["value"].mask(over & (run.cells["method"] == "raw"), 1.04))
    row = summarize(replace(run, cells=cells)).iloc[0]
    assert row["over_null"] == row["inference"] == RAW.advantage


def test_columns_and_pipes_decide_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal().width == 130
    monkeypatch.setenv("COLUMNS", "72")
    assert terminal().width == 72


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(width=80, file=StringIO(), force_terminal=True)
    print_run(planted(replace(LONG, status="failed")), console)
    assert "\x1b[3" not in console.file.getvalue()


def test_the_report_is_named_where_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_where(tmp_path, Console(width=300))
    assert "open" not in capsys.readouterr().out.replace(str(tmp_path), "")
    (tmp_path / "report.html").touch()
    tell_where(tmp_path, Console(width=300))
    assert f"open {tmp_path / 'report.html'}\n" in capsys.readouterr().out
