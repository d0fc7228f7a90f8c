"""What tests of the page share."""

from __future__ import annotations

from pathlib import Path

import pytest
from maskbench.report.html.page import write_report
from planted_pages import full_run


@pytest.fixture(scope="session")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with something in every part."""
    return write_report(full_run(), tmp_path_factory.mktemp("page"))
