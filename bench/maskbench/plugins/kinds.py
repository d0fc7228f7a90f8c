"""The kinds of plug-ins: what each extends, and where those that come with maskbench lie."""

from __future__ import annotations

from dataclasses import dataclass

from maskbench.plugins.reserved import AUDITED, RESERVED


@dataclass(frozen=True)
class Kind:
    """One kind of plug-in.

    Attributes:
        name: what messages call it.
        contract: ``module:class`` that plug-ins of this kind extend. It is named, not imported: a contract may lie
            above the catalogue or below it.
        package: the folder of those that come with maskbench.
        indexed: whether that folder is read as text, and a module imported when its plug-in is asked for: so planning
            needs no Captum, and listing data sources no torch.
        reserved: names that no plug-in of this kind may have.
    """

    name: str
    contract: str
    package: str
    indexed: bool = False
    reserved: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The entry-point group of installed packages."""
        return f"maskbench.{self.name}s"


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("method", "maskbench.plugins.method:Method", "maskbench.methods", reserved=(AUDITED,)),
        Kind("attack", "maskbench.plugins.attack:Attack", "maskbench.attacks", reserved=RESERVED),
        Kind("adjustment", "maskbench.plugins.adjustment:Adjustment", "maskbench.methods.adjustments"),
        Kind("recognizer", "maskbench.models.architecture:Architecture", "maskbench.models", indexed=True),
        Kind("attribution", "maskbench.attributions.algorithm:Algorithm", "maskbench.attributions", indexed=True),
        Kind("source", "maskbench.data.source:Source", "maskbench.data.sources", indexed=True),
    )
}


def kind_of(plugin: type) -> str | None:
    """Which kind a class is, by the contract it extends; None where it extends none."""
    bases = {f"{base.__module__}:{base.__qualname__}" for base in plugin.__mro__}
    return next((kind.name for kind in KINDS.values() if kind.contract in bases), None)
