"""Stages → an ordered plan: each piece of work once, with its key and what the key is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from maskbench.artifacts.fingerprint import closure, digest
from maskbench.numerics import Numerics
from maskbench.stages.stage import Stage


@dataclass(frozen=True)
class Step:
    """One stage of a plan.

    Attributes:
        key: sha-256 of ``ingredients``.
        inputs: name → key of the step it reads.
        ingredients: everything the key is made of, as it is stored with the artifact and shown by ``maskbench why``.
    """

    stage: Stage
    key: str
    inputs: Mapping[str, str]
    ingredients: Mapping[str, Any]

    def device(self, of_run: torch.device) -> torch.device:
        """Where the step is made in a run on a device."""
        return torch.device("cpu") if self.stage.cpu_only else of_run


@dataclass
class Plan:
    """Steps in an order in which every input comes before its use.

    Attributes:
        numerics: how a GPU rounds.
        ranks: key → the least rank of what needs the step: what is wanted first has the least.
    """

    device_type: str
    numerics: Numerics = field(default_factory=Numerics)
    steps: dict[str, Step] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    _keys: dict[Stage, str] = field(default_factory=dict)

    def add(self, stage: Stage, rank: int = 0) -> str:
        """Add a stage and all it needs; return its key. What has the least rank is added first."""
        known = self._keys.get(stage)
        if known is not None:
            return known
        inputs = {name: self.add(needed, rank) for name, needed in stage.inputs().items()}
        sources, libraries = closure((type(stage).__module__, *stage.roots()))
        device_type = "cpu" if stage.cpu_only else self.device_type
        ingredients = {
            "stage": stage.kind,
            "parameters": dict(stage.parameters()),
            "inputs": inputs,
            "sources": sources,
            "libraries": libraries,
            # CPU and CUDA round differently, so their results are different artifacts.
            "device_type": device_type,
            "numerics": self.numerics.ingredients(device_type),
        }
        key = digest(ingredients)
        self._keys[stage] = key
        self.steps.setdefault(key, Step(stage, key, inputs, ingredients))
        self.ranks.setdefault(key, rank)
        return key

    def key(self, stage: Stage) -> str:
        """The key of a stage that was added."""
        return self._keys[stage]

    def needed(self, missing: Iterable[str]) -> dict[str, Step]:
        """The steps with these keys, in the plan's order."""
        wanted = set(missing)
        return {key: step for key, step in self.steps.items() if key in wanted}
