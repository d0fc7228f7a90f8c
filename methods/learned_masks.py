"""Masks from a network that learned what to keep, for a recognizer and against an adversary."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from maskbench import (
    FILLS,
    Given,
    MaskMethod,
    Owner,
    Randomness,
    Training,
    image_batch,
    keep_highest,
    minimise,
    seeded,
    to_bytes,
)
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ._mask_generator import PixelNetwork, SmallClassifier, straight_through

_TRAINING = Training(batch_size=32, learning_rate=5e-3, weight_decay=0.05)
_ADVERSARY_STEPS = 2  # for each of the generator's; with one it could not follow, and a code in the masks survived
_SEEDS = 2**62  # each step draws one of so many streams of randomness
_HALF_STEP = 2.0**-25  # between 0 and the next number that Randomness.uniform gives: log(0) is none
_EPSILON = 1e-5  # added to a variance, as batch normalisation does: an image may score alike everywhere


class Learned(MaskMethod):
    """Keep what a generator, trained for a recognizer and against an adversary, learned to keep.

    The generator scores every place; the highest stay, exactly ``1 - ratio`` of them, in training as in the release.
    Two networks learn beside it. A recognizer learns the task from masked images and their masks. An adversary learns
    the sensitive label from the generator's releases, told the task label as an attacker is; where there is no
    sensitive label, it learns to restore the hidden pixels. The generator is trained to make the recognizer's loss
    small and the adversary's large.

    The recognizer learns from random masks, as in Jethani et al. 2021 (arXiv 2103.01890, section 4): one that learns
    from the generator's own masks (``recognizer=own``) lets the generator write the label into their shape instead of
    showing what matters.
    """

    name: ClassVar[str] = "learned"
    source: ClassVar[str] = (
        "our reading of 1802.07814 (what to keep, learned through Gumbel noise for a recognizer), 2103.01890 (which "
        "learns from random masks), 1308.3432 (straight-through gradient) and 1511.05897 (adversary)"
    )

    weight: float = Field(1.0, ge=0, description="of the adversary against the recognizer; 0: no adversary")
    recognizer: Literal["random", "own"] = Field(
        "random", description="masks that the generator's recognizer learns from: random ones or its own"
    )
    temperature: float = Field(0.5, gt=0, description="of the Gumbel noise and the gradient, in spreads of the scores")
    width: int = Field(16, ge=4, description="channels of the first stage of each network")
    epochs: int = Field(10, ge=1, description="of the joint training")

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        with seeded(owner.seed):
            game = _Game(self, owner)
        minimise(
            game.generator,
            game.loss,
            (to_bytes(owner.images), owner.labels, owner.sensitive),
            training=_TRAINING.model_copy(update={"epochs": self.epochs}),
            seed=owner.seed,
            device=owner.device,
        )
        return {name: tensor.contiguous() for name, tensor in game.generator.state_dict().items()}

    @torch.no_grad()
    def scores(self, images: Tensor, given: Given) -> Tensor:
        with torch.device("meta"):  # no weights are drawn: those of the state take their place
            generator = PixelNetwork(images.shape[1], 1, self.width)
        generator.load_state_dict(self.state, assign=True)
        # In float64 and back: rounding, which depends on the batch and the device, must not decide between places.
        return generator.to(images.device).double().eval()(images.double()).float()


class _Learner:
    """A network that learns beside the generator, in steps of its own and at a constant rate.

    The generator's rate falls to nothing, so that in the end they know the generator as it will be.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last).train()
        self._optimizer = torch.optim.AdamW(
            network.parameters(), lr=_TRAINING.learning_rate, weight_decay=_TRAINING.weight_decay, fused=True
        )

    def learn(self, loss: Tensor) -> None:
        """Take a step down a loss. Whatever gradient a loss of the generator's left here is dropped."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()

    def __call__(self, images: Tensor, masks: Tensor) -> Tensor:
        return self.network(torch.cat([images, masks], dim=1))


class _Game:
    """The generator, the recognizer and the adversary, and what each of them loses."""

    def __init__(self, method: Learned, owner: Owner) -> None:
        channels = owner.images.shape[1]
        self.method = method
        self.classes = owner.classes
        self.generator = PixelNetwork(channels, 1, method.width)
        self.recognizer = _Learner(SmallClassifier(channels + 1, owner.classes, method.width), owner.device)
        if owner.sensitive is None:
            adversary: nn.Module = PixelNetwork(channels + 1, channels, method.width)
        else:
            adversary = SmallClassifier(channels + 1, owner.classes * owner.sensitive_classes, method.width)
        self.adversary = _Learner(adversary, owner.device)
        variance = owner.images.var(dim=(0, 2, 3), keepdim=True, correction=0)
        self.variance = variance.to(owner.device) + _EPSILON

    def loss(self, stored: Tensor, labels: Tensor, sensitive: Tensor | None, generator: torch.Generator) -> Tensor:
        """Let the others learn from a batch in stored form, then return what the generator loses on it."""
        # In full precision: autocast would keep weights of before the others' steps.
        with torch.autocast(stored.device.type, enabled=False):
            images = image_batch(stored)
            seed = int(torch.randint(_SEEDS, (), generator=generator))
            rng = Randomness(seed, torch.arange(len(images), device=images.device))
            scores = self.scores(images)
            own = self.method.recognizer == "own"
            from_masks = self.masks(scores.detach() if own else torch.zeros_like(scores), images, rng)
            self.recognizer.learn(self.task_loss(images, from_masks, labels, rng))
            if self.method.weight == 0:
                return self.task_loss(images, self.masks(scores, images, rng), labels, rng)
            for _ in range(_ADVERSARY_STEPS):
                masks = self.masks(scores.detach(), images, rng)
                self.adversary.learn(self.adversary_loss(images, masks, labels, sensitive, rng))
            masks = self.masks(scores, images, rng)
            leaked = self.adversary_loss(images, masks, labels, sensitive, rng)
            return self.task_loss(images, masks, labels, rng) - self.method.weight * leaked

    def scores(self, images: Tensor) -> Tensor:
        """One score a unit, N 1 h w, with mean 0 and spread 1 in each image: the scale that noise is measured by."""
        pooled = F.avg_pool2d(self.generator(images), self.method.unit, ceil_mode=True, count_include_pad=False)
        variance, mean = torch.var_mean(pooled, dim=(1, 2, 3), keepdim=True, correction=0)
        return (pooled - mean) / (variance + _EPSILON).sqrt()

    def masks(self, scores: Tensor, images: Tensor, rng: Randomness) -> Tensor:
        """Masks as they are released, drawn by Gumbel noise on the scores; gradients pass as if they were soft.

        The highest of perturbed scores are a draw without replacement (Kool et al. 2019, arXiv 1903.06059), and with
        equal scores a uniform one.
        """
        unit, size = self.method.unit, tuple(images.shape[2:])
        lots = -torch.log(-torch.log(rng.uniform(*scores.shape[1:]) + _HALF_STEP))
        drawn = scores + self.method.temperature * lots
        kept = keep_highest(drawn.detach(), size, unit, self.method.ratio, rng)[:, :, ::unit, ::unit]
        units = straight_through(kept, drawn, self.method.temperature)
        whole = units.repeat_interleave(min(unit, size[0]), dim=2).repeat_interleave(min(unit, size[1]), dim=3)
        return whole[:, :, : size[0], : size[1]]

    def shown(self, images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
        """The images as they are released."""
        return images * masks + FILLS[self.method.fill](images, masks, rng) * (1 - masks)

    def task_loss(self, images: Tensor, masks: Tensor, labels: Tensor, rng: Randomness) -> Tensor:
        """The recognizer's cross-entropy."""
        return F.cross_entropy(self.recognizer(self.shown(images, masks, rng), masks), labels)

    def adversary_loss(
        self, images: Tensor, masks: Tensor, labels: Tensor, sensitive: Tensor | None, rng: Randomness
    ) -> Tensor:
        """Cross-entropy of the sensitive label given the task label; without one, the share of variance not restored.

        That share is the mean squared error over the hidden pixels against the variance of the training images.
        """
        answers = self.adversary(self.shown(images, masks, rng), masks)
        if sensitive is None:
            errors = ((answers - images).square() / self.variance).mean(dim=1, keepdim=True)
            hidden = 1 - masks
            return (errors * hidden).sum() / hidden.sum().clamp_min(1)
        one_a_class = answers.view(len(images), self.classes, -1)
        return F.cross_entropy(one_a_class[torch.arange(len(images), device=labels.device), labels], sensitive)
