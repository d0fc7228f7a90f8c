"""Inference by small networks on components: what no linear classifier sees, learned in seconds."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ._coordinates import learned

_RATE, _DECAY, _BATCH = 2e-3, 0.05, 256
_ROUNDS = 15  # times that a network in training is compared on validation


class Mlp(InferenceAttack):
    """A few multilayer perceptrons on the components that ``linear`` sees, each stopped when validation says so."""

    name: ClassVar[str] = "mlp"
    source: ClassVar[str] = "Rumelhart, Hinton and Williams 1986; dropout: 1207.0580"

    components: int = Field(200, ge=2, description="principal components of the pictures")
    width: int = Field(256, ge=2, description="units of the hidden layer")
    networks: int = Field(3, ge=1, description="networks, whose answers are averaged")
    steps: int = Field(600, ge=_ROUNDS, description="steps of 256 pictures, at most")

    def fit(self, aux: InferenceAux) -> Any:
        coordinates, known, labels = learned(aux, self.components)
        held_out = coordinates.of(aux.validation.release)
        truth = aux.validation.known_labels.to(aux.device)
        generator = torch.Generator().manual_seed(aux.seed)
        networks = nn.ModuleList()
        for done in range(self.networks):
            networks.append(self._trained(known, labels, held_out, truth, aux.classes, generator))
            aux.progress((done + 1) / self.networks)
        return coordinates, networks.eval()

    @torch.no_grad()
    def infer(self, release: Release, device: torch.device) -> Tensor:
        coordinates, networks = self.state
        seen = coordinates.of(release)
        return torch.stack([network(seen).log_softmax(1) for network in networks]).mean(0).cpu()

    def _trained(
        self, known: Tensor, labels: Tensor, held_out: Tensor, truth: Tensor, classes: int, generator: torch.Generator
    ) -> nn.Module:
        """A network, as it was when it did best on validation."""
        network = nn.Sequential(
            nn.Dropout(0.25),
            nn.Linear(known.shape[1], self.width),
            nn.GELU(),
            nn.Dropout(0.5),
            nn.Linear(self.width, classes),
        ).to(known.device)
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=self.steps + 1)
        best, least = network, float("inf")
        for _ in range(_ROUNDS):
            network.train()
            batches = torch.randint(len(known), (self.steps // _ROUNDS, _BATCH), generator=generator)
            for batch in batches.to(known.device):
                loss = F.cross_entropy(network(known[batch]), labels[batch])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
            network.eval()
            with torch.no_grad():
                reached = float(F.cross_entropy(network(held_out), truth))
            if reached < least:
                best, least = copy.deepcopy(network), reached
        return best
