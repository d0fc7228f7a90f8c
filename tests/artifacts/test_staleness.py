"""An edited source makes exactly what runs it run again; in a copy of the tree, in interpreters of their own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from bare_runs import run_bare
from trees import copied, importable

SUITE = """
data: {source: digits, limit: 120}
seeds: 1
methods: [raw, full-mask, random, saliency]
attacks: [telea, restorer]
settings: {scored: 16, recognition: {epochs: 1}, attack: {epochs: 1}, restoration: {epochs: 1}}
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source, with a store that a first run has filled."""
    root = copied(tmp_path_factory.mktemp("tree"))
    importable(root)
    (root / "README.md").write_text("hello\n")
    (root / "suite.yaml").write_text(SUITE)
    assert not _run(root)["source"].eq("failed").any()
    return root


def _run(tree: Path) -> pd.DataFrame:
    out = f"out-{len(list(tree.glob('out-*')))}"
    return pd.read_csv(run_bare(tree, "suite.yaml", out, imports=[tree / ".importable"]) / "timings.csv")


def _recomputed(tree: Path, file: str, before: str, after: str) -> set[str]:
    """Edit a file, run, put it back; the titles of the stages that ran again, without seed and scoring."""
    path = tree / file
    text = path.read_text()
    assert text.count(before) == 1, f"{file} has changed: mend this test"
    path.write_text(text.replace(before, after))
    try:
        timings = _run(tree)
    finally:
        path.write_text(text)
    ran = timings[(timings["source"] == "computed") & (timings["stage"] != "scoring")]
    return {title.removesuffix(" · seed 0") for title in ran["title"]}


MASKED = ("full-mask", "random", "saliency")
RESTORER = {f"restoration restorer of {method}" for method in ("raw", *MASKED)}

EDITS = {
    "nothing": ("README.md", "hello", "good bye", set()),
    "a comment": (
        "bench/maskbench/training/restorer.py",
        '"""Training a restorer',
        '# a comment\n"""Training a restorer',
        set(),
    ),
    "a constant of a helper that only the restorer imports": (
        "bench/maskbench/training/restorer.py",
        "KEPT_WEIGHT = 0.1",
        "KEPT_WEIGHT = 0.2",
        RESTORER,
    ),
    "a plug-in's default": (
        "attacks/inpainting.py",
        "radius: float = Field(3.0,",
        "radius: float = Field(4.0,",
        {f"restoration telea of {method}" for method in MASKED},
    ),
    "an attribution's constant": (
        "bench/maskbench/attributions/gradients.py",
        "steps: int = Field(16",
        "steps: int = Field(8",
        {
            "attribution integrated-gradients · owner_train · owner · target",
            "attribution integrated-gradients · owner_test · owner · target",
            "attribution integrated-gradients · attacker_train · attacker · target",
            "attribution integrated-gradients · attacker_validation · attacker-validation · target",
            *(f"attribution integrated-gradients · attacker_train · attacker-{draw} · target" for draw in (1, 2, 3)),
            "release saliency · owner",
            "release saliency · attacker",
            *(f"release saliency · attacker · draw {draw}" for draw in (1, 2, 3)),
            "recognition saliency",
            "restoration telea of saliency",
            "restoration restorer of saliency",
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_exactly_what_runs_the_code_runs_again(tree: Path, name: str) -> None:
    file, before, after, expected = EDITS[name]
    assert _recomputed(tree, file, before, after) == expected
