"""The report: one JSON file with all that was found, and the same as Markdown for people."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu_check.order import Part

REHEARSAL = "A rehearsal on the CPU: the sizes are too small to measure anything."


class Report:
    """Written anew after each part, so that a check that is cut off leaves what it had.

    Args:
        out: folder; made if need be.
        device: what was asked for.
        rehearsal: whether the sizes measure nothing.
    """

    def __init__(self, out: Path, *, device: str, rehearsal: bool) -> None:
        self._out = out
        self._found: dict[str, Any] = {
            "device": device,
            "rehearsal": rehearsal,
            "started": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "parts": {},
        }
        self._titles: dict[str, str] = {}
        self.markdown = out / "check.md"

    @property
    def failed(self) -> list[str]:
        """The parts that did not end by themselves and well."""
        return [name for name, part in self._found["parts"].items() if part["status"] != "done"]

    def add(self, part: Part, found: dict[str, Any]) -> None:
        """Add what a part found, and write the files."""
        self._found["parts"][part.name] = found
        self._titles[part.name] = part.title
        name = self._name()
        self._out.mkdir(parents=True, exist_ok=True)
        (self._out / f"{name}.json").write_text(json.dumps(self._found, indent=1) + "\n", encoding="utf-8")
        self.markdown = self._out / f"{name}.md"
        self.markdown.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _name(self) -> str:
        """Of the files: the card's, so that results of several lie beside each other."""
        card = self._found["parts"].get("facts", {}).get("notes", {}).get("name", self._found["device"])
        return re.sub(r"[^a-z0-9]+", "-", str(card).lower()).strip("-")[:60]

    def _lines(self) -> Iterator[str]:
        parts = self._found["parts"]
        yield f"# GPU check: {parts.get('facts', {}).get('notes', {}).get('name', self._found['device'])}"
        yield ""
        yield f"{self._found['started']}. Each part ran in a process of its own."
        if self._found["rehearsal"]:
            yield f"\n**{REHEARSAL}**"
        yield "\n| part | status | seconds |\n| --- | --- | ---: |"
        for name, part in parts.items():
            yield f"| {name} | {part['status']} | {part['seconds']} |"
        for name, part in parts.items():
            yield f"\n## {self._titles[name]}\n"
            if not part["notes"]:
                yield "Nothing was found."
            elif all(isinstance(note, dict) for note in part["notes"].values()):
                yield from _table(part["notes"])
            else:
                for key, value in part["notes"].items():
                    yield f"- {key}: {_shown(value)}"


def _table(notes: dict[str, dict[str, Any]]) -> Iterator[str]:
    """One row a note, one column for each key that any of them has."""
    columns = list(dict.fromkeys(key for note in notes.values() for key in note))
    yield f"| | {' | '.join(columns)} |"
    yield f"| --- |{' ---: |' * len(columns)}"
    for name, note in notes.items():
        yield f"| {name} | {' | '.join(_shown(note.get(column, '')) for column in columns)} |"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return str(value).replace("|", "\\|")
