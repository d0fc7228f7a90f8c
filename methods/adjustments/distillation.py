"""Learning from what the owner's recognizer of raw images says."""

from __future__ import annotations

from typing import ClassVar

from maskbench import ActsOn, Adjustment, ImageOnly, Recognizer
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F


class Distillation(Adjustment):
    """The recognizer of masked images also learns to answer as the owner's teacher answers to the raw ones.

    The teacher is asked once for each training image, as it is (no shift, no mirroring). The owner hands out its
    answers with the release. They tell of the raw images: the attack ``soft-labels`` reads them.
    """

    name: ClassVar[str] = "distill"
    source: ClassVar[str] = "1503.02531, section 2"
    acts_on: ClassVar[ActsOn] = "loss"
    needs_answers: ClassVar[bool] = True

    temperature: float = Field(4.0, gt=0, le=100, description="softens the answers of both")
    weight: float = Field(0.5, ge=0, le=1, description="of the teacher's answers against the labels")

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return ImageOnly(recognizer)

    def answer_temperature(self) -> float:
        return self.temperature

    def loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        assert taught is not None, "needs_answers is set"
        softened = (logits / self.temperature).log_softmax(1)
        answers = (taught / self.temperature).log_softmax(1)
        # Times the squared temperature, so that the gradient keeps its size (section 2 of the paper).
        distance = F.kl_div(softened, answers, log_target=True, reduction="batchmean") * self.temperature**2
        return (1 - self.weight) * task + self.weight * distance
