"""Restoration by LaMa as its authors trained it (big-lama), from the weights that lama-cleaner finds or from a file."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal

import torch
from maskbench import Aux, Release, RestorationAttack, content_digest, load_torchscript, pad_symmetric
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ._fourier import FourierInpainter
from ._fourier_weights import load_generator

_STEP = "python -c \"from lama_cleaner.model.lama import LaMa; LaMa('cpu')\""
_INSTEAD = "or name its TorchScript file with weights=FILE"

_COLOURS = 3  # channels that the network takes
_STRIDE = 8  # of which its sides must be multiples
# What a batch holds: on a CPU what the cache takes (at 256 px more than one image a thread was slower, at 64 px 16 were
# fastest), on a GPU a few GB of features at full size.
_CPU_PIXELS_A_THREAD, _GPU_PIXELS = 256**2, 64 * 256**2


class LaMa(RestorationAttack):
    """The pretrained inpainting network big-lama; it never saw the data or the method.

    Answers are those of lama-cleaner on the same weights, but for batches and for enlarging: the network was trained on
    256 px, where its holes are many pixels wide, so smaller images are enlarged to about that by default. By a whole
    factor, interpolating between kept pixels alone, and back by the mean. (With weights that were not at hand when this
    was written, what that gains is unmeasured: compare ``enlarge=0``.)
    """

    name: ClassVar[str] = "lama"
    source: ClassVar[str] = "2109.07161; weights as lama-cleaner finds them"
    needs_masks: ClassVar[bool] = True
    pretrained: ClassVar[bool] = True
    paths: ClassVar[tuple[str, ...]] = ("weights",)

    enlarge: int = Field(
        256, ge=0, le=4096, description="longer side in pixels that smaller images are enlarged to, about; 0: as is"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16: faster where the device computes in it, and a grey level off here and there"
    )
    weights: str = Field("", description="TorchScript file: (image N3HW, mask N1HW with 1 = hole) → image; none: found")

    def files(self) -> tuple[Path, ...]:
        return (Path(self.weights).expanduser() if self.weights else _found(_lama_cleaner()),)

    def unavailable(self) -> str | None:
        if self.weights:
            file = self.files()[0]
            return None if file.is_file() else f"there is no file {file.name}: name LaMa's TorchScript with weights="
        try:
            lama_cleaner = _lama_cleaner()
            file = _found(lama_cleaner)
        except (ImportError, OSError) as error:
            return (
                f"lama-cleaner does not work here ({error}): on Python below 3.12 run `pip install -e '.[lama]'` "
                f"and then `{_STEP}`, {_INSTEAD}"
            )
        if not file.is_file():
            return f"big-lama's weights are not at {file}: run `{_STEP}`, which fetches and verifies them, {_INSTEAD}"
        expected, found = lama_cleaner.LAMA_MODEL_MD5, content_digest(file, "md5")
        if expected and found != expected:
            return f"{file} is not big-lama (md5 {found}, not {expected}): remove it and run `{_STEP}`, {_INSTEAD}"
        return None

    def fit(self, aux: Aux) -> Any:
        """Nothing is learned here: the network is only read."""
        if self.precision == "bfloat16":  # of which the published TorchScript knows nothing: its transforms refuse it
            return FourierInpainter(load_generator(self.files()[0]), torch.bfloat16).eval()
        if not self.weights:
            lama_cleaner = _lama_cleaner()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # that TorchScript is deprecated
                return lama_cleaner.load_jit_model(lama_cleaner.LAMA_MODEL_URL, "cpu", lama_cleaner.LAMA_MODEL_MD5)
        return load_torchscript(self.files()[0])

    def restore(self, release: Release, device: torch.device) -> Tensor:
        height, width = release.images.shape[2:]
        factor = max(1, round(self.enlarge / max(height, width)))
        limit = _GPU_PIXELS if device.type == "cuda" else _CPU_PIXELS_A_THREAD * torch.get_num_threads()
        size = max(1, limit // (height * width * factor**2))
        network = self.state.to(device, memory_format=torch.channels_last)
        parts = []
        with torch.inference_mode():
            for images, masks in zip(release.images.split(size), release.kept.split(size), strict=True):
                parts.append(_inpainted(network, images.to(device), masks.to(device), factor).cpu())
        return torch.cat(parts)


def _lama_cleaner() -> ModuleType:
    """lama-cleaner's module of this network, without what importing and using it says and silences.

    Raises ImportError where it, or what it needs, is not installed.
    """
    with warnings.catch_warnings():  # it has every UserWarning of the process ignored
        from lama_cleaner.model import lama
    from loguru import logger

    logger.disable("lama_cleaner")
    return lama


def _found(lama_cleaner: ModuleType) -> Path:
    """Where its loader takes the weights from, there or not: ``LAMA_MODEL_URL`` if that is a file, or torch's cache."""
    address = lama_cleaner.LAMA_MODEL_URL
    return Path(address) if Path(address).exists() else Path(lama_cleaner.get_cache_path_by_url(address))


def _inpainted(network: torch.nn.Module, images: Tensor, masks: Tensor, factor: int) -> Tensor:
    """Inpaint a batch on its device: (N, C, H, W) and (N, 1, H, W) (1 = kept) → (N, C, H, W) on the 8-bit grid."""
    channels, height, width = images.shape[1:]
    kept = (masks == 1).to(torch.float32)
    images = images.expand(-1, _COLOURS, -1, -1)
    if factor > 1:
        images, kept = _enlarged(images, kept, factor)
    shown = pad_symmetric(images, _STRIDE).contiguous(memory_format=torch.channels_last)
    answer = network(shown, pad_symmetric(1 - kept, _STRIDE))
    answer = F.avg_pool2d(answer[..., : height * factor, : width * factor].float(), factor)
    if channels != _COLOURS:
        answer = answer.mean(dim=1, keepdim=True)
    return (answer * 255).clamp(0, 255).floor() / 255  # cut off, not rounded, as lama-cleaner does


def _enlarged(images: Tensor, kept: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Enlarge images bilinearly, with nothing of what stands in the holes, and masks by repeating pixels."""
    weights = F.interpolate(kept, scale_factor=factor, mode="bilinear", align_corners=False)
    sums = F.interpolate(images * kept, scale_factor=factor, mode="bilinear", align_corners=False)
    # Where a pixel is kept its own weight is a quarter or more, so the bound touches holes alone.
    return sums / weights.clamp_min(0.25), kept.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
