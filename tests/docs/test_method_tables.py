"""The tables in docs/ say of every method and attack what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from maskbench.cli.main import app
from maskbench.plugins.catalogue import catalogue
from typer.testing import CliRunner

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "methods.md"
_TABLE = re.compile(r"<!-- maskbench (list \w+ --markdown) -->\n(.*?)<!-- end -->", re.DOTALL)


@pytest.mark.parametrize(
    ("page", "command"),
    [
        ("methods.md", "list methods"),
        ("methods.md", "list adjustments"),
        ("methods.md", "list attributions"),
        ("attacks.md", "list attacks"),
    ],
)
def test_the_tables_are_what_the_command_prints(page: str, command: str) -> None:
    text = (CHECKOUT / "docs" / page).read_text(encoding="utf-8")
    written = dict(_TABLE.findall(text))[f"{command} --markdown"]
    printed = CliRunner().invoke(app, [*command.split(), "--markdown"]).stdout
    assert written == printed, f"paste what `maskbench {command} --markdown` prints into docs/{page}"


def test_every_method_has_a_promise_and_a_test_that_is_there() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Promises")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    promised = {name.strip() for row in rows for name in row[0].split(",")}
    found = catalogue()
    built_in = {
        name for name in found.names("method") if found.get("method", name).__module__.startswith("maskbench.methods.")
    }
    assert promised == built_in
    missing = [row[2].strip() for row in rows if not (CHECKOUT / row[2].strip()).is_file()]
    assert not missing
