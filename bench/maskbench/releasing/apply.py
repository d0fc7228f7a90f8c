"""From decoded images to released ones: batches of one shape each, judged by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from maskbench.attributions.algorithm import find
from maskbench.errors import MaskbenchError
from maskbench.plugins import judging
from maskbench.plugins.given import Attribution
from maskbench.release import Release, to_bytes, to_float
from maskbench.releasing.fitted import Fitted, Shape
from maskbench.releasing.pictures import NamedPicture

KEPT = 255
"""Value of a kept pixel in a mask that is written; 0 is hidden."""


@dataclass(frozen=True)
class ReleasedImage:
    """What becomes of an image of the source.

    Attributes:
        image: uint8 C H W; None with an error.
        mask: uint8 H W, 255 = kept and 0 = hidden; None where the method has no masks.
        hidden: the share of it that its mask hides, as measured; None where the method has no masks.
        unchanged: whether it came out as it went in; see ``judging.output`` for what may.
        soft_label: what the teacher says of the raw image, where that is handed out: a probability for each class.
        rules: the conversion rules that the image met before.
        error: why nothing of it is released.
    """

    name: str
    image: np.ndarray | None = None
    mask: np.ndarray | None = None
    hidden: float | None = None
    unchanged: bool = False
    soft_label: tuple[float, ...] = ()
    rules: tuple[str, ...] = ()
    error: str | None = None


class Releaser:
    """Applies a fitted method on a device."""

    def __init__(self, fitted: Fitted, device: torch.device) -> None:
        self._fitted = fitted
        self._device = device
        state = fitted.method.state
        self._method = fitted.method.with_state({name: tensor.to(device) for name, tensor in state.items()})
        self._teachers = {
            label: teacher.network(_known(fitted.shape), device) for label, teacher in fitted.teachers.items()
        }

    def release(self, pictures: Sequence[NamedPicture]) -> list[ReleasedImage]:
        """Release images, in their order. What cannot be released comes back with the reason."""
        fitting = [self._conform(picture) for picture in pictures]
        found: dict[int, ReleasedImage] = {}
        groups: dict[tuple[int, ...], list[int]] = {}
        for place, picture in enumerate(fitting):
            if picture.pixels is None:
                found[place] = ReleasedImage(picture.name, error=picture.error)
            else:
                groups.setdefault(picture.pixels.shape, []).append(place)
        for places in groups.values():
            group = [fitting[place] for place in places]
            found.update(zip(places, self._together_or_alone(group), strict=True))
        return [found[place] for place in range(len(pictures))]

    def _conform(self, picture: NamedPicture) -> NamedPicture:
        """The image in the shape that the method was fitted on, or the reason why it has another."""
        shape = self._fitted.shape
        if picture.pixels is None or shape is None or picture.pixels.shape == shape:
            return picture
        channels, height, width = picture.pixels.shape
        if (height, width) != shape[1:]:
            error = f"it is {width}×{height} px, and the method was fitted on {shape[2]}×{shape[1]} px"
        elif channels > shape[0]:
            error = "it has colour, and the method was fitted on images without"
        else:
            return replace(picture, pixels=np.broadcast_to(picture.pixels, shape))
        return NamedPicture(picture.name, None, error=error)

    def _together_or_alone(self, group: list[NamedPicture]) -> list[ReleasedImage]:
        """Where a batch fails, each of its images on its own: one bad image must not take others with it."""
        try:
            return self._batch(group)
        # Whatever a plug-in raises becomes an error with its reason.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            if len(group) == 1:
                return [ReleasedImage(group[0].name, error=_reason(error))]
        return [self._together_or_alone([picture])[0] for picture in group]

    def _batch(self, group: list[NamedPicture]) -> list[ReleasedImage]:
        secret = self._fitted.secret
        stack = np.stack([picture.pixels for picture in group if picture.pixels is not None])
        images = to_float(torch.from_numpy(stack).to(self._device))
        released = self._method.release(
            images,
            seed=secret.release_seed(),
            numbers=torch.tensor([secret.image_number(pixels) for pixels in stack], device=self._device),
            attributions=self._attributions(images),
        )
        shown = to_bytes(released.images).cpu()
        unchanged = judging.unchanged(shown, torch.from_numpy(stack))
        pictures = shown.numpy()
        masks = _masks(released)
        soft = self._soft_labels(images)
        hidden = None if released.masks is None else judging.hidden_share(released.masks)
        return [
            ReleasedImage(
                picture.name,
                image=pictures[place],
                mask=None if masks is None else masks[place],
                hidden=None if hidden is None else float(hidden[place]),
                unchanged=bool(unchanged[place]),
                soft_label=() if soft is None else tuple(soft[place].tolist()),
                rules=picture.rules,
            )
            for place, picture in enumerate(group)
        ]

    def _attributions(self, images: Tensor) -> dict[Attribution, Tensor]:
        return {
            request: find(request.algorithm).explain(self._teachers[request.label], images)
            for request in self._method.requests()
        }

    def _soft_labels(self, images: Tensor) -> Tensor | None:
        """Float32 (N, classes): softened probabilities that the teacher gives the raw images."""
        described = self._fitted.soft_labels()
        if described is None:
            return None
        with torch.no_grad():
            return (self._teachers["target"](images) / described.temperature).softmax(1).cpu()


def _masks(released: Release) -> np.ndarray | None:
    if released.masks is None:
        return None
    return (released.masks[:, 0] * KEPT).to(torch.uint8).cpu().numpy()


def _known(shape: Shape | None) -> Shape:
    if shape is None:
        raise ValueError("a teacher needs the shape of its images")
    return shape


def _reason(error: BaseException) -> str:
    if isinstance(error, MaskbenchError):
        return str(error)
    return f"the method failed: {type(error).__name__}: {error}"
