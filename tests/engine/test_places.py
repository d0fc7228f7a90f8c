"""Where data and weights lie on this machine: of no influence on results, and nobody's business who reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from halves import drawn_bits, write_halves
from maskbench.plugins.catalogue import create
from maskbench.report.write import write_tables
from tiny import run, tiny


def test_a_label_shows_the_name_of_a_file_alone() -> None:
    attack = create("attack", "lama", {"weights": "/somebody/secret/weights.pt", "enlarge": 0})
    assert attack.label() == "lama:enlarge=0,weights=weights.pt"


@pytest.mark.slow
def test_a_folder_that_moved_is_the_same_data_by_another_name(tmp_path: Path) -> None:
    bits = drawn_bits()
    labels = {"kind": bits[:, 0], "task": bits[:, 1]}
    write_halves(tmp_path / "first" / "train.parquet", bits, labels)
    computed = []
    for name in ("first", "second"):
        if name == "second":
            (tmp_path / "first").rename(tmp_path / "second")
        suite = tiny(
            ("random",),
            ("released", f"lama:weights={tmp_path}/hidden-folder/weights.pt"),
            data={"source": str(tmp_path / name), "target": "task", "sensitive": "kind", "limit": 300},
        )
        found, log = run(suite, tmp_path / "store")
        assert set(found.cells["dataset"]) == {name}
        found.folder.write(tmp_path / f"results-{name}")
        write_tables(found.folder, tmp_path / f"results-{name}")
        computed.append(len(log.outcomes["computed"]))
    assert computed[0] > 0 and computed[1] == 0
    for file in (tmp_path / "results-second").rglob("*.*"):
        if file.suffix in (".json", ".csv", ".md"):
            text = file.read_text()
            assert "hidden-folder" not in text and str(tmp_path) not in text, file.name
