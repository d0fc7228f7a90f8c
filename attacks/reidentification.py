"""Re-identification: whose picture is it? Probes are looked up in a gallery of raw pictures with names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, LearnsFrom, Release, Unavailable, to_float, train_classifier
from pydantic import Field
from torch import Tensor

from ._embedding import LearnedEmbedding, load_embedding

Embedding = Callable[[Tensor], Tensor]
"""Float32 images (N, C, H, W) in [0, 1] → float32 (N, D) of unit length."""

_SHARPNESS = 16.0  # of cosine similarities as logits; scoring fits a temperature, which only has to start sensibly
_BATCH = 256


class ReIdentify(InferenceAttack):
    """The attacker's raw pictures of known people are the gallery, released images the probes.

    The sensitive label is who it is. The embedding is trained on the attacker's pictures, raw and released alike,
    to tell people apart, so that a release comes to lie near the raw pictures of the same person; or it is the
    user's own network. A person's score is the highest similarity to any of its pictures in the gallery.
    """

    name: ClassVar[str] = "re-identify"
    source: ClassVar[str] = "our reading of the closed-set protocol of 1503.03832 and 1804.06655"
    identifies: ClassVar[bool] = True
    paths: ClassVar[tuple[str, ...]] = ("embedding",)

    people: int = Field(20, ge=2, description="with fewer classes than this the sensitive label is not who it is")
    embedding: str = Field("", description="TorchScript or ONNX file: images N 3 H W in [0, 1] → N × D; none: trained")

    def files(self) -> tuple[Path, ...]:
        return (Path(self.embedding).expanduser(),) if self.embedding else ()

    def unavailable(self) -> str | None:
        if self.embedding and not Path(self.embedding).expanduser().is_file():
            return f"there is no embedding {Path(self.embedding).name}: name a TorchScript or ONNX file with embedding="
        return None

    def chosen(self, aux: InferenceAux) -> str:
        """Name of the restoration whose images are looked up; empty for the release as it is."""
        return ""

    def cannot_infer(self, classes: int) -> str | None:
        if classes >= self.people:
            return None
        return f"the label has {classes} classes, which are groups, not people: choose a label that says who it is."

    def fit(self, aux: InferenceAux) -> Any:
        if aux.train.raw is None:
            raise Unavailable("looking people up needs a sensitive label that says who it is: choose it.")
        chosen = self.chosen(aux)
        embed = load_embedding(self.files()[0], aux.device) if self.embedding else self._trained(aux, chosen)
        gallery = torch.cat([embed(to_float(part.to(aux.device))) for part in aux.train.raw_bytes.split(_BATCH)])
        return chosen, embed, gallery, aux.train.known_labels.to(aux.device), aux.classes

    def _trained(self, aux: InferenceAux, chosen: str) -> Embedding:
        known = aux.train
        seen = torch.cat([known.raw_bytes, _probes(known.release, chosen)])
        network = LearnedEmbedding(aux.new_classifier(seen.shape[1], aux.classes))
        train_classifier(
            network,
            seen,
            None,
            known.known_labels.repeat(2),
            training=aux.training,
            flip=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
        )
        return network.eval().embed

    def infer(self, release: Release, device: torch.device) -> Tensor:
        chosen, embed, gallery, names, people = self.state
        probes = torch.cat([embed(to_float(part.to(device))) for part in _probes(release, chosen).split(_BATCH)])
        similar = probes @ gallery.T
        scores = torch.full((len(probes), people), -1.0, device=similar.device)
        scores.scatter_reduce_(1, names.expand_as(similar), similar, reduce="amax")
        return _SHARPNESS * scores.float().cpu()


class ReIdentifyRestored(ReIdentify):
    """The same with restored images as probes; the restoration is the one that comes closest on attacker-validation."""

    name: ClassVar[str] = "re-identify-restored"
    learns_from: ClassVar[LearnsFrom] = "restorations"
    needs_restorations: ClassVar[bool] = True

    def chosen(self, aux: InferenceAux) -> str:
        return aux.closest_restoration()


def _probes(release: Release, chosen: str) -> Tensor:
    return release.restoration_bytes[chosen] if chosen else release.image_bytes
