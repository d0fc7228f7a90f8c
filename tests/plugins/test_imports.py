"""What the import of a plug-in changes, raises or ends is named, and put back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from maskbench import UsageError
from maskbench.plugins import judging
from maskbench.plugins.catalogue import catalogue
from plugin_places import as_file, installed
from plugin_sources import written

MEDDLING = {
    "torch.set_default_dtype(torch.float64)": "changed the default dtype to float64",
    "torch.set_num_threads(3)": "changed the number of threads to 3",
    "torch.set_grad_enabled(False)": "changed whether gradients are computed to False",
    "torch.manual_seed(7)": "seeded torch's global generator",
    "torch.Tensor.mean = lambda *given: 0": "replaced torch.Tensor.mean",
    "judging.output = lambda *given: None": "replaced maskbench.plugins.judging.output",
}


@pytest.mark.parametrize("line", MEDDLING)
def test_what_an_import_changes_is_named_and_put_back(tmp_path: Path, line: str) -> None:
    """The first stage would take for given what was changed before it."""
    before = (
        torch.Tensor.mean,
        judging.output,
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
    )
    text = f"import torch\nfrom maskbench.plugins import judging\n{line}\n{written('method', 'given-here')}"
    with pytest.raises(
        UsageError, match=re.escape(f"does not load: its import {MEDDLING[line]}: plug-ins must leave it")
    ):
        as_file(tmp_path, "method", text)
    after = (
        torch.Tensor.mean,
        judging.output,
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
    )
    assert after == before
    assert "given-here" not in catalogue().names("method")


def test_what_the_import_of_an_installed_one_changes_is_named(tmp_path: Path) -> None:
    text = f"import torch\ntorch.set_default_dtype(torch.float64)\n{written('method', 'installed-here')}"
    installed(tmp_path, "method", text)
    assert "installed-here" not in catalogue().names("method")
    assert catalogue().broken["installed_here"].startswith("its import changed the default dtype to float64")
    assert torch.get_default_dtype() == torch.float32


def test_a_file_that_ends_the_program_does_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not load: SystemExit: 3"):
        as_file(tmp_path, "method", "import sys\nsys.exit(3)\n")
    with pytest.raises(UsageError, match="defines no plug-in"):
        as_file(tmp_path, "method", "x = 1\n")
    installed(tmp_path, "method", "import sys\nsys.exit(3)\n")
    assert "random" in catalogue().names("method")
    assert catalogue().broken == {"installed_here": "SystemExit: 3"}
    with pytest.raises(UsageError, match="Not read: installed_here: SystemExit: 3"):
        catalogue().get("method", "nothing-like-it")
