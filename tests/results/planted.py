"""Results with outcomes that are set by hand, and tables of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from maskbench.artifacts.store import Artifact
from maskbench.planning.cell import Attack, Cell
from maskbench.planning.matrix import Matrix
from maskbench.planning.suite import validate
from maskbench.plugins.catalogue import create
from maskbench.plugins.method import Method
from maskbench.plugins.reserved import RECOGNITION
from maskbench.results.assemble import Tables, assemble
from maskbench.results.result import Result
from maskbench.stages.data import Data

IMAGES = 200
"""Of each split. The sensitive label has 4 classes and a prior that is right for every 4th image."""

RAW = create("method", "raw", {})
NULL = create("method", "full-mask", {})
RANDOM = create("method", "random", {"ratio": 0.75})
PIXELATE = create("method", "pixelate", {})

RELEASED = create("attack", "released", {})
TELEA = create("attack", "telea", {})
RESTORER = create("attack", "restorer", {})
ADAPTIVE = create("attack", "adaptive", {})
REVERSE = create("attack", "reverse", {})
MASK_ONLY = create("attack", "mask-only", {})

SPLITS = {"owner_train": np.arange(IMAGES), "owner_test": np.arange(IMAGES, 2 * IMAGES)}
DATA = Artifact(
    {"target": torch.arange(2 * IMAGES) % 2},
    {
        "name": "planted",
        "target": "parity",
        "sensitive": "digit",
        "target_classes": ["even", "odd"],
        "sensitive_classes": ["a", "b", "c", "d"],
    },
)


def restored(
    method: Method, attack: Attack, ssim: Any, *, seed: int = 0, validation: float = 0.0, share: float = 1.0
) -> Result:
    """A restoration whose SSIM, in the hole and over all, is ``ssim`` for each image; PSNR is a hundred times that."""
    values = torch.as_tensor(np.broadcast_to(np.asarray(ssim, dtype=np.float64), IMAGES).copy())
    columns = {name: values for name in ("ssim", "ssim_hole")}
    columns |= {name: 100 * values for name in ("psnr", "psnr_hole", "gain")}
    return _result(Cell(method, attack, None, seed, None, aux_share=share), columns, validation)


def inferred(
    method: Method,
    attack: Attack,
    correct: Any,
    *,
    seed: int = 0,
    validation: float = 0.0,
    share: float = 1.0,
    **more: torch.Tensor,
) -> Result:
    """An inference of the sensitive label that is right where ``correct`` is."""
    right = torch.as_tensor(np.broadcast_to(np.asarray(correct, dtype=np.float64), IMAGES).copy())
    truth = torch.arange(IMAGES) % 4
    columns = {
        "truth": truth,
        "guess": torch.where(right == 1, truth, (truth + 1) % 4),
        "correct": right,
        "prior_correct": (truth == 0).double(),
        "information": right,
        **more,
    }
    return _result(Cell(method, attack, "sensitive", seed, None, aux_share=share), columns, validation)


def recognized(method: Method, correct: Any = 1.0, *, seed: int = 0) -> Result:
    """Recognition of the target label on owner-test."""
    right = torch.as_tensor(np.broadcast_to(np.asarray(correct, dtype=np.float64), IMAGES).copy())
    truth = torch.arange(IMAGES) % 2
    columns = {"truth": truth, "guess": truth, "correct": right, "prior_correct": (truth == 0).double()}
    return _result(Cell(method, RECOGNITION, "target", seed, None), columns, 0.0, ("owner_test",))


def missing(method: Method, attack: Attack, status: str, *, seed: int = 0) -> Result:
    """A cell that did not run."""
    label = None if attack.kind == "restoration" else "sensitive"
    return Result(Cell(method, attack, label, seed, None), status, f"{attack.name} {status}", "", None)


def _result(
    cell: Cell, columns: dict[str, torch.Tensor], validation: float, splits: Sequence[str] = tuple(SPLITS)
) -> Result:
    tensors = {f"{split}/{name}": column for split in splits for name, column in columns.items()}
    tensors |= {f"{split}/number": torch.as_tensor(SPLITS[split]) for split in splits}
    return Result(cell, "ok", "", "key", Artifact(tensors, {"validation": dict.fromkeys(SPLITS, validation)}))


def tables(found: Sequence[Result], *, aux_shares: Sequence[float] = (1.0,)) -> Tables:
    """The tidy tables of planted results; the number of seeds is theirs."""
    methods = tuple(dict.fromkeys([RAW, NULL, *(result.cell.method for result in found)]))
    attacks = tuple(dict.fromkeys(result.cell.plugin for result in found if result.cell.plugin is not None))
    content = {
        "name": "planted",
        "data": {"source": "digits"},
        "methods": tuple(method.label() for method in methods),
        "seeds": 1 + max(result.cell.seed for result in found),
        "aux_shares": tuple(aux_shares),
    }
    suite = validate(content, "planted")
    matrix = Matrix(suite, Data(suite.data), methods, attacks, tuple(result.cell for result in found))
    return assemble(matrix, found, DATA)


def value(found: Tables, metric: str, *, seed: int | None = None, split: str = "owner_train", **where: str) -> Any:
    """The row of a metric, over seeds unless one is named."""
    cells = found.cells
    rows = cells[(cells["metric"] == metric) & (cells["split"] == split) & (cells["aux_share"] == 1)]
    rows = rows[rows["seed"].isna() if seed is None else rows["seed"] == seed]
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1, rows
    return rows.iloc[0]
