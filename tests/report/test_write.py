"""Tables and figures are found by lying in their folders, and one that raises takes no other with it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from maskbench import running
from maskbench.artifacts.store import Store
from maskbench.errors import PartFailed
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.planning.suite import load
from maskbench.report import tables as tables_folder
from maskbench.report import write
from maskbench.report.leakage_report import NAME
from maskbench.runfolder.folder import RunFolder
from maskbench.runs import load as load_run
from planted_runs import planted_run

MODULE = """
import pandas as pd
from maskbench.report.parts import Table

def build(run):
    {body}

{sets} = Table("{name}", build, lambda run: "Planted.")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of tables, which another package could not add: for this test alone."""
    place = tmp_path / "more"
    place.mkdir()
    monkeypatch.setattr(tables_folder, "__path__", [*tables_folder.__path__, str(place)])
    write.tables.cache_clear()
    importlib.invalidate_caches()
    yield place
    write.tables.cache_clear()


@pytest.fixture
def run() -> RunFolder:
    cell = {"method": "raw", "role": "raw", "attack": "none", "attack_kind": "none", "seed": 0, "status": "ok"}
    return planted_run([cell])


def plant(
    folder: Path, file: str, name: str, body: str = 'return pd.DataFrame({"a": [1]})', sets: str = "TABLE"
) -> None:
    """Lay a module with a table into the folder."""
    (folder / file).write_text(MODULE.format(name=name, body=body, sets=sets))


def test_a_table_is_found_by_lying_there(folder: Path, run: RunFolder, tmp_path: Path) -> None:
    plant(folder, "planted_one.py", "planted-one")
    write.write_tables(run, tmp_path)
    assert (tmp_path / "tables" / "planted-one.md").read_text() == "Planted.\n\n| a |\n| --- |\n| 1 |\n"
    assert pd.read_csv(tmp_path / "tables" / "planted-one.csv")["a"].tolist() == [1]


def test_one_that_raises_is_named_and_all_others_are_written(folder: Path, run: RunFolder, tmp_path: Path) -> None:
    plant(folder, "planted_broken.py", "a-broken-one", "raise KeyError('no such column')")
    plant(folder, "planted_good.py", "z-good-one")
    with pytest.raises(PartFailed, match=r"a-broken-one: KeyError: 'no such column'.*maskbench report"):
        write.write_tables(run, tmp_path)
    written = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {"summary.md", "z-good-one.md"} <= written
    assert "a-broken-one.md" not in written


def test_what_a_run_found_outlives_a_table_that_raises(
    folder: Path, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(folder, "planted_fatal.py", "a-fatal-one", "raise KeyError('no such column')")
    monkeypatch.setattr(running, "execute", lambda *given: None)
    monkeypatch.setattr(running, "results_of", lambda *given: run)
    device = torch.device("cpu")
    executor = LocalExecutor(Store(tmp_path / "store"), device)
    with pytest.raises(PartFailed, match="a-fatal-one"):
        running.run_suite(load("quick"), executor, Silent(), out=tmp_path / "out", command="")
    assert load_run(tmp_path / "out").cells["method"].tolist() == ["raw"]


def test_two_of_one_name_are_refused(folder: Path) -> None:
    plant(folder, "planted_twin.py", "summary")
    with pytest.raises(ValueError, match=r"tables.*summary.*and.*planted_twin both write 'summary'"):
        write.tables()


def test_a_module_that_sets_no_table_is_named(folder: Path) -> None:
    plant(folder, "planted_typo.py", "planted-typo", sets="TABEL")
    with pytest.raises(ValueError, match="planted_typo sets no TABLE"):
        write.tables()


def test_the_same_folder_gives_the_same_figures(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "_write_page", lambda *given: None)
    drawn = []
    for name in ("one", "other"):
        write.write_report_and_figures(run, tmp_path / name)
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / name / "figures").iterdir()})
    assert drawn[0] == drawn[1]
    assert {path.rpartition(".")[2] for path in drawn[0]} == {"png", "svg"}


def test_what_the_page_lacks_keeps_nothing_else(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without plotly, say."""
    monkeypatch.setitem(sys.modules, "maskbench.report.html.page", None)
    with pytest.raises(PartFailed, match=r"Not written: report\.html: ModuleNotFoundError"):
        write.write_report_and_figures(run, tmp_path)
    assert (tmp_path / f"{NAME}.md").is_file() and (tmp_path / "figures").is_dir()
