"""A desensitization method under examination."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from maskbench.conformance.check import NotChecked, provided
from maskbench.conformance.common import SEED, Subject
from maskbench.conformance.samples import OWNER_IMAGES, STANDARD, Batch, Shape, batch
from maskbench.errors import ContractViolation
from maskbench.plugins.given import Given
from maskbench.plugins.method import Method
from maskbench.randomness import Randomness
from maskbench.release import Release, to_bytes

FEW = 4
FIRST = 100  # number of the first released picture: not its place in the batch, and not one that was fitted on


class MethodSubject(Subject):
    """A method under examination: fitted, and asked for releases that no judge has seen yet."""

    def fitted(self, shape: Shape = STANDARD, method: Method | None = None) -> Method:
        """A method (a fresh one by default), fitted on the pictures of a party."""
        method = method or self.fresh()
        return method.with_state(method.fit(self.batch(OWNER_IMAGES, shape, first=0).owner(SEED)))

    def batch(self, count: int = FEW, shape: Shape = STANDARD, first: int = FIRST, images: Any = None) -> Batch:
        """Pictures with the attributions that the method asks for."""
        requests = provided(self.built.requests, "declarations")
        return batch(count, shape, first=first, requests=requests, images=images)

    def propose(self, method: Method, given: Batch, labels: Tensor | None = None) -> Any:
        """What ``desensitize`` returns, whatever that is; it may write into ``given.images``."""
        if labels is None and self.runs_with_labels_alone:
            labels = given.labels
        return _desensitized(method, given, labels)

    def released(self, method: Method, given: Batch, labels: Tensor | None = None) -> list[Tensor]:
        """The same, as it is handed out: uint8 images and, where there are any, masks. Nothing else is judged here."""
        proposed = self.propose(method, given.copy(), labels)
        if not isinstance(proposed, Release) or not isinstance(proposed.images, Tensor):
            raise NotChecked("nothing to look at: mend 'release' first")
        shown = to_bytes(proposed.images.nan_to_num().clamp(0, 1))
        return [shown] if proposed.masks is None else [shown, proposed.masks]

    def release_of(self, method: Method, given: Batch) -> list[Tensor]:
        """A release for a comparison; that there is none at all is the finding of 'release'."""
        return provided(lambda: self.released(method, given), "release")

    @cached_property
    def runs_with_labels_alone(self) -> bool:
        """Whether test images, which have no labels, are beyond it; then the other checks go on with labels."""
        return self._crashes(with_labels=False) and not self._crashes(with_labels=True)

    def _crashes(self, with_labels: bool) -> bool:
        method, given = provided(self.fitted, "fit"), self.batch()
        try:
            provided(lambda: _desensitized(method, given, given.labels if with_labels else None), "release")
        except NotChecked:
            return True
        return False

    @cached_property
    def standard(self) -> tuple[Method, Batch, list[Tensor]]:
        """A fitted method, a batch and its release; a check that compares with it needs it to be repeatable."""
        method, given = provided(self.fitted, "fit"), self.batch()
        other = provided(self.fitted, "fit")
        first, again, elsewhere = (self.release_of(it, given) for it in (method, method, other))
        if not (same(first, again) and same(first, elsewhere) and same(learned(method.state), learned(other.state))):
            raise NotChecked("its release is not repeatable: mend 'determinism' first")
        return method, given, first

    @cached_property
    def judged(self) -> bool:
        """Whether the sealed judge accepts the standard release."""
        if self.runs_with_labels_alone:
            return False
        method, given, _ = self.standard
        try:
            judge(method, given)
        except ContractViolation:
            return False
        return True


def _desensitized(method: Method, given: Batch, labels: Tensor | None) -> Any:
    return method.desensitize(given.images, Given(Randomness(SEED, given.numbers), labels, given.attributions))


def judge(method: Method, given: Batch) -> Release:
    """The release that the engine would make: of test images, and judged."""
    return method.release(given.images.clone(), seed=SEED, numbers=given.numbers, attributions=given.attributions)


def learned(state: object) -> list[Tensor]:
    """The tensors of a state, to compare; a state of another form is the finding of 'fit'."""
    return [value for value in state.values() if isinstance(value, Tensor)] if isinstance(state, dict) else []


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    """Bit-equal, masks and all."""
    return len(first) == len(second) and all(torch.equal(one, two) for one, two in zip(first, second, strict=True))
