"""What axe-core finds on a page that is open in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

LAPTOP, PHONE = 1400, 390  # px
PATIENCE = 120_000  # ms: that a machine is busy is no fault of a page
_SERIOUS = ("serious", "critical")


def serious_faults(page: Page) -> dict[str, list[str]]:
    """Each serious accessibility fault and some of what has it. Skips where axe-core is not installed."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed: pip install maskbench[test]"
    )
    found = axe.Axe().run(page).response["violations"]
    return {
        fault["id"]: [node["html"][:120] for node in fault["nodes"][:3]]
        for fault in found
        if fault["impact"] in _SERIOUS
    }
