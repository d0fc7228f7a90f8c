"""What a user says about the data: light enough to import before anything heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import pydantic


class Shares(pydantic.BaseModel):
    """Percent of the distinct images that each split gets, 100 in all.

    Where the data brings a test split of its own, ``owner_test`` comes from it alone: all of it, or its share of a
    limit. The other three divide the rest as they stand to each other.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    owner_train: int = pydantic.Field(50, ge=1, le=97, description="released; the recognizer learns from it")
    owner_test: int = pydantic.Field(20, ge=1, le=97, description="recognition is scored on it")
    attacker_train: int = pydantic.Field(24, ge=1, le=97, description="raw images that the attacker learns from")
    attacker_validation: int = pydantic.Field(6, ge=1, le=97, description="raw images that the attacker chooses on")

    def __str__(self) -> str:
        return "/".join(str(percent) for percent in self.model_dump().values())

    @pydantic.model_validator(mode="after")
    def _all_together(self) -> Self:
        total = sum(self.model_dump().values())
        if total != 100:
            raise ValueError(f"the shares of the four splits are {total} percent together and must be 100")
        return self


class Released(pydantic.BaseModel):
    """A release that was made elsewhere, of the pictures of a folder: what an audit measures.

    Attributes:
        unreadable: places, among the pairs, of those that cannot be used; None: nobody has looked yet.
        notes: what was found when somebody looked, a sentence each, without names of files.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    folder: str = pydantic.Field(max_length=10_000, description="folder of the released pictures")
    masks: str | None = pydantic.Field(None, max_length=10_000, description="folder of their masks: white is kept")
    pairs: str | None = pydantic.Field(None, max_length=10_000, description="CSV file: raw, released")
    unreadable: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


class DataOptions(pydantic.BaseModel):
    """The choice of images and labels; `maskbench.data.load.resolve` checks it and fills in the defaults."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    source: str = pydantic.Field(
        "digits", max_length=10_000, description="built-in name, folder of classes, folder of Parquet files, or hf:NAME"
    )
    labels: str | None = pydantic.Field(
        None, max_length=10_000, description="CSV file with the labels of a folder: file name, then any columns"
    )
    target: str | None = pydantic.Field(None, max_length=10_000, description="label column that the recognizer learns")
    sensitive: str | None = pydantic.Field(None, max_length=10_000, description="label column that the attacker infers")
    bins: tuple[str, ...] = pydantic.Field((), description="classes made of numbers: COLUMN=NUMBER,NUMBER,…")
    size: int | None = pydantic.Field(None, description="square side in pixels; native if not given")
    limit: int | None = pydantic.Field(None, description="at most this many images over all splits")
    split_seed: int = pydantic.Field(0, ge=0, le=2**32 - 1, description="another number deals the images out anew")
    shares: Shares = pydantic.Field(Shares(), description="percent of the images that each split gets")
    released: Released | None = pydantic.Field(None, description="a release of these images that was made elsewhere")

    def choices(self) -> dict[str, Any]:
        """What decides which pictures and labels these are, beside the content of the files: JSON values, no paths."""
        # What was stored before there were seeds and shares of splits is of seed 0 and of the default ones.
        unchosen = {"split_seed"} if not self.split_seed else set()
        if self.shares == Shares():
            unchosen.add("shares")
        left_out = {"source", "labels", "released"} | unchosen
        return self.model_dump(mode="json", exclude=left_out)

    def described(self) -> dict[str, Any]:
        """The same with the names of files and folders. Where they lie on this machine is nobody else's business."""
        described = {**self.choices(), "split_seed": self.split_seed}
        if self.labels is not None:
            described["labels"] = Path(self.labels).name
        if self.released is not None:
            places = self.released.model_dump(include={"folder", "masks", "pairs"})
            described["released"] = {name: value and Path(value).name for name, value in places.items()}
        return described
