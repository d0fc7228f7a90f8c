"""TorchScript that reaches beyond its input is not loaded, and weights are read from regular files alone."""

from __future__ import annotations

import os
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from maskbench import UsageError
from maskbench.artifacts import file_digest
from maskbench.artifacts.file_digest import content_digest
from maskbench.models.torchscript import load_torchscript
from maskbench.models.weights import read_state
from torch import Tensor, nn


class Doubles(nn.Module):
    """Multiply by two."""

    def forward(self, images: Tensor) -> Tensor:
        return images * 2


class WritesWhenRun(nn.Module):
    """Make a file by mapping it."""

    def forward(self, images: Tensor) -> Tensor:
        return images + torch.from_file("written", True, 4, dtype=torch.float32)[0]


class WritesWhenLoaded(nn.Module):
    """Save a tensor as soon as it is unpickled."""

    def forward(self, images: Tensor) -> Tensor:
        return images

    @torch.jit.export
    def __getstate__(self) -> tuple[Tensor, bool]:
        return torch.ones(1), self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[Tensor, bool]) -> None:
        torch.save(state[0], "written")


def _written(network: nn.Module, file: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(str(file))
    return file


def _edited(file: Path, edit: Callable[[str], str]) -> Path:
    """The same archive with other code."""
    other = file.with_suffix(".edited.pt")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(member, edit(content.decode()).encode() if member.endswith(".py") else content)
    return other


def test_a_program_that_computes_is_loaded(tmp_path: Path) -> None:
    loaded = load_torchscript(_written(Doubles(), tmp_path / "network.pt"))
    assert torch.equal(loaded(torch.ones(2)), 2 * torch.ones(2))


@pytest.mark.parametrize(("network", "operator"), [(WritesWhenRun(), "from_file"), (WritesWhenLoaded(), "save")])
def test_a_program_that_writes_files_is_refused_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: nn.Module, operator: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = _written(network, tmp_path / "network.pt")
    with pytest.raises(UsageError, match=f"calls '{operator}', which reaches beyond its input"):
        load_torchscript(file)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    "line",
    [
        'torch.save(images, "written")',
        't = torch\n    t.save(images, "written")',
        'torch . save(images, "written")',
        't = torch.from_file\n    t("written", True, 4)',
        'ops.aten.from_file("written", True, 4)',
        'ops.image.write_file("written", images)',
        "ops.anything.at_all(images)",
        'ops.aten.save(images, "written")',
    ],
)
def test_however_the_call_is_spelled(tmp_path: Path, line: str) -> None:
    file = _written(Doubles(), tmp_path / "network.pt")
    edited = _edited(file, lambda code: re.sub(r"(Tensor:\n)", rf"\1    {line}\n", code, count=1))
    with pytest.raises(UsageError, match="reaches beyond its input"):
        load_torchscript(edited)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_torchscript(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "network.pt").write_bytes(content)
    with pytest.raises(UsageError, match="Cannot read TorchScript"):
        load_torchscript(tmp_path / "network.pt")


READERS = [load_torchscript, read_state, content_digest]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "network.pt")
    with pytest.raises(UsageError, match="is no regular file"):
        read(tmp_path / "network.pt")


@pytest.mark.parametrize("read", READERS)
def test_weights_have_a_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(file_digest, "LARGEST", 1 << 30)
    with (tmp_path / "network.pt").open("wb") as file:
        file.truncate((1 << 30) + 1)  # without taking the space
    with pytest.raises(UsageError, match=r"has 1\.0 GB; weights may have 1 GB"):
        read(tmp_path / "network.pt")
