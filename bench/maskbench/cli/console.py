"""Where the commands print: never a reason to fail, whatever the output can show and whether anybody reads it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

_FILE_WIDTH = 130  # columns where the output goes to a file or a pipe, which have no width of their own
_STANDARD = ("stdin", "stdout", "stderr")


def terminal() -> Console:
    """The terminal at its own width, or a file at a fixed one; ``COLUMNS`` decides for both, where it is set.

    ``NO_COLOR`` is honoured by rich itself.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return Console(width=int(columns))
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)


def tell_where(folder: Path, console: Console) -> None:
    """Where results lie, and the report to open, where there is one."""
    console.print(f"Results: {escape(str(folder))}", highlight=False, soft_wrap=True)
    report = folder / "report.html"
    if report.is_file():
        console.print(f"open {escape(str(report))}", highlight=False, soft_wrap=True)


class PatientStream(io.TextIOWrapper):
    """A stream that shows what it can: other characters are replaced, and what nobody reads any more is dropped."""

    def write(self, text: str) -> int:
        """Write, or drop the text."""
        try:
            return super().write(text)
        except OSError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what is left."""
        try:
            super().flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Send everything to nowhere from now on; the work goes on, and its results are files."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def prepare_streams() -> None:
    """Make the process's own output safe to print to: closed, cut off by ``| head``, or of few characters."""
    for number in range(len(_STANDARD)):
        try:
            os.fstat(number)
        except OSError:
            # Takes this number, the lowest that is free: else the next file to be opened would get what is printed.
            os.open(os.devnull, os.O_RDWR)
    for name in _STANDARD[1:]:
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for the whole process
        elif type(stream) is io.TextIOWrapper:  # the interpreter's own, not one that catches what is printed
            patient = PatientStream(
                stream.buffer, encoding=stream.encoding, errors="replace", line_buffering=stream.line_buffering
            )
            setattr(sys, name, patient)
