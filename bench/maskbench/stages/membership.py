"""The stage of membership inference: whether weights that were handed out tell which raw pictures they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import Split
from maskbench.metrics.membership import outcomes
from maskbench.models.recognizer import ImageOnly
from maskbench.stages.data import Dataset
from maskbench.stages.scored import Scored
from maskbench.stages.stage import Context, Stage
from maskbench.stages.teacher import StoredTeacher, Teacher
from maskbench.stages.trial import Trial
from maskbench.training.classifier import predict

_MEMBERS: Split = "owner_train"
_OTHERS: Split = "owner_test"


@dataclass(frozen=True)
class Membership(Stage):
    """Columns of ``metrics.membership`` on the scored part of owner-train; read as ``Scored``.

    The offline likelihood-ratio attack (Carlini et al. 2022, arXiv 2112.03570), for few shadow networks: with one
    variance for all pictures, so the score is how much surer the recognizer is of a picture's label than the mean of
    networks that never saw it. Sureness is the logit of the probability of the label, over the picture and, where the
    data allow, its mirror image. The attacker's recognizers are the shadows. It knows the candidates and their labels.

    As a control, the first shadow stands in for the recognizer: it learned from none of the candidates.

    Attributes:
        teacher: the owner's, whose weights are handed out.
        shadows: two or more of the attacker's.
        scored: at most so many pictures of each split.
    """

    kind: ClassVar[str] = "membership"
    timed: ClassVar[bool] = True

    teacher: Teacher
    shadows: tuple[Teacher, ...]
    scored: int

    @classmethod
    def of(cls, trial: Trial) -> Membership:
        """Of what the methods of a trial hand out: the same for all methods of one seed."""
        settings = trial.settings
        copies = ["", *map(str, range(1, settings.shadows))]
        shadows = tuple(trial.teacher("target", party="attacker", copy=copy) for copy in copies)
        return cls(trial.teacher("target"), shadows, settings.scored)

    def inputs(self) -> Mapping[str, Stage]:
        shadows = {_shadow_input(place): shadow for place, shadow in enumerate(self.shadows)}
        return {"data": self.teacher.data, "teacher": self.teacher, **shadows}

    def parameters(self) -> Mapping[str, Any]:
        return {"scored": self.scored}

    def title(self) -> str:
        return f"membership by the weights of {self.teacher.title()}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset, device = Dataset(inputs["data"]), context.device
        count = min(self.scored, dataset.size(_MEMBERS), dataset.size(_OTHERS))
        positions = {split: dataset.scored(split, count) for split in (_MEMBERS, _OTHERS)}
        networks = [(self.teacher, inputs["teacher"])]
        networks += [(shadow, inputs[_shadow_input(place)]) for place, shadow in enumerate(self.shadows)]
        sure: dict[Split, list[Tensor]] = {split: [] for split in positions}
        for number, (teacher, artifact) in enumerate(networks):
            network = ImageOnly(StoredTeacher(artifact).network(teacher, dataset, device))
            for split, chosen in positions.items():
                pictures, labels = dataset.bytes(split)[chosen], dataset.labels(split, "target")[chosen]
                views = [pictures, pictures.flip(3)] if dataset.mirror else [pictures]
                logits = [predict(network, view, None, device=device) for view in views]
                sure[split].append(torch.stack([sureness(each, labels) for each in logits]).mean(0))
            context.progress((number + 1) / len(networks))
        members, others = (_surplus(sure[split]) for split in (_MEMBERS, _OTHERS))
        control = outcomes(*(_surplus(sure[split][1:]) for split in (_MEMBERS, _OTHERS)))
        columns = {
            "number": dataset.index(_MEMBERS)[positions[_MEMBERS]],
            **outcomes(members, others),
            "control_member_auc": control["member_auc"],
        }
        return Scored.pack({_MEMBERS: columns})


def sureness(logits: Tensor, labels: Tensor) -> Tensor:
    """The logit of the probability of each label, float64 (N,): log p/(1 − p), without rounding it to 0 or 1.

    Args:
        logits: (N, classes).
        labels: int64 (N,).
    """
    exact = logits.double()
    own = exact.gather(1, labels[:, None])
    others = exact.scatter(1, labels[:, None], -torch.inf)
    return own[:, 0] - others.logsumexp(1)


def _surplus(sure: Sequence[Tensor]) -> Tensor:
    """How much surer the first network is than the mean of the rest, which never saw the pictures: (N,)."""
    return sure[0] - torch.stack(list(sure[1:])).mean(0)


def _shadow_input(place: int) -> str:
    return f"shadow/{place}"
