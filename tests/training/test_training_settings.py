from __future__ import annotations

import pytest
from maskbench.training.settings import CLASSIFICATION, RESTORATION, Training
from pydantic import ValidationError


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1.0},
        {"schedule": "linear"},
        {"label_smoothing": 1.0},
        {"crop": -1},
        {"momentum": 0.9},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Training(**{**CLASSIFICATION.model_dump(), **wrong})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        RESTORATION.epochs = 3
