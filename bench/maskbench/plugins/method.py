"""The contract of a desensitization method."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor, nn

from maskbench.errors import ContractViolation
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.plugins import judging
from maskbench.plugins.base import Plugin
from maskbench.plugins.given import Attribution, Given, NoisyMap, Owner
from maskbench.randomness import NoRandomness, Randomness
from maskbench.release import Release, to_bytes


class Method(Plugin):
    """A way to desensitize images. Implement ``desensitize``; ``fit``, ``requests`` and ``adapt`` are optional.

    Attributes:
        masked: whether the release is made with masks; ``withholds_masks`` says whether they are handed out.
        role: the two controls are told by their role, not by their name: ``raw`` releases the image as it is
            (the upper end of utility), ``null`` releases nothing of it (the chance level of every attack).
        mirror_symmetric: whether the mirrored release could be the release of the mirrored image. Only then do the
            recognizer and the attackers mirror what they train on: a method that codes something in left and right
            would otherwise hide it from every attacker that mirrors. False unless the author says so.
        state_is_public: what ``fit`` learned can be read off a release, so an attacker who runs the method uses the
            owner's. ``desensitize`` may then use the state alone, no attributions.
        deterministic: a party's release follows from its pictures and the parameters alone, with no random numbers in
            ``fit`` or ``desensitize``. It is then made once for all seeds, and the attacker, for whom another draw
            would show nothing new, learns from a single one.
        cpu_only: it is so little work that it is done on the CPU, whatever device the run is on. The release then
            serves runs on any device.
        time_limit: seconds, after which a stage that runs the method is stopped and its cells say so: the release of a
            party with its fits, or the training of the recognizer that it adapts.
    """

    masked: ClassVar[bool] = False
    role: ClassVar[Literal["method", "raw", "null"]] = "method"
    mirror_symmetric: ClassVar[bool] = False
    state_is_public: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    cpu_only: ClassVar[bool] = False
    time_limit: ClassVar[float] = 4 * 3600.0

    def key_known(self) -> bool:
        """Whether the attacker has the owner's key: its copy of the method is then fitted with the owner's seed."""
        return False

    def invert(self, release: Release) -> Tensor:
        """What someone who has the key makes of a release: float32 N C H W in [0, 1]. Only for methods with a key."""
        raise ContractViolation(f"method '{self.name}' has no key, so nothing that could invert it.")

    def requests(self) -> tuple[Attribution, ...]:
        """The attributions that ``fit`` and ``desensitize`` need; the engine computes and shares them."""
        return ()

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        """Learn from a party's training images; the returned tensors come back as ``self.state`` (and can be saved)."""
        return {}

    @final
    def learns(self) -> bool:
        """Whether it has a ``fit`` of its own; otherwise there is nothing to be fitted."""
        return type(self).fit is not Method.fit

    @abstractmethod
    def desensitize(self, images: Tensor, given: Given) -> Release:
        """Desensitize a batch: float32 N C H W in [0, 1] → a release of the same shape.

        Each image must be treated on its own: the result may depend on no other image of the batch.
        """

    def noisy_map(self, height: int, width: int) -> NoisyMap | None:
        """How a picture of this size is released, of a method that adds Laplace noise to linear values of it.

        It is asked for in calibrated worlds alone, for the best possible attack. A release without noise of its own
        needs no declaration: whether it is linear is found out by running the method.
        """
        return None

    def claimed_epsilon(self) -> tuple[float, str] | None:
        """The ε of differential privacy that the method claims for a picture, and for which two pictures it does.

        Returns:
            ε, and words that go on from "for two pictures that", such as "differ in one pixel"; None: it claims none.
        """
        return None

    def adapt(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """Adjust the recognizer to the release: a module called as ``module(images, masks)`` that returns logits.

        ``teacher`` is the owner's recognizer of raw images where ``needs_teacher`` says it is wanted, else None.
        """
        return ImageOnly(recognizer)

    def withholds_masks(self) -> bool:
        """Whether the release comes without the masks it was made with: an attacker then has to find them first."""
        return False

    def needs_teacher(self) -> bool:
        """Whether ``adapt`` wants the owner's raw teacher."""
        return False

    def needs_answers(self) -> bool:
        """Whether ``recognition_loss`` wants what that teacher says of the training images; it is then released."""
        return False

    def answer_temperature(self) -> float:
        """What logits are divided by before they are handed out as soft labels, where ``needs_answers``."""
        return 1.0

    def needs_public(self) -> bool:
        """Whether the recognizer that ``adapt`` is handed has learned from public raw pictures before."""
        return False

    def recognition_loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        """What training the adapted recognizer minimises; see :meth:`Adjustment.loss`."""
        return task

    def release_parameters(self) -> dict[str, Any]:
        """The parameters that shape the release; methods that differ in others share one release."""
        return self.identity()

    def adaptation_parameters(self) -> dict[str, Any]:
        """The parameters that shape what ``adapt`` returns."""
        return self.identity()

    def adaptation_modules(self) -> tuple[str, ...]:
        """The code roots that ``adapt`` reaches by name, so that a change in them is noticed: modules, mostly."""
        return ()

    def promised_ratio(self) -> float | None:
        """The share of each image that is hidden, where the method promises one."""
        return None

    def ratio_tolerance(self, height: int, width: int) -> float:
        """What one unit of the mask covers, as a share of the image: half of it may be missing, one may be over."""
        return 1 / (height * width)

    @final
    def release(
        self,
        images: Tensor,
        *,
        seed: int,
        numbers: Tensor,
        labels: Tensor | None = None,
        attributions: Mapping[Attribution, Tensor] | None = None,
    ) -> Release:
        """Desensitize a batch and judge the result; what the engine calls, and what no plug-in can replace.

        Args:
            images: float32 N C H W in [0, 1], on the 8-bit grid.
            seed: the seed of this party's release.
            numbers: int64 (N,), the number of each image in its data set.
            labels: int64 (N,), the task labels of training images; None for test images.
            attributions: the answers to ``requests``, N 1 H W each.

        Returns:
            The release, rounded to the 8 bits it is handed out in.

        Raises:
            ContractViolation: the plug-in proposed something that its contract rules out, or an image of the batch
                would leave raw.
        """
        who = f"method '{self.name}'"
        rng = NoRandomness(who, numbers) if self.deterministic else Randomness(seed, numbers)
        given = Given(rng, labels, attributions or {})
        before = images.clone()
        proposed = self.desensitize(images, given)
        if not torch.equal(images, before):
            raise ContractViolation(f"{who} changed its input in place: work on a copy.")
        judged = judging.release(proposed, before, who, self.masked)
        if self.role != "raw":
            if judged.masks is not None:
                judging.ratio(judged.masks, self.promised_ratio(), self.ratio_tolerance(*images.shape[2:]), who)
            judging.output(judged, before, who)
        masks = None if judged.masks is None else judged.masks.to(torch.uint8)
        return Release.of_bytes(to_bytes(judged.images), masks)
