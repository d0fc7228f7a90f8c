"""LaTeX of tables: the rules of booktabs, and text that is set as it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from maskbench.report.latex import escaped, to_latex
from maskbench.report.tables.attacks import TABLES
from maskbench.report.write import write_tables
from planted_pages import full_run


def test_a_table_has_rules_and_columns_by_what_they_hold() -> None:
    frame = pd.DataFrame({"method": ["raw", "a_b"], "accuracy %": ["95.2 [93.0, 96.9]", "–"]})
    assert to_latex(frame, "What 50 % keep.", "planted").splitlines() == [
        "% \\usepackage{booktabs}",
        "\\begin{table}",
        "\\caption{What 50 \\% keep.}",
        "\\label{tab:planted}",
        "\\begin{tabular}{lr}",
        "\\toprule",
        "method & accuracy \\% \\\\",
        "\\midrule",
        "raw & 95.2 [93.0, 96.9] \\\\",
        "a\\_b & -- \\\\",
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]


def test_no_name_of_a_plug_in_is_a_command() -> None:
    assert escaped(r"\input{x}$^~") == r"\textbackslash{}input\{x\}\$\textasciicircum{}\textasciitilde{}"


def test_every_table_is_written_as_latex_too(tmp_path: Path) -> None:
    write_tables(full_run(), tmp_path)
    written = {path.stem for path in (tmp_path / "tables").glob("*.md")}
    assert {path.stem for path in (tmp_path / "tables").glob("*.tex")} == written >= {"summary", "attacks-inference"}


def test_attacks_stand_by_kind_with_one_decimal_and_no_constant_column() -> None:
    tables = {table.name: table for table in TABLES}
    assert {"attacks-restoration", "attacks-inference"} <= set(tables)
    frame = tables["attacks-inference"].build(full_run())
    constant = [name for name in frame if frame[name].nunique() == 1 and name not in ("method", "attack")]
    assert not [name for name in constant if not frame[name].str.match(r"[-\d–]").all()]
    mine = frame[(frame["method"] == "saliency") & (frame["hidden"] == "75%") & (frame["attack"] == "adaptive")]
    assert mine["advantage %"].iloc[0].startswith("30.0 [")
    assert tables["attacks-matching"].build(full_run()).empty
