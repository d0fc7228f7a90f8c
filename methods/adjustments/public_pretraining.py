"""Starting from what pictures that are not the owner's taught."""

from __future__ import annotations

from typing import ClassVar

from maskbench import ActsOn, Adjustment, ImageOnly, Recognizer
from torch import nn


class PublicPretraining(Adjustment):
    """The recognizer starts from weights that it learned from the third party's own public pictures, raw.

    In a run the attacker's training pictures, with their task labels, stand in for these: never a picture of the
    owner's. So nothing leaves the owner but the release. Whoever trains elsewhere hands a recognizer with such weights
    to ``adapt``.
    """

    name: ClassVar[str] = "public-pretraining"
    source: ClassVar[str] = "transfer learning: Yosinski et al. 2014 (1411.1792)"
    acts_on: ClassVar[ActsOn] = "weights"
    needs_public: ClassVar[bool] = True

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return ImageOnly(recognizer)
