"""CIFAR-100 (Krizhevsky, 2009) through torchvision, with its 20 coarse classes."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from maskbench.data.cifar import CifarFiles
from maskbench.data.source import LabelTable, RawImages, Source

# torchvision reads the fine labels alone. The table is that of the data set's page.
_FINE_CLASSES = {
    "aquatic_mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food_containers": "bottle bowl can cup plate",
    "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
    "household_electrical_devices": "clock keyboard lamp telephone television",
    "household_furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large_carnivores": "bear leopard lion tiger wolf",
    "large_man-made_outdoor_things": "bridge castle house road skyscraper",
    "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
    "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium_mammals": "fox porcupine possum raccoon skunk",
    "non-insect_invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small_mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles_1": "bicycle bus motorcycle pickup_truck train",
    "vehicles_2": "lawn_mower rocket streetcar tank tractor",
}
COARSE_OF_FINE = {fine: coarse for coarse, names in _FINE_CLASSES.items() for fine in names.split()}


class Cifar100(Source):
    """Target coarse, sensitive fine."""

    name = title = canonical = "cifar100"
    description = "60,000 objects, 32×32 (CIFAR-100); coarse (20 classes), fine (100)"
    default_target = "coarse"
    default_sensitive = "fine"

    @classmethod
    def opened(cls, text: str) -> Cifar100 | None:
        """Open the set by its name."""
        return cls() if text == cls.name else None

    @cached_property
    def _files(self) -> CifarFiles:
        from torchvision.datasets import CIFAR100

        return CifarFiles(CIFAR100)

    def labels(self) -> LabelTable:
        """Return the 100 fine classes, and the 20 coarse ones that they belong to."""
        coarse, fine = list(_FINE_CLASSES), self._files.classes
        coarse_code = np.array([coarse.index(COARSE_OF_FINE[name]) for name in fine], dtype=np.int64)
        return LabelTable(
            labels={"coarse": coarse_code[self._files.codes], "fine": self._files.codes},
            classes={"coarse": coarse, "fine": fine},
            native_test=self._files.native_test,
        )

    def images(self) -> RawImages:
        """Give access to the images."""
        return self._files.images()

    def fingerprint(self) -> str:
        """Hash the files."""
        return self._files.fingerprint()
