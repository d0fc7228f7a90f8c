"""Every command that a page shows in a block can be typed: the subcommand and its options are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from subcommands import COMMANDS
from trees import CHECKOUT

PAGES = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(r"^ *(?:- run: |\w+=\S+ )?maskbench (?=[a-z])(.*)$", re.MULTILINE)
_SHELL = re.compile(r"\$\(\(.*?\)\)|\$\w+")  # what a shell puts a word in the place of


def typed(text: str) -> list[list[str]]:
    """The words behind ``maskbench`` of every line of the blocks of a page, as a shell splits them."""
    lines = [
        line
        for language, block in _BLOCK.findall(text)
        if language in ("", "bash", "yaml")
        for line in _TYPED.findall(block.replace("\\\n", " "))
    ]
    return [_until_operator(shlex.split(_SHELL.sub("1", line), comments=True)) for line in lines]


def _until_operator(words: list[str]) -> list[str]:
    ends = [place for place, word in enumerate(words) if word.startswith(("&", "|", ";", ">", "2>"))]
    return words[: min(ends, default=len(words))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_can_be_typed(page: Path) -> None:
    for words in typed(page.read_text(encoding="utf-8")):
        name = next((" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in COMMANDS), "")
        assert name, f"maskbench {' '.join(words)}"
        COMMANDS[name].make_context(name, words[len(name.split()) :])


def test_there_are_commands_and_a_wrong_one_is_found() -> None:
    assert sum(len(typed(page.read_text(encoding="utf-8"))) for page in PAGES) > 60
    assert typed("```bash\nCUDA=$gpu maskbench run standard --shard $((gpu + 1))/8 &\n```\n") == [
        ["run", "standard", "--shard", "1/8"]
    ]
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["run"].make_context("run", ["quick", "--lmit", "3"])
