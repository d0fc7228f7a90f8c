"""What training a recognizer is handed beside the release, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from maskbench.data.options import DataOptions
from maskbench.models.recognizer import Recognizer
from maskbench.plugins.adjustment import Adjustment
from maskbench.plugins.catalogue import create, create_nested
from maskbench.plugins.names import parse
from maskbench.stages.data import Data
from maskbench.stages.recognition import Recognition
from maskbench.stages.settings import Settings
from maskbench.stages.soft_labels import SoftLabels
from maskbench.stages.teacher import Teacher
from maskbench.stages.trial import Trial
from tiny import run, tiny
from torch import Tensor, nn


def beside(adjust: str) -> dict[str, str]:
    """Input of recognition → whose it is, without the data and the release."""
    data = Data(DataOptions(source="digits"))
    method = create("method", *parse(f"random:adjust={adjust}"))
    inputs = Recognition(Trial(data, method, Settings(), 0)).inputs()
    teachers = {
        name: stage.teacher if isinstance(stage, SoftLabels) else stage
        for name, stage in inputs.items()
        if isinstance(stage, SoftLabels | Teacher)
    }
    assert {teacher.label for teacher in teachers.values()} <= {"target"}
    return {name: teacher.party for name, teacher in teachers.items()}


@pytest.mark.parametrize(
    ("adjust", "expected"),
    [
        ("none", {}),
        ("fine-tune", {"teacher": "owner"}),
        ("distill", {"soft-labels": "owner"}),  # what the teacher says, not its weights
        ("public-pretraining", {"public": "attacker"}),
        ("masknet+public-pretraining+distill", {"public": "attacker", "soft-labels": "owner"}),
    ],
)
def test_weights_of_the_owners_teacher_go_to_who_asks_for_them_alone(adjust: str, expected: dict[str, str]) -> None:
    assert beside(adjust) == expected


def test_public_pretraining_starts_from_what_the_attackers_pictures_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Tensor]] = []
    adjustment: type[Adjustment] = type(create_nested("adjustment", "public-pretraining"))
    wrap = adjustment.wrap

    def seen(self: Adjustment, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        assert teacher is None
        started.append({name: tensor.clone() for name, tensor in recognizer.state_dict().items()})
        return wrap(self, recognizer, teacher)

    monkeypatch.setattr(adjustment, "wrap", seen)
    ran, _ = run(tiny(("random:adjust=public-pretraining+distill",), attacks=()), tmp_path)
    assert set(ran.cells["status"]) == {"ok"}
    expected = ran.artifact(ran.step("teacher · attacker · target · seed 0").stage).tensors
    assert set(started[0]) == set(expected)
    assert all(torch.equal(started[0][name], tensor) for name, tensor in expected.items())
    answers = ran.artifact(ran.step("soft labels · owner · target · seed 0").stage).tensors
    assert {name: len(tensor) for name, tensor in answers.items()} == {"owner_train": 150}
