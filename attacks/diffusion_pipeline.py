"""Restoration by a pretrained inpainting pipeline of diffusers, from a folder."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import torch
from maskbench import Aux, Release, RestorationAttack, content_numbers, pad_symmetric, pull_push
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

_COLOURS = 3  # channels that pipelines take
_STRIDE = 64  # of which sides must be multiples: 8 of the autoencoder times 8 of the denoiser, in the known ones
_INDEX = "model_index.json"  # the file that makes a folder a pipeline
_BATCH_PIXELS = {"cpu": 512**2, "cuda": 8 * 512**2}


class DiffusionPipeline(RestorationAttack):
    """An inpainting pipeline of diffusers from a local folder; it never saw the data or the method.

    Images are enlarged to about what pipelines are trained for, and brought back by the mean. Nothing is downloaded,
    and nothing but safetensors is read. An image's noise depends on the seed and on what the image shows.
    """

    name: ClassVar[str] = "diffusion-pipeline"
    source: ClassVar[str] = "2112.10752 (latent diffusion), or what the folder holds; through diffusers"
    needs_masks: ClassVar[bool] = True
    restores_training: ClassVar[bool] = False
    paths: ClassVar[tuple[str, ...]] = ("folder",)

    folder: str = Field("", description="folder of a pipeline, as diffusers' save_pretrained writes it")
    prompt: str = Field("", description="text that the pipeline is given, where it takes one")
    steps: int = Field(20, ge=1, le=1000, description="denoising steps")
    guidance: float = Field(1.0, ge=0, description="weight of the text, where the pipeline takes one; 1: no guidance")
    enlarge: int = Field(
        512, ge=0, le=4096, description="longer side in pixels that smaller images are enlarged to, about; 0: as is"
    )

    def files(self) -> tuple[Path, ...]:
        if not self.folder:
            return ()
        return tuple(sorted(file for file in Path(self.folder).expanduser().rglob("*") if file.is_file()))

    def unavailable(self) -> str | None:
        missing = [name for name in ("diffusers", "transformers") if find_spec(name) is None]
        if missing:
            return f"{' and '.join(missing)} not installed: run `pip install -e '.[diffusion]'`"
        if not self.folder:
            return (
                "it needs a pipeline: name its folder with folder=FOLDER; diffusers writes one with "
                "`AutoPipelineForInpainting.from_pretrained(NAME).save_pretrained(FOLDER)`"
            )
        if not (Path(self.folder).expanduser() / _INDEX).is_file():
            return f"there is no {_INDEX} in {self.folder}: name a folder that diffusers' save_pretrained wrote"
        return None

    def fit(self, aux: Aux) -> Any:
        """Nothing is learned here: the pipeline is only read."""
        from diffusers import AutoPipelineForInpainting  # an extra, and slow to import

        pipeline = AutoPipelineForInpainting.from_pretrained(
            str(Path(self.folder).expanduser()), local_files_only=True, use_safetensors=True
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline, aux.seed

    def restore(self, release: Release, device: torch.device) -> Tensor:
        pipeline, seed = self.state
        pipeline.to(device)
        height, width = release.images.shape[2:]
        factor = max(1, round(self.enlarge / max(height, width)))
        size = max(1, _BATCH_PIXELS[device.type] // (height * width * factor**2))
        parts = [release.select(index) for index in torch.arange(len(release)).split(size)]
        return torch.cat([self._inpainted(pipeline, part, factor, seed) for part in parts])

    def _inpainted(self, pipeline: Any, release: Release, factor: int, seed: int) -> Tensor:
        """Inpaint a batch: float32 (N, C, H, W) in [0, 1], on the CPU."""
        channels, height, width = release.images.shape[1:]
        # What stands in the holes must not be mixed into the kept pixels when they are enlarged.
        guess = pull_push(release.images, release.kept).expand(-1, _COLOURS, -1, -1)
        images = F.interpolate(guess, scale_factor=factor, mode="bilinear") if factor > 1 else guess
        holes = (1 - release.kept).repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
        images, holes = pad_symmetric(images, _STRIDE), pad_symmetric(holes, _STRIDE)
        given = {
            "prompt": [self.prompt] * len(release),
            "image": images,
            "mask_image": holes,
            "height": images.shape[2],
            "width": images.shape[3],
            "strength": 1.0,  # the holes start as noise: nothing of the guess is kept there
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "generator": [torch.Generator().manual_seed(it ^ seed) for it in content_numbers(release).tolist()],
            "output_type": "pt",
        }
        taken = inspect.signature(pipeline.__call__).parameters
        answer = pipeline(**{name: value for name, value in given.items() if name in taken}).images
        answer = answer.float().cpu()[..., : height * factor, : width * factor]
        answer = F.avg_pool2d(answer, factor).clamp(0, 1)
        return answer if channels == _COLOURS else answer.mean(dim=1, keepdim=True)
