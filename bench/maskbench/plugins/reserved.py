"""Names that tables have in the place of an attack, and that no attack may have."""

from __future__ import annotations

from typing import Final

RECOGNITION: Final = "none"
"""There is none: the recognizer that was trained on the releases is scored."""

FIND_MASKS: Final = "find-masks"
"""Of a kind of its own: how well masks that were withheld are found."""

MEMBERSHIP: Final = "membership"
"""Of a kind of its own: what weights that were handed out tell of the raw pictures that they come from."""

STACKED: Final = "stacked"
"""All inference attacks on a label, with their answers taken together; or all restorations."""

STRONGEST: Final = "strongest"
"""The strongest attack that an attacker can choose, chosen on attacker-validation."""

ORACLE: Final = "oracle"
"""The best attack for each image, by an attacker who sees the answer."""

OPTIMUM: Final = "optimum"
"""The best possible attack, of someone who knows what the images are drawn from."""

OPTIMUM_OF_MASKS: Final = "optimum-of-masks"
"""The same of someone who sees the masks alone: what their shape gives away."""

PERMUTED: Final = "permuted"
"""Inference attacks that train no network, taken together, with the labels that the attacker has shuffled: a null."""

AVERAGED: Final = "averaged"
"""Inference attacks that train no network, taken together: what they say of each of several releases of a picture, in
the mean."""

BESIDE = (OPTIMUM, OPTIMUM_OF_MASKS, PERMUTED)
"""What stands beside attacks and is none that an attacker could choose."""

RESERVED = (RECOGNITION, FIND_MASKS, MEMBERSHIP, STACKED, STRONGEST, ORACLE, AVERAGED, *BESIDE)

AUDITED: Final = "audited"
"""Not an attack: what stands in the place of a method where a release was made elsewhere."""
