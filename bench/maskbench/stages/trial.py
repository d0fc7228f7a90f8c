"""One method on one data set under one seed: where its stages get the releases, masks and teachers they share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maskbench.data.parties import Label, Party
from maskbench.plugins.audited import Audited
from maskbench.plugins.method import Method
from maskbench.stages.attributions import Attributions
from maskbench.stages.audited_release import AuditedRelease
from maskbench.stages.data import Data
from maskbench.stages.found_masks import FoundMasks
from maskbench.stages.party_release import PartyRelease, explained, takes_owners_fit
from maskbench.stages.settings import Settings
from maskbench.stages.soft_labels import SoftLabels
from maskbench.stages.teacher import Teacher


@dataclass(frozen=True)
class Trial:
    """What the recognizer and every attack of one method under one seed have in common."""

    data: Data
    method: Method
    settings: Settings
    seed: int

    def release(self, party: Party, draw: int = 0, again: int = 0) -> PartyRelease:
        """What a party releases.

        Args:
            draw: numbers further releases of the attacker's training pictures, each with a fit of its own.
            again: numbers further releases of all its pictures, by the method as it is fitted. The first one serves
                where no random number would differ.
        """
        again = 0 if self.method.deterministic else again
        seed = 0 if self._always_the_same() else self.seed
        if isinstance(self.method, Audited):
            return AuditedRelease(self.data, self.method, party, seed)
        if takes_owners_fit(self.method, party):
            owners = self.release("owner")
            return PartyRelease(self.data, self.method, party, seed, draw, owners=owners, again=again)
        requested = tuple(
            Attributions(self.teacher(request.label, party=party, copy=fit.copy), request.algorithm, split)
            for fit, split in explained(self.method, party, draw)
            for request in self.method.requests()
        )
        return PartyRelease(self.data, self.method, party, seed, draw, requested, again=again)

    @property
    def releases(self) -> int:
        """How many releases of each picture the attacker has that may differ."""
        return 1 if self.method.deterministic else self.settings.releases

    def of_one(self) -> Trial:
        """The same, of an attacker who looks at one release of each picture at a time."""
        return replace(self, settings=self.settings.model_copy(update={"releases": 1}))

    def seen(self, party: Party, draw: int = 0, again: int = 0) -> PartyRelease:
        """What an attacker makes of all the releases of a party's pictures; arguments as of ``release``."""
        single = self.release(party, draw, again)
        return single if self.releases == 1 else replace(single, releases=self.releases)

    def more_draws(self) -> tuple[PartyRelease, ...]:
        """Further releases of the attacker's training pictures, which it can make as often as it likes.

        None where they would all be equal: it then trains as long on the single one as it would on several copies.
        """
        if self._always_the_same():
            return ()
        return tuple(self.seen("attacker", draw) for draw in range(1, self.settings.draws))

    def _always_the_same(self) -> bool:
        """Whether neither seed nor draw changes a release: teachers, which attributions explain, differ by both."""
        return self.method.deterministic and not self.method.requests()

    def found_masks(self, aux_share: float = 1.0) -> FoundMasks | None:
        """The masks that the attacker finds with a share of its training pictures; None unless they are withheld."""
        if not self.method.withholds_masks():
            return None
        own, others = self.release("attacker"), self.more_draws()
        return FoundMasks(self.release("owner"), own, others, self.settings.restoration, aux_share)

    def teacher(self, label: Label, *, party: Party = "owner", copy: str = "") -> Teacher:
        """A party's recognizer of raw images; ``copy`` names further ones of the attacker's."""
        return Teacher(
            self.data, party, label, self.settings.recognizer, self.settings.recognition, self.seed, copy=copy
        )

    def soft_labels(self, party: Party) -> SoftLabels:
        """What a party's teacher of the task says of its raw pictures."""
        return SoftLabels(self.teacher("target", party=party))
