"""Names that tables have in the place of an attack, and that no attack may have."""

from __future__ import annotations

from typing import Final

RECOGNITION: Final = "none"
"""There is none: the recognizer that was trained on the releases is scored."""

FIND_MASKS: Final = "find-masks"
"""Of a kind of its own: how well masks that were withheld are found."""

STACKED: Final = "stacked"
"""All inference attacks on a label, with their answers taken together."""

STRONGEST: Final = "strongest"
"""The realizable strongest attack, chosen on attacker-validation."""

ORACLE: Final = "oracle"
"""The best attack for each image, by an attacker who sees the answer."""

RESERVED = (RECOGNITION, FIND_MASKS, STACKED, STRONGEST, ORACLE)
