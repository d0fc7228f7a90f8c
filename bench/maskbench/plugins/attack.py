"""The contract of an attack, and of two of its kinds: what is restored, and what is inferred."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor

from maskbench.plugins import judging
from maskbench.plugins.base import Plugin
from maskbench.plugins.knowledge import Aux, InferenceAux, RawAux
from maskbench.release import Release, to_bytes, to_float

AttackKind = Literal["restoration", "inference", "matching"]
"""What an attack gives back: images, a label, or how like each candidate a release is."""

LearnsFrom = Literal["", "raw", "pairs", "releases", "restorations", "masks"]
"""What an attack learns from: nothing, raw pictures alone (then it does not adapt to the method), pairs of raw and
released ones, releases, what restoration attacks made of releases, or the masks of releases alone."""


class Attack(Plugin):
    """What all attacks have in common. Extend ``RestorationAttack``, ``InferenceAttack`` or ``MatchingAttack``.

    Attributes:
        kind: what the attack gives back.
        learns_from: see ``LearnsFrom``. Results are compared by it: attacks that learn should not stay below others,
            and what is read from masks alone is what their shape gives away. Attacks that learn from pictures of the
            attacker's own get curves over how many it has.
        needs_masks: runs only against methods that release masks.
        needs_key: runs only where the attacker knows the owner's key; ``aux.invert`` is then given.
        needs_restorations: ``release.restorations`` holds the result of every restoration attack of the suite. Of the
            attacker's training pictures, attacks that learn from restorations get the one that comes closest to the
            raw pictures on the validation part. Matching attacks get restorations of the validation part and of what
            is to be matched, and are asked for raw pictures alone.
        needs_raw_classifier: ``aux.raw_classifier`` is given.
        needs_method: it runs the method by ``aux.release``, on candidates or on pictures of its own making. So it runs
            only against methods that follow no attributions, and that have no masks: what a mask keeps is the picture
            itself.
        cpu_only: it computes on the CPU, whatever device the run is on, and is handed the CPU. What it makes of a
            release then serves runs on any device.
        pretrained: it brings weights that were learned elsewhere, whatever its parameters are.
        time_limit: seconds, after which the attack is stopped and its cells say so; fitting included.
    """

    kind: ClassVar[AttackKind]
    learns_from: ClassVar[LearnsFrom] = ""
    needs_masks: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
    needs_restorations: ClassVar[bool] = False
    needs_raw_classifier: ClassVar[bool] = False
    needs_method: ClassVar[bool] = False
    cpu_only: ClassVar[bool] = False
    pretrained: ClassVar[bool] = False
    time_limit: ClassVar[float] = 3600.0


class RestorationAttack(Attack):
    """An attack that tries to restore what was hidden. Implement ``restore``; ``fit`` and ``fit_raw`` are optional.

    Attributes:
        restores_training: fast enough to be applied to all of the attacker's training pictures as well, for the
            inference attacks that learn from restorations.
    """

    kind: ClassVar[AttackKind] = "restoration"
    restores_training: ClassVar[bool] = True

    def fit_raw(self, aux: RawAux) -> dict[str, Tensor]:
        """Learn from raw pictures alone what serves against any method: once for all methods and seeds.

        What is returned comes back as ``aux.from_raw`` in ``fit``.
        """
        return {}

    def fit(self, aux: Aux) -> Any:
        """Learn to restore; whatever is returned comes back as ``self.state``.

        A state of tensors by name is stored, and not learned again where the attack is used again.
        """
        return None

    @final
    @classmethod
    def learns_from_raw(cls) -> bool:
        """Whether it learns anything before it knows the method."""
        return cls.fit_raw is not RestorationAttack.fit_raw

    @final
    def with_raw(self, aux: Aux) -> Aux:
        """The same with what the attack learns from its raw training pictures alone, for who has no stages."""
        about = RawAux(
            raw=aux.train.raw_bytes,
            training=aux.training,
            mirror=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
        )
        return replace(aux, from_raw=self.fit_raw(about)) if self.learns_from_raw() else aux

    @abstractmethod
    def restore(self, release: Release, device: torch.device) -> Tensor:
        """Restore a release: float32 (N, C, H, W) in [0, 1], on the CPU. Each image on its own."""

    @final
    def restored(self, release: Release, device: torch.device) -> Tensor:
        """Restore and judge: float32 (N, C, H, W) in [0, 1], on the grid of eight bits."""
        return to_float(self.restored_bytes(release, device))

    @final
    def restored_bytes(self, release: Release, device: torch.device) -> Tensor:
        """Restore and judge: uint8 (N, C, H, W).

        Kept pixels are known to every attacker, so they are set to what the release shows.
        """
        proposed = self.restore(release, device)
        judged = to_bytes(judging.images(proposed, release.image_bytes, f"attack '{self.name}'"))
        if release.mask_bytes is None:
            return judged
        return torch.where(release.mask_bytes == 1, release.image_bytes, judged)


class InferenceAttack(Attack):
    """An attack that infers a label from releases. Implement ``fit`` and ``infer``.

    Attributes:
        with_task: it learns the sensitive label together with the task label, which the attacker is told of every
            training image: labels are those of pairs, label · tasks + task, and ``classes`` counts the pairs.
        identifies: its logits are similarities to known pictures of each person: ranks and acceptances are reported.
        needs_task_labels: ``release.task_labels`` holds the task labels of what is to be inferred, where the attacker
            knows them (of the owner's test images nobody does), and its logits take them into account.
        needs_soft_labels: runs only against methods that hand out soft labels; ``release.soft_labels`` holds them, of
            training images. Of the owner's test images there are none.
        trains_network: it trains a network, which may be trained too little: attacks that train none should not stay
            above it. An attack that trains none and learns from releases takes about a second, so it is also asked
            about labels that were shuffled.
    """

    kind: ClassVar[AttackKind] = "inference"
    learns_from: ClassVar[LearnsFrom] = "releases"
    with_task: ClassVar[bool] = False
    identifies: ClassVar[bool] = False
    needs_task_labels: ClassVar[bool] = False
    needs_soft_labels: ClassVar[bool] = False
    trains_network: ClassVar[bool] = True

    def cannot_infer(self, classes: int) -> str | None:
        """Say why the attack cannot infer a label of so many classes; None: it can."""
        return None

    @abstractmethod
    def fit(self, aux: InferenceAux) -> Any:
        """Learn to infer; whatever is returned comes back as ``self.state``."""

    @abstractmethod
    def infer(self, release: Release, device: torch.device) -> Tensor:
        """Logits for a release: float32 (N, classes), on the CPU."""

    @final
    def inferred(self, release: Release, classes: int, device: torch.device) -> Tensor:
        """Infer and judge."""
        proposed = self.infer(release, device)
        return judging.logits(proposed, len(release), classes, f"attack '{self.name}'")
