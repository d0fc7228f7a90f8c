"""What a user says about the data: light enough to import before anything heavy."""

from __future__ import annotations

import pydantic


class DataOptions(pydantic.BaseModel):
    """The choice of images and labels; `maskbench.data.load.resolve` checks it and fills in the defaults."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    source: str = pydantic.Field(
        "digits", max_length=10_000, description="built-in name, folder of classes, folder of Parquet files, or hf:NAME"
    )
    target: str | None = pydantic.Field(None, max_length=10_000, description="label column that the recognizer learns")
    sensitive: str | None = pydantic.Field(None, max_length=10_000, description="label column that the attacker infers")
    size: int | None = pydantic.Field(None, description="square side in pixels; native if not given")
    limit: int | None = pydantic.Field(None, description="at most this many images over all splits")
    split_seed: int = pydantic.Field(0, ge=0, le=2**32 - 1, description="another number deals the images out anew")
