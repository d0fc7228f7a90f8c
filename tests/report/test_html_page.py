"""The page of a run: what stands in it, that nothing of a plug-in is markup, and what is not compared."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maskbench.errors import UsageError
from maskbench.report.frontier import frontier
from maskbench.report.html.comparison import comparable_groups, named_apart, refusals, side_by_side
from maskbench.report.html.coverage import FAILED, NONE, RAN, coverage, missing, not_applied
from maskbench.report.html.glance import glance
from maskbench.report.html.grids import picture_grids
from maskbench.report.html.page import write_comparison, write_report
from maskbench.report.html.plot import plot_data
from maskbench.report.html.shown import ShownTable
from maskbench.report.named import NamedRun
from maskbench.report.style import method_styles
from maskbench.results.flags.find import find_flags
from maskbench.results.schema import typed
from maskbench.runfolder.folder import RunFolder
from planted_methods import Planted, planted
from planted_pages import EVIL, full_run
from planted_runs import planted_run
from tiny import command

LARGEST = 15_000_000  # bytes


@pytest.fixture(scope="module")
def page(full_page: Path) -> str:
    """The page of the run that has everything."""
    return full_page.read_text(encoding="utf-8")


def own(page: str) -> str:
    """The page without plotly, which has marks and addresses of its own."""
    start = page.index("<script>", page.index('id="numbers-data"'))
    return page[:start] + page[page.index("</script>", start) :]


def data(page: str, name: str) -> Any:
    """The JSON that a script of the page reads."""
    found = re.search(rf'<script type="application/json" id="{name}-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_what_a_plug_in_is_called_is_no_markup(page: str) -> None:
    assert "document.title=" in page
    assert EVIL not in page
    assert "&lt;script&gt;document.title=" in page
    assert EVIL in {point["method"] for point in data(page, "plot")["points"]}


def test_it_needs_no_network_and_no_other_file(page: str) -> None:
    written = own(page)
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", written)
    assert "default-src 'none'" in written
    assert not re.search(r"@import|url\(", written)


def test_every_part_is_there_in_the_order_of_reading(page: str) -> None:
    wanted = ["answer", "plot-section", "headline", "risks", "shapes", "pictures", "curves", "attacks", "flags"]
    wanted += ["failures", "timing", "numbers", "leakage-report", "provenance"]
    assert re.findall(r'<section id="([\w-]+)"', page)[: len(wanted)] == wanted
    linked = set(re.findall(r'<a href="#([\w-]+)"', own(page)))
    assert linked <= set(re.findall(r' id="([\w-]+)"', page))


def test_command_and_fingerprint_are_exact(page: str) -> None:
    assert "maskbench run planted -m &#39;&lt;script&gt;" in page
    assert "0b7e9c3202d7" in page


def test_what_is_not_measured_is_said_and_no_part_is_blank(tmp_path: Path) -> None:
    bare = planted(Planted("only", 0.8, None, 0.4), sensitive=False)
    written = write_report(bare, tmp_path).read_text(encoding="utf-8")
    assert 'id="pictures"' not in written and 'id="curves"' not in written and 'id="failures"' not in written
    assert "No matching attack was run" in written
    assert "no sensitive label" in written


def test_a_run_in_which_all_failed_has_a_page(tmp_path: Path) -> None:
    failed = {"attack": "none", "attack_kind": "none", "seed": 0, "status": "failed", "reason": "kaboom"}
    run = planted_run(
        [{"method": name, "role": role, "dataset": "d", **failed} for name, role in (("raw", "raw"), ("x", "method"))]
    )
    written = write_report(run, tmp_path).read_text(encoding="utf-8")
    assert "kaboom" in written


def test_the_plot_has_every_choice_and_why_a_method_is_not_in_it() -> None:
    run = full_run()
    found = plot_data([NamedRun("planted", run)], method_styles([run.cells]))
    points = {(point["method"], point["ratio"]): point for point in found["points"]}
    random = points["random", 0.75]
    assert random["accuracy"][0] == pytest.approx(0.7)
    assert random["leaks"]["inference"]["strongest"][0] == pytest.approx(0.5)
    assert random["leaks"]["inference"]["oracle"] is not None
    assert points["unattacked", None]["why"]["inference"].startswith("not attacked")
    assert points[EVIL, None]["why"]["inference"].startswith("failed: ")
    assert found["runs"][0]["leakage"] == "inference"


def test_one_colour_and_shape_for_a_method_and_grey_for_controls() -> None:
    styles = method_styles([full_run().cells, planted(Planted("other", 0.7, 0.2)).cells])
    assert list(styles)[:4] == ["raw", "full-mask", "random", "saliency"]
    own = [(style.colour, style.symbol) for style in styles.values() if not style.control]
    assert len(set(own)) == len(own)
    assert styles["raw"].control and styles["full-mask"].control


def test_the_frontier_of_the_page_is_that_of_the_verdict() -> None:
    """The page draws it anew under each choice; in its first view it is what the verdict says."""
    run = full_run()
    points = plot_data([NamedRun("planted", run)], method_styles([run.cells]))["points"]
    places = {
        (point["method"], point["ratio"]): (point["leaks"]["inference"]["strongest"][0], point["accuracy"][0])
        for point in points
        if point["accuracy"] and point["leaks"]["inference"]["strongest"]
    }
    drawn = {
        name
        for name, (leaks, keeps) in places.items()
        if not any(other != (leaks, keeps) and other[0] <= leaks and other[1] >= keeps for other in places.values())
    }
    said = {(each.method, None if np.isnan(each.ratio) else each.ratio) for each in frontier(run) if each.on_frontier}
    assert drawn == said


def test_every_attack_is_told_as_run_failed_or_not_applied() -> None:
    found = coverage(full_run())
    statuses = {name: dict(zip(found.attacks, row, strict=True)) for name, row in found.rows}
    assert statuses["random 75%"]["adaptive"] == RAN
    assert statuses[EVIL]["adaptive"] == FAILED
    assert statuses["pixelate"]["mask-only"] == NONE
    assert set(statuses["random 75%"].values()) == {RAN, NONE}  # telea was asked for and ran nowhere


def test_alike_failures_stand_together() -> None:
    reasons = [each.reason for each in missing(full_run())]
    assert len(reasons) == len(set(reasons))


def test_pictures_stop_where_the_page_is_full() -> None:
    run = full_run()
    whole = picture_grids(run)
    assert whole.left_out == 0 and [len(strips) for strips in whole.examples] == [2, 2]
    assert [strip.method for strip in whole.examples[0]] == ["random 75%", EVIL]  # as tables call them
    first = whole.examples[0][0].pictures
    assert [picture.title for picture in first] == ["raw", "released", "mask", "restorer"]
    assert [picture.strongest for picture in first] == [False, False, False, True]
    size = sum(len(picture.address) for picture in first)
    little = picture_grids(run, budget=size + 1)
    assert sum(map(len, little.examples)) == 1 and little.left_out == 3


def test_a_restoration_that_is_the_release_is_left_out() -> None:
    run = full_run()
    released = {(it.method, it.example): it.pixels for it in run.pictures if it.shows == "released"}
    same = tuple(
        replace(it, pixels=released[it.method, it.example]) if it.shows == "restored" else it for it in run.pictures
    )
    strips = picture_grids(replace(run, pictures=same)).examples[0]
    assert [picture.title for picture in strips[0].pictures] == ["raw", "released", "mask"]


def test_at_a_glance_stand_the_frontier_and_both_controls() -> None:
    found = glance(full_run())
    rows = {row[0].text: row for row in found.rows}
    assert list(rows) == ["raw (control)", "saliency 50%", "saliency 75%", "saliency 90%", "full-mask 100% (control)"]
    assert found.headers[1:3] == ("keeps: accuracy %", "leaks: advantage on digit %")
    good = rows["saliency 75%"]
    assert [good[column].text for column in range(1, 7)] == ["90.0", "30.0", "adaptive", "5.0", "60.0", "70.0"]
    assert good[4].interval and rows["raw (control)"][4].text == "–"
    assert not glance(planted())


def test_attacks_that_do_not_apply_for_one_reason_stand_together() -> None:
    found = not_applied(coverage(full_run()))
    assert found["it works on masks, and the method has none"] == ["mask-only", "telea"]
    assert sorted(found["the run gives no reason"]) == ["adaptive", "restorer"]


def with_provenance(run: RunFolder, **changes: Any) -> RunFolder:
    """A run with other provenance; ``data`` is changed, not replaced."""
    changed = {**changes, "data": run.provenance["data"] | changes.get("data", {})}
    return replace(run, provenance=run.provenance | changed)


@cache
def two_runs() -> tuple[NamedRun, NamedRun]:
    """Two runs on the same pictures."""
    model = {"threat_model": {"name": "adaptive", "version": 1}}
    runs = planted(Planted("good", 0.9, 0.2)), planted(Planted("good", 0.8, 0.1), Planted("more", 0.7, 0.3))
    first, second = (NamedRun(name, with_provenance(run, **model)) for name, run in zip("AB", runs, strict=True))
    return first, second


def test_two_runs_stand_side_by_side(tmp_path: Path) -> None:
    first, second = two_runs()
    assert [len(group) for group in comparable_groups([first, second])] == [2]
    table = side_by_side([first, second])
    columns = table.headers.index("A: accuracy %"), table.headers.index("B: accuracy %")
    shown = {row[0].text: [row[column].text for column in columns] for row in table.rows}
    assert shown["good"] == ["90.0", "80.0"] and shown["more"] == ["–", "70.0"]
    written = write_comparison([first, second], tmp_path / "both.html").read_text(encoding="utf-8")
    assert "Side by side" in written and len(data(written, "plot")["runs"]) == 2
    assert {row[0] for table in data(written, "numbers") for row in table["rows"]} == {"A", "B"}


def test_other_pictures_are_shown_and_not_compared(tmp_path: Path) -> None:
    first, second = two_runs()
    other = NamedRun("C", with_provenance(second.results, data={"fingerprint": "another"}))
    groups = comparable_groups([first, second, other])
    assert [[run.name for run in group] for group in groups] == [["A", "B"], ["C"]]
    (reason,) = refusals(groups)
    assert reason.startswith("Not compared with A: C. Data content: ")
    assert reason in write_comparison([first, second, other], tmp_path / "all.html").read_text(encoding="utf-8")


def test_another_threat_model_is_refused(tmp_path: Path) -> None:
    first, second = two_runs()
    other = NamedRun("C", with_provenance(second.results, threat_model={"name": "adaptive", "version": 2}))
    with pytest.raises(UsageError, match=r"C cannot stand beside A.*\(adaptive, version 2 and adaptive, version 1\)"):
        write_comparison([first, other], tmp_path / "both.html")
    assert not list(tmp_path.iterdir())


def test_runs_of_folders_with_one_name_are_told_apart() -> None:
    run = full_run()
    named = named_apart([(Path("a/run"), run), (Path("b/run"), run), (Path("c/other"), run)])
    assert [each.name for each in named] == ["a/run", "b/run", "other"]


def test_the_command_writes_pages_and_refuses_what_is_no_page(tmp_path: Path) -> None:
    for run in two_runs():
        run.results.write(tmp_path / run.name)
    refused = command("report", "A", "B", "--out", "A/cells.parquet", cwd=tmp_path)
    assert refused.returncode == 2 and "ends in .html" in refused.stderr
    assert command("report", "A", "--out", "x.html", cwd=tmp_path).returncode == 2
    done = command("report", "A", "B", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "A" / "report.html").is_file() and (tmp_path / "comparison.html").is_file()


@pytest.mark.slow
def test_five_thousand_cells_fit_in_a_page_and_in_ten_seconds(tmp_path: Path) -> None:
    rows = [
        {
            "dataset": "planted",
            "target": "parity",
            "sensitive": "digit",
            "method": "random",
            "params": f"patch={number}",
            "ratio": 0.75,
            "role": "method",
            "attack": f"attack-{attack}",
            "attack_kind": "restoration",
            "aux_share": 1.0,
            "seed": seed,
            "split": "owner_train",
            "metric": metric,
            "value": 0.5,
            "ci_low": 0.4,
            "ci_high": 0.6,
            "n": 64,
            "seeds": 1,
            "status": "ok",
        }
        for number in range(50)
        for attack in range(20)
        for seed in (0, 1, 2, 3, 4, None)
        for metric in ("ssim_hole", "psnr", "ssim")
    ]
    cells = typed(rows)
    run = replace(planted_run([]), cells=cells, flags=tuple(find_flags(cells)))
    started = time.process_time()
    written = write_report(run, tmp_path)
    assert time.process_time() - started < 10
    assert written.stat().st_size < LARGEST


def test_a_table_that_misses_nothing_keeps_its_columns() -> None:
    frame = pd.DataFrame({"method": ["a", "b"], "value": ["1.0 [0.5, 1.5] (x, y)", "–"], "blank": ["–", ""]})
    table = ShownTable.of("t", "Planted.", frame)
    assert table.headers == ("method", "value") and table.numeric == (False, True)
    assert table.rows[0][1] == ("1.0", "[0.5, 1.5]", "x, y")
    words = pd.DataFrame({"leaks": ["1.0 [0.5, 1.5]", "not attacked", "not attacked"], "attack": ["a", "b", "3"]})
    assert ShownTable.of("t", "Planted.", words).numeric == (True, False)
