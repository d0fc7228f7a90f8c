"""What a run leaves, in memory and as a folder. Reports, comparisons and audits read nothing else.

Layout: ``cells.parquet``, ``cells.csv``, ``samples.parquet``, ``timings.csv``, ``flags.json``, ``run.json``,
``SHA256SUMS``, ``pictures/`` and, where a stage failed, ``failures.log``. Tables and figures lie beside them and can be
made again from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from maskbench.errors import UsageError
from maskbench.results.examples import Example
from maskbench.results.flags.kind import Flag
from maskbench.results.schema import COLUMNS, PROBABILITIES, SCHEMA_VERSION
from maskbench.runfolder import checksums, pictures

_RUN, _CELLS, _SAMPLES, _TIMINGS, _FLAGS = "run.json", "cells.parquet", "samples.parquet", "timings.csv", "flags.json"
_PICTURES, _FAILURES = "pictures", "failures.log"

NEEDED = (_CELLS, _SAMPLES, _TIMINGS, _FLAGS)
"""The files without which, beside ``run.json``, a folder cannot be read."""

CELLS_CSV = "cells.csv"
"""The same as ``cells.parquet``, for other programs."""


class OtherSchema(UsageError):
    """A run folder of a version that this maskbench does not read."""


@dataclass(frozen=True)
class RunFolder:
    """Everything that a run found.

    Attributes:
        cells: one row a cell and metric; columns as in ``maskbench.results.schema``.
        samples: one row a cell, seed and image: all that the numbers of ``cells`` are made of.
        timings: one row a stage.
        flags: what should not be trusted as it is, and how results are to be read.
        provenance: command, suite, data, seeds, versions, hardware, state of the source.
        pictures: examples; empty where the run was asked for none.
        failures: tracebacks of the stages that failed.
    """

    cells: pd.DataFrame
    samples: pd.DataFrame
    timings: pd.DataFrame
    flags: tuple[Flag, ...]
    provenance: dict[str, Any]
    pictures: tuple[Example, ...] = ()
    failures: str = ""

    def write(self, folder: Path) -> None:
        """Write everything but tables and figures into a folder that is empty or not there yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.cells.to_parquet(folder / _CELLS, index=False)
        self.cells.to_csv(folder / CELLS_CSV, index=False)
        _write_samples(self.samples, folder / _SAMPLES)
        self.timings.to_csv(folder / _TIMINGS, index=False)
        records = [flag.record() for flag in self.flags]
        (folder / _FLAGS).write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if self.pictures:
            pictures.write(self.pictures, folder / _PICTURES)
        if self.failures:
            (folder / _FAILURES).write_text(self.failures, encoding="utf-8")
        about = (json.dumps(self.provenance, indent=1) + "\n").encode()
        written = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        listed = checksums.text(folder, written, {_RUN: about})
        (folder / checksums.CHECKSUMS).write_text(listed, encoding="utf-8")
        # Last: a folder that has it is complete.
        (folder / _RUN).write_bytes(about)

    @classmethod
    def read(cls, folder: Path, *, with_pictures: bool = True) -> RunFolder:
        """Read what ``write`` wrote.

        Args:
            with_pictures: read the examples too; nothing that is computed needs them.

        Raises:
            UsageError: it is no run folder, one of another schema, or something in it is missing or damaged.
        """
        provenance = _provenance(folder)
        missing = [name for name in NEEDED if not (folder / name).is_file()]
        if missing:
            raise UsageError(f"{folder} is not complete: there is no {missing[0]} in it.")
        try:
            cells = pd.read_parquet(folder / _CELLS)
            samples = pd.read_parquet(folder / _SAMPLES)
            timings = pd.read_csv(
                folder / _TIMINGS, keep_default_na=False, na_values={"seconds": "", "peak_memory": ""}
            )
            flags = tuple(map(Flag.of_record, json.loads((folder / _FLAGS).read_text(encoding="utf-8"))))
            shown = pictures.read(folder / _PICTURES) if with_pictures and (folder / _PICTURES).is_dir() else ()
            failures = (folder / _FAILURES).read_text(encoding="utf-8") if (folder / _FAILURES).is_file() else ""
        except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
            raise UsageError(f"{folder} cannot be read: {error}") from error
        missing = [name for name in COLUMNS if name not in cells]
        if missing:
            raise UsageError(f"{folder} cannot be read: its {_CELLS} has no column {missing[0]}.")
        return cls(cells, samples, timings, flags, provenance, shown, failures)

    @property
    def inferred(self) -> str:
        """Which label's inference is the leakage: the sensitive one, where there is one; else the target label."""
        return "sensitive" if self.provenance["data"]["sensitive"] else "target"

    @property
    def classes(self) -> dict[str, int]:
        """Label (target, sensitive) → its number of classes; 0 where there is none."""
        return {label: len(self.provenance["data"][f"{label}_classes"]) for label in ("target", "sensitive")}


def _provenance(folder: Path) -> dict[str, Any]:
    path = folder / _RUN
    if not path.is_file():
        what = "no run folder" if folder.is_dir() else "no folder"
        raise UsageError(f"{folder} is {what}: there is no {_RUN} in it. Name one that `maskbench run` has written.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version = found["schema_version"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} is damaged: {error}") from None
    if version != SCHEMA_VERSION:
        raise OtherSchema(
            f"{folder} was written with version {version} of the run folder's schema, and this maskbench reads version "
            f"{SCHEMA_VERSION}: run the suite again (what is in the store is found), or read it with the maskbench "
            f"that wrote it ({found.get('maskbench', 'unknown')})."
        )
    return dict(found)


def _write_samples(samples: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(samples, preserve_index=False)
    if PROBABILITIES in table.column_names:
        place = table.column_names.index(PROBABILITIES)
        lists = pa.array(samples[PROBABILITIES], from_pandas=True, type=pa.list_(pa.float32()))
        table = table.set_column(place, PROBABILITIES, lists)
    pq.write_table(table, path, compression="zstd")
