"""LPIPS: how far a restoration is from the raw image in the features of a network whose weights the user has.

Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a perceptual metric" (CVPR
2018), with the linear heads that torchmetrics carries (its version 0.1). The backbone's weights are the user's file:
nothing is ever downloaded.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from maskbench.artifacts.file_digest import content_digest
from maskbench.checks import check_images
from maskbench.errors import UsageError, unknown
from maskbench.models.weights import read_state

BACKBONES = MappingProxyType({"alexnet": "alex", "vgg16": "vgg", "squeezenet1_1": "squeeze"})
"""torchvision's name → torchmetrics'."""

LEAST_SIDE = 64
"""Pixels; the patches that the heads were fitted on. Smaller images are enlarged: at 28 px AlexNet has nothing left."""

_COLOURS = 3
_BATCH = 32  # VGG-16's first features of 32 images of 224 px take 0.4 GB


def lpips(restored: Tensor, raw: Tensor, network: nn.Module) -> Tensor:
    """Perceptual distance of each image; 0 = the same. Returns N.

    Args:
        restored, raw: (N, C, H, W) in [0, 1] with 1 or 3 channels; grey is shown to all three of the network's. Where
            the smaller side is below ``LEAST_SIDE`` both are enlarged to it, bilinearly.
        network: from ``load``, on the images' device.

    Raises:
        ValueError: images out of range, or with another number of channels.
    """
    check_images(restored=restored, raw=raw)
    channels = raw.shape[1]
    if channels not in (1, _COLOURS):
        raise ValueError(f"raw: LPIPS needs 1 or {_COLOURS} channels, got {channels}.")
    with torch.no_grad(), torch.autocast(raw.device.type, enabled=False):
        parts = [
            network(_prepared(x), _prepared(y), normalize=True).flatten()
            for x, y in zip(restored.split(_BATCH), raw.split(_BATCH), strict=True)
        ]
    return torch.cat(parts).to(raw.dtype)


def identity(perceptual: str) -> dict[str, str]:
    """What ``BACKBONE@FILE`` stands for, as it goes into keys and ``run.json``: the file's content, not its path.

    Raises:
        UsageError: no such backbone, no file, one that does not hold that backbone, or torchmetrics is not installed.
            A run is planned by keys, so this comes before hours of work and not after them.
    """
    name, file = _parse(perceptual)
    content = content_digest(file)
    _built(name, file, content)
    return {"name": name, "weights": content}


def load(perceptual: str, device: torch.device) -> nn.Module:
    """The LPIPS network with the backbone of ``BACKBONE@FILE``: torchvision's state dict, safetensors or torch.save.

    Raises:
        UsageError: as ``identity``.
    """
    name, file = _parse(perceptual)
    return _built(name, file, content_digest(file)).to(device)


def _prepared(images: Tensor) -> Tensor:
    images = images.float().expand(-1, _COLOURS, -1, -1)
    side = min(images.shape[2:])
    if side >= LEAST_SIDE or len(images) == 0:
        return images
    size = [round(length * LEAST_SIDE / side) for length in images.shape[2:]]
    return interpolate(images, size, mode="bilinear", align_corners=False)


def _parse(perceptual: str) -> tuple[str, Path]:
    name, _, path = perceptual.partition("@")
    if name not in BACKBONES:
        raise unknown("backbone", name, list(BACKBONES))
    file = Path(path).expanduser()
    if not path or not file.is_file():
        raise UsageError(
            f"There is no weights file '{path}': write perceptual as {name}@FILE, where FILE holds torchvision's "
            f"weights of {name}. Without the setting there is no lpips."
        )
    if find_spec("torchmetrics") is None:
        raise UsageError("The setting perceptual needs torchmetrics: pip install torchmetrics.")
    return name, file


@lru_cache(maxsize=1)
def _built(name: str, file: Path, _content: str) -> nn.Module:
    # torchmetrics takes seconds to import. Its public functions can only download the backbone; this class can also
    # start from none.
    from torchmetrics.functional.image.lpips import _NoTrainLpips

    network = _NoTrainLpips(net=BACKBONES[name], pnet_rand=True)
    given = read_state(file)
    state, missing = {}, []
    for key, random in network.net.state_dict().items():
        # "slice2.3.weight" or "slices.1.3.squeeze.weight" → "features.3…": layers keep torchvision's numbers.
        place = key.removeprefix("slices.").partition(".")[2]
        found = given.get(f"features.{place}")
        if found is None or found.shape != random.shape:
            missing.append(f"features.{place}")
        else:
            state[key] = found
    if missing:
        raise UsageError(f"The weights in '{file}' are not torchvision's {name}: no fitting {missing[0]}.")
    network.net.load_state_dict(state)
    return network
