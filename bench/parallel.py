"""One function over many images on all cores, for libraries that take one image at a time and release the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]


def map_images(function: Callable[..., Array], *arrays: Iterable[Array]) -> list[Array]:
    """``[function(*row) for row in zip(*arrays)]``, in order, on as many threads as there are cores."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(function, *arrays))
