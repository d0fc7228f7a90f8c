"""De-identification by averaging: k people share one picture."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Given, Method, Owner, Release, Unavailable, to_bytes, to_float
from pydantic import Field
from torch import Tensor


class KSamePixel(Method):
    """Replace each image by the mean of at least k identities that look alike (k-Same-Pixel).

    The closed-set algorithm of Newton et al.: ``fit`` divides the identities of the training images into groups of k
    (the last one of k to 2k - 1), each the nearest neighbours in pixel distance, and the mean of a group stands for
    all of its members. An image is released as the mean of the group of its nearest identity. An identity is a class
    of the sensitive label, shown by the mean of its images; without a sensitive label, each training image is one.

    The bound: n identities share at most n / k pictures, so whoever names one identity for each picture is right on
    at most 1 / k of the gallery (one image an identity), by any recognition of single pictures. It holds for images
    of the training gallery. For new images, or where identities differ in how many images they have, it is no
    guarantee. The variant that averages the k neighbours of every image anew has no such bound (an image may be the
    nearest to its own mean), which is why it is not used here.
    """

    name: ClassVar[str] = "k-same-pixel"
    source: ClassVar[str] = "Newton, Sweeney and Malin 2005, Preserving Privacy by De-Identifying Face Images"
    deterministic: ClassVar[bool] = True

    k: int = Field(5, ge=2, description="how many identities share one picture, at least")

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        gallery = identity_gallery(to_bytes(owner.images.to(owner.device)), owner.sensitive)
        if len(gallery) < self.k:
            what = "classes of the sensitive label" if owner.sensitive is not None else "training images"
            raise Unavailable(
                f"'{self.name}' lets k={self.k} identities share a picture, but there are only {len(gallery)} {what}: "
                "choose a smaller k, or another sensitive label."
            )
        group = closed_set_groups(gallery, self.k)
        return {"gallery": gallery, "group": group, "means": group_means(gallery, group)}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        nearest = squared_distances(to_bytes(images), self.state["gallery"]).argmin(dim=1)
        return Release(to_float(self.state["means"][self.state["group"][nearest]]))


def identity_gallery(images: Tensor, identities: Tensor | None) -> Tensor:
    """One picture an identity: the mean of its images, or each image where there are no identities.

    Args:
        images: uint8 N C H W.
        identities: int64 (N,), any numbering, or None.

    Returns:
        uint8 G C H W, in the order of the identities' numbers; those without an image are left out.
    """
    if identities is None:
        return images
    _, group = identities.to(images.device).unique(return_inverse=True)
    return group_means(images, group)


def closed_set_groups(gallery: Tensor, k: int) -> Tensor:
    """Divide a gallery into groups of k neighbours, the closed-set algorithm of Newton et al. (their k-Same).

    The first picture that is not in a group yet takes its k - 1 nearest among the others that are not; when fewer
    than 2k are left, they all are the last group.

    Args:
        gallery: uint8 G C H W with G ≥ k.

    Returns:
        int64 (G,), groups 0 … floor(G / k) - 1, each with at least k members.
    """
    count = len(gallery)
    points = gallery.flatten(1).to(torch.float64)
    lengths = points.square().sum(dim=1)
    last = count // k - 1
    group = torch.full((count,), last, device=gallery.device)
    free = torch.ones(count, dtype=torch.bool, device=gallery.device)
    for number in range(last):
        first = free.to(torch.uint8).argmax().view(1)
        point = points.index_select(0, first)[0]
        distance = lengths - 2 * (points @ point)  # short of a constant, the squared distance to the first
        # Ties go to the picture that comes first, so that every device forms the same groups.
        key = torch.where(free, distance * count + torch.arange(count, device=gallery.device), torch.inf)
        key[first] = -torch.inf
        members = key.topk(k, largest=False).indices
        group[members] = number
        free[members] = False
    return group


def group_means(images: Tensor, group: Tensor) -> Tensor:
    """The mean of each group 0 … max(group), rounded to eight bits: uint8 N C H W → uint8 groups C H W."""
    count = torch.bincount(group)
    total = torch.zeros(len(count), *images.shape[1:], dtype=torch.float64, device=images.device)
    total.index_add_(0, group, images.to(torch.float64))
    return (total / count.view(-1, 1, 1, 1)).round().to(torch.uint8)


def squared_distances(images: Tensor, gallery: Tensor) -> Tensor:
    """Squared pixel distances, uint8 N C H W and uint8 G C H W → float64 N × G.

    All terms are integers below 2⁵³, so the result is exact and the same for any batch size on any device.
    """
    left, right = (pictures.flatten(1).to(torch.float64) for pictures in (images, gallery))
    return left.square().sum(1, keepdim=True) + right.square().sum(1) - 2 * (left @ right.T)
