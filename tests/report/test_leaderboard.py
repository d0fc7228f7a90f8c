"""Only what verifies and was measured alike is ranked; pages hold no markup of a bundle, and lead nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from accessible import LAPTOP, PATIENCE, PHONE, serious_faults
from maskbench import UsageError
from maskbench.report.leaderboard.boards import Table, boards
from maskbench.report.leaderboard.bundles import bundle_names, bundles_in, distinct_names
from maskbench.report.leaderboard.page import write_leaderboard
from maskbench.report.leaderboard.ranking import Rank, ranks
from maskbench.report.leaderboard.scatter import Point, scatter
from maskbench.results.reading import Value
from maskbench.results.schema import THREAT_MODEL
from maskbench.runfolder.folder import RunFolder
from maskbench.runfolder.verification.verify import Verification
from planted_runs import planted_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDE = 0.05


def bundle(
    methods: Mapping[str, tuple[float, float]],
    *,
    attacks: tuple[str, ...] = ("adaptive",),
    kind: str = "inference",
    seeds: int = 1,
    finished: str = "2026-01-01T00:00:00+00:00",
    status: str = "ok",
    **data: Any,
) -> RunFolder:
    """A run of methods, named with their accuracy and leakage, and of raw images, at 0.95 and 0.9."""
    sensitive = "digit" if kind == "inference" else ""
    rows: list[dict[str, Any]] = []
    for name, (accuracy, leakage) in {"raw": (0.95, 0.9), **methods}.items():
        base = {
            "dataset": "planted",
            "target": "parity",
            "sensitive": sensitive,
            "recognizer": "small",
            "suite": "mine",
        }
        base |= {"method": name, "role": "raw" if name == "raw" else "method", "aux_share": 1.0, "status": "ok"}
        recognition = {"attack": "none", "attack_kind": "none", "label": "target", "split": "owner_test"}
        leak = {"attack_kind": kind, "label": "sensitive" if sensitive else "", "split": "owner_train"}
        leak |= {"metric": "advantage" if sensitive else "ssim_hole", "status": status, "learns_from": "releases"}
        for seed in (*range(seeds), None):
            own = {**base, "seed": seed}
            rows.append({**own, **recognition, "metric": "accuracy", **_around(accuracy)})
            rows += [{**own, **leak, "attack": attack, **_around(leakage)} for attack in attacks]
            rows.append({**own, **leak, "attack": "strongest", "chosen": attacks[0], **_around(leakage)})
    run = planted_run(rows)
    about = {
        **run.provenance,
        "threat_model": THREAT_MODEL,
        "command": "maskbench run mine",
        "finished": finished,
        "device": "a device",
        "suite": {"name": "mine", "settings": {"scored": 8}, "probe_target": False},
        "data": {
            **run.provenance["data"],
            "name": "planted",
            "target": "parity",
            "sensitive": sensitive or None,
            "shape": [1, 16, 16],
            "sizes": {"owner_train": 10},
            "splits": {"owner_train": "0"},
            "fingerprint": "0",
            **data,
        },
    }
    return replace(run, provenance=about)


def _around(value: float) -> dict[str, float]:
    return {"value": value, "ci_low": value - WIDE, "ci_high": value + WIDE, "n": 10, "seeds": 1}


def checked(run: RunFolder | None, *problems: str, folder: str = "somewhere") -> Verification:
    """A bundle that was checked."""
    return Verification(Path(folder), problems, (), 0 if run is None else len(run.cells), run)


def only_table(**runs: RunFolder) -> Table:
    """The one table of some runs."""
    (board,) = boards(runs)
    (table,) = board.tables
    return table


def shown(table: Table) -> dict[str, int]:
    """Method → rank, in the order of the table."""
    return {each.entry.method: each.rank.rank for each in table.ranked}


def point(accuracy: float, leakage: float, width: float = WIDE) -> tuple[Value, Value]:
    kept, leaked = (Value(value, value - width, value + width) for value in (accuracy, leakage))
    return kept, leaked


def test_a_rank_counts_those_that_are_better_in_both() -> None:
    found = ranks([point(0.9, 0.8), point(0.7, 0.2), point(0.6, 0.3), point(0.5, 0.5)])
    assert [each.rank for each in found] == [1, 1, 2, 3]


def test_intervals_leave_ranks_open() -> None:
    near, far = ranks([point(0.7, 0.2), point(0.69, 0.21)]), ranks([point(0.9, 0.1), point(0.5, 0.5)])
    assert near == [Rank(1, 1, 2), Rank(2, 1, 2)]
    assert far == [Rank(1, 1, 1), Rank(2, 2, 2)]
    assert ranks([point(0.7, 0.2), point(0.7, 0.2)])[0].rank == 1, "equals do not beat each other"


def test_methods_of_several_bundles_are_ranked_together() -> None:
    table = only_table(one=bundle({"good": (0.9, 0.2)}), two=bundle({"bad": (0.6, 0.4), "kept": (0.94, 0.5)}))
    assert shown(table) == {"good": 1, "kept": 1, "bad": 2}
    assert [each.on_frontier for each in table.ranked] == [True, True, False]
    assert [control.method for control in table.controls] == ["raw"]


def test_what_raw_images_beat_is_on_no_frontier() -> None:
    table = only_table(one=bundle({"worse": (0.8, 0.95)}))
    assert (table.ranked[0].rank.rank, table.ranked[0].on_frontier) == (1, False)


def test_weaker_attacks_make_a_table_of_their_own() -> None:
    (board,) = boards(
        {
            "all": bundle({"honest": (0.7, 0.5), "other": (0.6, 0.5)}, attacks=("adaptive", "reverse")),
            "few": bundle({"cunning": (0.7, 0.0)}, attacks=("reverse",)),
        }
    )
    assert [shown(table) for table in board.tables] == [{"honest": 1, "other": 2}, {"cunning": 1}]


@pytest.mark.parametrize("other", [{"fingerprint": "1"}, {"splits": {"owner_train": "1"}}, {"shape": [1, 32, 32]}])
def test_other_images_make_another_table(other: dict[str, Any]) -> None:
    (board,) = boards({"one": bundle({"a": (0.7, 0.5)}), "two": bundle({"b": (0.7, 0.5)}, **other)})
    assert len(board.tables) == 2


def test_another_threat_model_makes_another_board() -> None:
    other = bundle({"b": (0.7, 0.5)})
    named = {**other.provenance, "threat_model": {**THREAT_MODEL, "version": 99}}
    found = boards({"one": bundle({"a": (0.7, 0.5)}), "two": replace(other, provenance=named)})
    assert [board.threat_model for board in found] == [
        f"adaptive, version {THREAT_MODEL['version']}",
        "adaptive, version 99",
    ]


def test_a_method_counts_once_that_of_most_seeds() -> None:
    table = only_table(
        late=bundle({"same": (0.7, 0.5)}, finished="2026-02-01T00:00:00+00:00"),
        more=bundle({"same": (0.6, 0.6)}, seeds=3),
    )
    assert [each.entry.bundle for each in table.ranked] == ["more"]
    assert [(each.entry.bundle, each.reason) for each in table.unranked] == [
        ("late", "the bundle more has the same method")
    ]


def test_without_a_sensitive_label_restorations_rank() -> None:
    table = only_table(one=bundle({"a": (0.7, 0.5), "b": (0.7, 0.4)}, kind="restoration"))
    assert table.leakage == "restoration"
    assert shown(table) == {"b": 1, "a": 2}


def test_what_was_not_attacked_has_no_rank() -> None:
    table = only_table(one=bundle({"a": (0.7, 0.5)}), two=bundle({"b": (0.7, 0.0)}))
    failed = bundle({"b": (0.7, 0.0)})
    cells = failed.cells
    gone = (cells["method"] == "b") & (cells["attack_kind"] == "inference") & cells["seed"].isna()
    assert shown(table) == {"b": 1, "a": 2}
    table = only_table(one=bundle({"a": (0.7, 0.5)}), two=replace(failed, cells=cells[~gone]))
    assert shown(table) == {"a": 1}
    assert "not attacked by inference of the sensitive label" in table.unranked[0].reason


def no_report(run: RunFolder, folder: Path) -> Path:
    """Where a report would be."""
    return folder / "report.html"


def test_pages_say_who_was_refused_and_run_nothing(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    run = bundle({f"mine{evil}": (0.9, 0.2), "other": (0.8, 0.4)})
    run = replace(run, provenance={**run.provenance, "command": f'"{evil}', "device": evil})
    refused = checked(bundle({"cheat": (1.0, 0.0)}), f"Its checksum {evil} differs.")
    found = [checked(run), refused, checked(None, "It cannot be read.")]
    (page,) = write_leaderboard(found, ["good", "cheat", "broken"], tmp_path / "out", no_report)
    assert page.name == f"planted-adaptive-version-{THREAT_MODEL['version']}.html"
    text, index = page.read_text(), (tmp_path / "out" / "index.html").read_text()
    for each in (text, index):
        assert "<script" not in each and "http" not in re.sub(r'http-equiv="[^"]*"', "", each)
        assert "&lt;script&gt;" in each
        for word in ("secure", "anonymous"):
            assert word not in each.lower()
    assert "cheat" in index and "It cannot be read." in index
    ranked = text.split('id="bundles"')[0]
    assert ranked.count("<circle") == 3 and "cheat" not in ranked
    assert 'href="reports/good/report.html"' in text and "reports/cheat" not in text
    assert "How to submit" in text and 'href="index.html"' in text and f'href="{page.name}"' in index


def test_no_bundle_that_verifies_is_a_page_that_says_so(tmp_path: Path) -> None:
    assert write_leaderboard([checked(None, "It cannot be read.")], ["broken"], tmp_path, no_report) == []
    assert "No bundle verifies, so nothing is ranked." in (tmp_path / "index.html").read_text()


def test_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(UsageError, match="is there already and is not empty"):
        write_leaderboard([], [], tmp_path, no_report)
    assert (tmp_path / "index.html").read_text() == "mine"


def test_bundles_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("a", "deep/b", "deep/c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").write_text(json.dumps({}))
    found = bundles_in([tmp_path, tmp_path / "deep", tmp_path / "a"])
    assert [path.name for path in found] == ["a", "b", "c"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="No run folder lies in"):
        bundles_in([tmp_path / "empty"])
    with pytest.raises(UsageError, match="There is no folder"):
        bundles_in([tmp_path / "nowhere"])


def test_names_of_bundles_are_addresses_and_differ() -> None:
    assert bundle_names([Path("a/run"), Path("b/run"), Path("b/other")]) == ["a-run", "b-run", "other"]
    assert distinct_names(["A b", "a/../B", "a-b", "Ü"]) == ["a-b", "a-b-2", "a-b-3", "bundle"]


def test_dots_that_nearly_coincide_have_one_label() -> None:
    places = ((0.7, 0.2), (0.7, 0.205), (0.2, 0.9))
    found = scatter([Point(str(number), "", "method", *reversed(point(*at))) for number, at in enumerate(places)])
    assert [dot.label for dot in found.dots] == ["0, 1", "", "2"]


def test_dots_lie_inside_the_figure() -> None:
    points = [Point(str(number), "", "method", *reversed(point(number / 3, 0.0))) for number in range(4)]
    found = scatter(points)
    assert [dot.y for dot in found.dots] == sorted((dot.y for dot in found.dots), reverse=True)
    for dot in found.dots:
        assert found.left <= dot.left <= dot.x <= dot.right <= found.right
        assert found.top <= dot.top <= dot.y <= dot.bottom <= found.bottom
    assert 3 <= len(found.y_ticks) <= 8


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (LAPTOP, "light")])
def test_all_can_read_the_pages_on_a_phone_and_on_a_laptop(
    browser: Browser, tmp_path: Path, width: int, scheme: Any
) -> None:
    long = "saliency:attribution=integrated-gradients,adjust=masknet(gates=features)"
    found = [
        checked(bundle({long: (0.9, 0.2), "other": (0.8, 0.4)})),
        checked(bundle({"cheat": (1.0, 0.0)}), "Forged."),
    ]
    (page,) = write_leaderboard(found, ["good", "cheat"], tmp_path / "out", no_report)
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    faults: dict[str, list[str]] = {}
    for file in (page, page.with_name("index.html")):
        opened.goto(file.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") <= width, f"{file.name} scrolls sideways"
        assert "cheat" in opened.locator("main").inner_text()
        faults |= serious_faults(opened)
    opened.close()
    assert faults == {} and complaints == []
