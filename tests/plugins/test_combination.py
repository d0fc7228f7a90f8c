"""Model adjustments that act together: ``adjust=a+b``."""

from __future__ import annotations

import pytest
import torch
from maskbench import UsageError, build_recognizer, method
from maskbench.plugins.combination import Combination
from torch import nn

CLASSES, SIDE = 4, 32


def recognizer(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_recognizer("small:width=4", channels=3, classes=CLASSES, size=(SIDE, SIDE)).eval()


def test_every_part_acts() -> None:
    teacher = recognizer(7)
    combination = Combination.parse("distill(weight=1)+mask-dropout+masknet(gates=input)")
    module = combination.wrap(recognizer(), teacher)
    images = torch.rand(8, 3, SIDE, SIDE)
    plain = Combination.parse("masknet(gates=input)").wrap(recognizer(), None)
    weights, expected = ([weight.shape for weight in each.parameters()] for each in (module, plain))
    assert weights == expected
    module.train()
    assert not torch.equal(module(images, None), module(images, None))  # what is hidden is drawn anew
    task, taught = torch.tensor(3.0), torch.randn(8, CLASSES)
    assert float(combination.loss(task, taught, taught)) == pytest.approx(0.0, abs=1e-5)


def test_the_order_in_which_they_are_written_does_not_matter() -> None:
    one, other = Combination.parse("masknet+distill+mask-dropout"), Combination.parse("mask-dropout+distill+masknet")
    assert one.parameters() == other.parameters()
    assert [each.name for each in one.adjustments] == ["masknet", "mask-dropout", "distill"]


def test_weights_of_the_teacher_go_into_what_is_adjusted() -> None:
    teacher = recognizer(7)
    module = Combination.parse("masknet(gates=none)+fine-tune").wrap(recognizer(), teacher).eval()
    images = torch.rand(2, 3, SIDE, SIDE)
    assert torch.equal(module(images, torch.ones(2, 1, SIDE, SIDE)), teacher(images))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("masknet+mask-channel", "both act on the network"),
        ("masknet+masknet(width=8)", "both act on the network"),
        ("distill+none", "'none' goes with no other"),
        ("masknet+", "on both sides"),
        ("+distill", "on both sides"),
        ("masknet++distill", "on both sides"),
        ("masknet+distil", "distill"),
        ("masknet+distill(temperature=0)", "temperature"),
        ("masknet(gates=input+distill", "not closed"),
    ],
)
def test_what_does_not_go_together_is_refused(text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part.replace("(", r"\(")):
        method(f"random:adjust={text}") if "(" not in text else Combination.parse(text)


def test_a_combination_is_a_parameter_like_any_other() -> None:
    built = method("random:adjust=masknet(gates=input)+distill(temperature=2),patch=2")
    assert built.needs_answers() and not built.needs_teacher()
    assert built.adaptation_parameters()["adjust"]["distill"]["temperature"] == 2
    assert len(built.adaptation_modules()) == 2
    with pytest.raises(UsageError, match="looks at the masks"):
        method("random:adjust=distill+masknet,masks=withheld")
