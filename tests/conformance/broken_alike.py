"""What a plug-in of any kind can get wrong, before it does anything."""

from __future__ import annotations

from typing import ClassVar

from maskbench.plugins.base import Plugin


def broken_alike(good: type[Plugin]) -> dict[type[Plugin], str]:
    """Plug-ins that are like a good one but for one promise each → the check that they fail."""

    class Loud(good):
        """A name in capitals."""

        name: ClassVar[str] = "Loud_Name"

    class Silent(good):
        name: ClassVar[str] = "silent"

    class AlmostAHook(good):
        """A hook whose name is spelt otherwise."""

        name: ClassVar[str] = "almost-a-hook"

        def unavailabel(self) -> str | None:
            return None

    class NoDefault(good):
        """A parameter that must be given."""

        name: ClassVar[str] = "no-default"
        size: int

    return {Loud: "name", Silent: "documented", AlmostAHook: "hooks", NoDefault: "parameters"}
