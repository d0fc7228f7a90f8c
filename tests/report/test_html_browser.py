"""The page in headless Chromium: it opens from a file, answers its reader, and is readable by all on any screen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from accessible import LAPTOP, PATIENCE, PHONE, serious_faults
from planted_pages import EVIL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def page(browser: Browser, full_page: Path) -> Iterator[Page]:
    """The page on a laptop; what its console says is in ``complaints``."""
    opened = browser.new_page(viewport={"width": LAPTOP, "height": 900}, color_scheme="light")
    opened.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if _is_remote(request.url) else None)
    opened.goto(full_page.as_uri())
    opened.complaints = complaints  # type: ignore[attr-defined]
    yield opened
    opened.close()


def _is_remote(address: str) -> bool:
    return not address.startswith(("file:", "data:", "blob:"))


def column(page: Page, table: str, number: int) -> list[str]:
    """The texts of a column, from the top."""
    found: list[str] = page.locator(f"{table} tbody tr > :nth-child({number})").all_inner_texts()
    return found


def drawn(page: Page, what: str) -> Any:
    """What plotly holds of the plot."""
    return page.evaluate(f"document.getElementById('plot').{what}")


def test_it_opens_without_a_complaint_and_runs_nothing_of_a_plug_in(page: Page) -> None:
    assert page.complaints == []  # type: ignore[attr-defined]
    assert page.title() == "planted on planted · maskbench"
    assert page.locator(".verdict p").first.is_visible()
    assert EVIL in column(page, '[data-name="summary"]', 1)


def test_a_table_is_sorted_by_its_header_both_ways(page: Page) -> None:
    head = page.locator('[data-name="summary"] thead th').nth(2)
    for direction in ("descending", "ascending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == direction
        shown = [float(text.split()[0]) for text in column(page, '[data-name="summary"]', 3) if text != "–"]
        assert shown == sorted(shown, reverse=direction == "descending")


def test_a_table_is_filtered_by_words_and_saved_as_it_is_shown(page: Page) -> None:
    place = page.locator('[data-name="summary"]')
    place.get_by_role("searchbox").fill("saliency 75%")
    assert column(page, '[data-name="summary"]', 1) == ["saliency"]
    saved = {}
    for kind in ("CSV", "LaTeX"):
        with page.expect_download() as waiting:
            place.get_by_role("button", name=f"as {kind}").click()
        saved[kind] = Path(waiting.value.path()).read_text(encoding="utf-8")
    place.get_by_role("searchbox").fill("")
    rows = list(csv.reader(io.StringIO(saved["CSV"])))
    assert rows[0][:2] == ["method", "hidden"] and [row[0] for row in rows[1:]] == ["saliency"]
    assert "\\toprule" in saved["LaTeX"] and "75\\%" in saved["LaTeX"] and "random" not in saved["LaTeX"]


def test_every_number_is_shown_by_kind(page: Page) -> None:
    page.get_by_label("Kind").select_option("inference")
    assert "adaptive" in column(page, "#numbers-table", 3)
    page.locator("#numbers-controls").get_by_role("searchbox").fill("oracle")
    assert {text.split()[0] for text in column(page, "#numbers-table", 3)} == {"oracle"}


def test_the_plot_switches_and_names_its_marks(page: Page) -> None:
    def names() -> set[str]:
        return {name for label in drawn(page, "layout.annotations") for name in label["text"].split("<br>")}

    assert {"raw", "full mask (chance)", "random 75%", "saliency 75%"} <= names()
    assert "advantage" in drawn(page, "layout.xaxis.title.text")
    assert drawn(page, "layout.shapes.length") == 2  # chance, and its interval
    page.get_by_label("Share hidden").select_option("0.9")
    assert not any("75%" in name for name in names())
    page.get_by_label("Leakage to").select_option("restoration")
    assert "SSIM" in drawn(page, "layout.xaxis.title.text")
    assert "pixelate (not attacked: no restoration attack" in page.locator("#plot-note").inner_text()
    page.locator("#plot-controls select").last.select_option("oracle")
    assert drawn(page, "layout.xaxis.title.text").startswith("oracle")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_pointing_at_a_mark_shows_the_cell(page: Page) -> None:
    page.locator("#plot").scroll_into_view_if_needed()
    mark = page.locator("#plot .scatterlayer .points path").last.bounding_box()
    assert mark is not None
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    page.locator("#plot .hoverlayer text").first.wait_for()
    assert "accuracy" in (page.locator("#plot .hoverlayer").text_content() or "")


def test_dark_is_a_switch_away_and_the_plot_follows(page: Page) -> None:
    def colours() -> tuple[Any, Any]:
        return page.evaluate("getComputedStyle(document.body).backgroundColor"), drawn(page, "layout.font.color")

    light = colours()
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = colours()
    assert light[0] == "rgb(255, 255, 255)" and dark[0] == "rgb(20, 23, 27)" and light[1] != dark[1]


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (LAPTOP, "light")])
def test_all_can_read_it_on_a_phone_and_on_a_laptop(browser: Browser, full_page: Path, width: int, scheme: Any) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.set_default_timeout(PATIENCE)
    opened.goto(full_page.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    opened.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    faults = serious_faults(opened)
    opened.close()
    assert faults == {}
