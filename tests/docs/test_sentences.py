"""The pages are easy to read: short sentences, and one name for one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = (CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").glob("*.md")))
ENGINE = CHECKOUT / "bench" / "maskbench"
LONGEST = 32  # words

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) ", re.MULTILINE)
_END = re.compile(r"(?<=[.!?])[*_)]* +(?=[*_(\"]*[A-Z0-9`])")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page; code, tables and headings are none."""
    text = _FENCE.sub("\n\n", _COMMENT.sub("\n\n", text))
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("|", "#"))]
    text = _LINK.sub(r"\1", _ITEM.sub("\n\n", "\n".join(lines)))
    text = re.sub(r"`[^`\n]*`", "`code`", text)
    for paragraph in re.split(r"\n\s*\n", text):
        yield from filter(None, _END.split(" ".join(paragraph.split())))


def words(sentence: str) -> int:
    """How many words a reader reads: numbers and intervals beside them are none."""
    return sum(bool(re.search(r"[^\W\d_]", token)) for token in sentence.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_are_short(page: Path) -> None:
    long = [sentence for sentence in sentences(page.read_text(encoding="utf-8")) if words(sentence) > LONGEST]
    assert long == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_strongest_attack_is_called_so(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split()).lower()
    assert re.findall(r"worst[- ]case", text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there and, in a page, to a heading that is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name}: {target}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in map(_anchor, titles), f"{page.name}: {target}"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_files_that_are_named_are_there(page: str) -> None:
    """From the root, from the engine's folder, or in a folder that the same line names."""
    missing = []
    for line in (CHECKOUT / page).read_text(encoding="utf-8").splitlines():
        named = re.findall(r"`([\w./-]+(?:/|\.py|\.pyi|\.yaml))`", line)
        places = [CHECKOUT, ENGINE, *(CHECKOUT / name for name in named if name.endswith("/"))]
        missing += [name for name in named if not any((place / name).exists() for place in places)]
    assert missing == []


def test_a_long_sentence_is_found() -> None:
    """Across lines and behind a link; what is code, a table or a number counts for nothing."""
    short = "It is [short](page.md). `maskbench run quick` takes 3.5 [3.1, 4.0] minutes."
    assert [words(sentence) for sentence in sentences(short)] == [3, 3]
    long = " ".join(["word"] * 20) + "\n" + " ".join(["word"] * 13) + "."
    row = " ".join(long.split())
    text = f"# {row}\n\n- {long}\n\n```\n{long}\n```\n\n| {row} |\n"
    assert [words(sentence) for sentence in sentences(text)] == [33]
