"""The two controls that every run needs: the raw images, and releases of nothing."""

from __future__ import annotations

from typing import Literal

from maskbench.errors import UsageError
from maskbench.plugins.catalogue import catalogue, origin
from maskbench.plugins.method import Method


def control(role: Literal["raw", "null"]) -> Method:
    """The one method of a role, with its default parameters.

    Raises:
        UsageError: none has the role, or several do: no order of files may decide which one a run is read against.
    """
    found: list[type[Method]] = [method for method in catalogue().classes("method") if method.role == role]
    if not found:
        raise UsageError(f"No method has the role '{role}', which every run needs. Install maskbench again.")
    if len(found) > 1:
        listed = " and ".join(f"'{method.name}' ({origin(method)})" for method in found)
        raise UsageError(f"Several methods have the role '{role}': {listed}. A run needs one: give the other none.")
    return found[0].create({})
