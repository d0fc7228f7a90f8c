"""Who owns which images, and which labels they have: the words of the threat model."""

from __future__ import annotations

from typing import Literal

Party = Literal["owner", "attacker"]
Split = Literal["owner_train", "owner_test", "attacker_train", "attacker_validation"]
Label = Literal["target", "sensitive"]
"""What the recognizer learns, and what the attacker infers."""

SPLITS_OF: dict[Party, tuple[Split, Split]] = {
    "owner": ("owner_train", "owner_test"),
    "attacker": ("attacker_train", "attacker_validation"),
}
"""Party → its splits: it trains on the first, and sees on the second how well that went."""
