"""Embeddings: the attacker's own, and a user's network from a TorchScript or an ONNX file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from maskbench.attacks._embedding import LearnedEmbedding, load_embedding
from maskbench.errors import UsageError
from maskbench.models.recognizers import build
from torch import Tensor, nn

CPU = torch.device("cpu")
SIDE, LENGTH = 8, 5


class Projection(nn.Module):
    """Colours averaged over columns, projected."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=3).flatten(1) @ self.weights


def weights() -> Tensor:
    return torch.randn(3 * SIDE, LENGTH, generator=torch.Generator().manual_seed(0))


def images(channels: int = 3) -> Tensor:
    return torch.rand(4, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def expected(shown: Tensor) -> Tensor:
    vectors = Projection(weights())(shown.expand(-1, 3, -1, -1)).detach()
    return vectors / vectors.norm(dim=1, keepdim=True)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    torch.jit.script(Projection(weights())).save(str(tmp_path / "network.pt"))
    return tmp_path / "network.pt"


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    """The same network: a mean over columns, and a matrix product."""
    onnx = pytest.importorskip("onnx", reason="needs the package onnx to write a file")
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
            helper.make_node("Gemm", ["flat", "weights"], ["vectors"]),
        ],
        "network",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("vectors", onnx.TensorProto.FLOAT, ["n", LENGTH])],
        [onnx.numpy_helper.from_array(weights()[:3].numpy(), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "network.onnx"))
    return tmp_path / "network.onnx"


@pytest.mark.parametrize("channels", [1, 3])
def test_torchscript_is_applied_and_brought_to_unit_length(script: Path, channels: int) -> None:
    torch.testing.assert_close(load_embedding(script, CPU)(images(channels)), expected(images(channels)))


@pytest.mark.parametrize("count", [1, 4])
def test_onnx_is_applied_through_opencv_in_batches_of_any_size(onnx_file: Path, count: int) -> None:
    shown = images()[:count]
    vectors = shown.mean(dim=(2, 3)) @ weights()[:3]
    found = load_embedding(onnx_file, CPU)(shown)
    torch.testing.assert_close(found, vectors / vectors.norm(dim=1, keepdim=True))


@pytest.mark.parametrize("suffix", [".pt", ".onnx"])
def test_a_file_of_something_else_is_named(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"broken{suffix}"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError, match=rf"broken{suffix}"):
        load_embedding(file, CPU)


def test_an_answer_that_is_no_list_of_vectors_is_refused(tmp_path: Path) -> None:
    torch.jit.script(nn.Identity()).save(str(tmp_path / "same.pt"))
    with pytest.raises(UsageError, match=r"answered \(4, 3, 8, 8\) to 4 images, not N × D"):
        load_embedding(tmp_path / "same.pt", CPU)(images())


def test_a_recognizer_embeds_by_what_its_last_layer_sees() -> None:
    network = LearnedEmbedding(build("small", channels=3, classes=7, size=(32, 32))).eval()
    shown = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    vectors = network.embed(shown)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    *_, last = (module for module in network.modules() if isinstance(module, nn.Linear))
    assert vectors.shape[1] == last.in_features
    assert network(shown).shape == (3, 7)
