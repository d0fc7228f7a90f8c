"""From the manifest of a release back to its method, so that a run measures that very method."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maskbench.data.own_output import MADE_BY, MANIFEST
from maskbench.data.paths import shown
from maskbench.errors import UsageError
from maskbench.plugins.catalogue import create
from maskbench.plugins.method import Method


def released_by(path: Path) -> tuple[Method, int | None]:
    """The method of a release with all its parameters, and the size that images were brought to.

    Masks that were not written were withheld, whatever the parameters say.

    Args:
        path: ``manifest.json``, or the folder that it lies in.

    Raises:
        UsageError: it is no manifest of a release, or its method is not there or has changed its parameters.
    """
    file = path / MANIFEST if path.is_dir() else path
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if manifest["made_by"] != MADE_BY:
            raise KeyError("made_by")
        name, parameters = manifest["method"]["name"], dict(manifest["method"]["parameters"])
        masks, size = manifest["masks"], manifest["options"]["size"]
    except OSError as error:
        raise UsageError(f"The release {shown(file)} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{shown(file)} is no manifest of a release: name the manifest.json that `{MADE_BY}` has written."
        ) from None
    method: Method = create("method", name, _withheld(parameters) if masks is None else parameters)
    return method, size


def _withheld(parameters: dict[str, Any]) -> dict[str, Any]:
    return {**parameters, "masks": "withheld"} if "masks" in parameters else parameters
