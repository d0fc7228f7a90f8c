"""What the results of a shard say of themselves, so that they pass for no more than they are and can be merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from maskbench.planning.sharding import Part, Shard
from maskbench.results.collect import method_identity


@dataclass(frozen=True)
class PlacedTrial:
    """A method under a seed, as the columns of ``cells`` name them.

    Attributes:
        place: its number among all trials of the suite, from 0: the order of a run of the whole.
        ratio: None where the method has none.
        shown_as: the method as pictures name it.
    """

    place: int
    method: str
    params: str
    ratio: float | None
    seed: int
    shown_as: str


@dataclass(frozen=True)
class ShardRecord:
    """Which shard a run folder holds; ``run`` and ``trials_in_all`` as in :class:`maskbench.planning.sharding.Part`."""

    number: int
    of: int
    run: str
    trials_in_all: int
    trials: tuple[PlacedTrial, ...]

    @classmethod
    def of_part(cls, part: Part) -> ShardRecord:
        """The record of a shard that was executed."""
        placed = []
        for trial in part.trials:
            named = method_identity(trial.method)
            ratio = None if pd.isna(named["ratio"]) else named["ratio"]
            shown_as = trial.method.label(leave_out=("adjust",))
            placed.append(PlacedTrial(trial.place, named["method"], named["params"], ratio, trial.seed, shown_as))
        return cls(part.shard.number, part.shard.of, part.run, part.trials_in_all, tuple(placed))

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> ShardRecord:
        """What ``record`` gave.

        Raises:
            KeyError, TypeError: it is another record.
        """
        trials = tuple(PlacedTrial(**trial) for trial in record["trials"])
        return cls(record["number"], record["of"], record["run"], record["trials_in_all"], trials)

    def record(self) -> dict[str, Any]:
        """As JSON values, for ``run.json``."""
        return asdict(self)

    @property
    def shard(self) -> Shard:
        """As it is typed."""
        return Shard(self.number, self.of)

    @property
    def places(self) -> dict[tuple[str, str, float | None, int], int]:
        """Method, params, ratio (None where there is none) and seed → place."""
        return {(trial.method, trial.params, trial.ratio, trial.seed): trial.place for trial in self.trials}
