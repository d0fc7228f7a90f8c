"""What the command says of options for a cluster that do not fit; no cluster is needed for that."""

from __future__ import annotations

import sys

import maskbench as mb
import pytest
from tiny import command


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gpus-per-stage", "0.5"], "goes with --ray ADDRESS alone"),
        (["--ray", "auto", "--exclusive-timing"], "--ray does not go with --exclusive-timing"),
        (["--ray", "auto", "--gpus-per-stage", "-1"], "--gpus-per-stage -1: expected 0, a share"),
        (["--ray", "auto", "--gpus-per-stage", "nan"], "--gpus-per-stage nan: expected 0, a share"),
        (["--ray", "auto", "--gpus-per-stage", "inf"], "--gpus-per-stage inf: expected 0, a share"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: list[str], message: str) -> None:
    done = command("run", "quick", "--device", "cpu", *options)
    assert done.returncode == 2 and message in " ".join(done.stderr.split())


def test_without_the_extra_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(mb.UsageError, match=r"pip install 'maskbench\[ray\]'"):
        mb.run("quick", ray="auto", device="cpu", progress=False)
