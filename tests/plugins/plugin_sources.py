"""The text of a small plug-in of each kind, for tests that write it into a file or a package."""

from __future__ import annotations

METHOD = '''
from typing import ClassVar
from maskbench import Method, Release

class {title}(Method):
    """Everything stays."""

    name: ClassVar[str] = "{name}"

    def desensitize(self, images, given):
        return Release(images)
'''

ATTACK = '''
from typing import ClassVar
from maskbench import RestorationAttack

class {title}(RestorationAttack):
    """Nothing is done."""

    name: ClassVar[str] = "{name}"

    def restore(self, release, device):
        return release.images
'''

ADJUSTMENT = '''
from typing import ClassVar
from maskbench import Adjustment
from maskbench.models.recognizer import ImageOnly

class {title}(Adjustment):
    """No adjustment."""

    name: ClassVar[str] = "{name}"

    def wrap(self, recognizer, teacher):
        return ImageOnly(recognizer)
'''

RECOGNIZER = '''
from typing import ClassVar
from torch import nn
from maskbench.models.architecture import Architecture
from maskbench.models.recognizer import Recognizer

class {title}(Architecture):
    """One convolution."""

    name: ClassVar[str] = "{name}"
    width: int = 4

    def build(self, *, channels, classes, size):
        pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(self.width, classes)]
        layers = [nn.Conv2d(channels, self.width, 3), *pooled]
        return Recognizer(nn.Sequential(*layers), feature_layers=["network.0"], mean=[0] * channels, std=[1] * channels)
'''

ATTRIBUTION = '''
from typing import ClassVar
from maskbench.attributions.algorithm import Algorithm

class {title}(Algorithm):
    """How bright a pixel is."""

    name: ClassVar[str] = "{name}"
    power: int = 1

    def attribute(self, network, images, pass_size):
        return images.mean(dim=1, keepdim=True) ** self.power
'''

SOURCE = '''
from typing import ClassVar
from maskbench.data.source import Source

class {title}(Source):
    """Nothing to see."""

    name: ClassVar[str] = "{name}"
    description: ClassVar[str] = "no images"

    @classmethod
    def opened(cls, text):
        return None

    def labels(self): ...
    def images(self): ...
    def fingerprint(self): ...
'''

SOURCES = {
    "method": METHOD,
    "attack": ATTACK,
    "adjustment": ADJUSTMENT,
    "recognizer": RECOGNIZER,
    "attribution": ATTRIBUTION,
    "source": SOURCE,
}


def written(kind: str, name: str) -> str:
    """The source of a plug-in of a kind."""
    title = "".join(word.capitalize() for word in name.split("-"))
    return SOURCES[kind].format(name=name, title=title)
