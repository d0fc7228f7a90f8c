from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from maskbench import Aux, Release
from maskbench.attacks.diffusion_pipeline import DiffusionPipeline
from maskbench.conformance.samples import masks, pictures
from maskbench.plugins.knowledge import Known
from maskbench.training.settings import RESTORATION

CPU = torch.device("cpu")
SMALL = {"steps": 2, "enlarge": 64}


def _released(count: int, shape: tuple[int, int, int] = (3, 32, 32)) -> Release:
    numbers = torch.arange(count)
    kept = masks(numbers, shape)
    return Release(pictures(numbers, shape) * kept, kept)


def _fitted(folder: Path) -> DiffusionPipeline:
    attack = DiffusionPipeline.create({"folder": str(folder), **SMALL})
    assert attack.unavailable() is None
    release = _released(2)
    known = Known(release.images, release)
    aux = Aux(train=known, validation=known, training=RESTORATION, mirror=True, seed=3, device=CPU)
    return attack.with_state(attack.fit(aux))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion of random weights and a few kilobytes, saved as any other."""
    diffusers = pytest.importorskip("diffusers")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    words = ["a</w>", "<|startoftext|>", "<|endoftext|>"]
    tokenizer = transformers.CLIPTokenizer(
        vocab={word: place for place, word in enumerate(words)}, merges=[], model_max_length=8
    )
    text = transformers.CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    blocks = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}
    pipeline = diffusers.StableDiffusionInpaintPipeline(
        vae=diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, **blocks
        ),
        text_encoder=transformers.CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=diffusers.UNet2DConditionModel(
            sample_size=64,
            in_channels=9,
            out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=4,
            **blocks,
        ),
        scheduler=diffusers.DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    place = tmp_path_factory.mktemp("pipeline")
    pipeline.save_pretrained(place)
    return place


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 48, 32)])
def test_it_answers_and_keeps_kept_pixels(folder: Path, shape: tuple[int, int, int]) -> None:
    release = _released(2, shape)
    restored = _fitted(folder).restored(release, CPU)
    assert torch.equal(restored * release.masks, release.images)
    assert (restored * (1 - release.masks)).std() > 0.01


def test_neither_the_batch_nor_the_generators_change_an_answer(folder: Path) -> None:
    attack, release = _fitted(folder), _released(3)
    together = attack.restore(release, CPU)
    torch.manual_seed(1)
    assert torch.equal(attack.restore(release, CPU), together)
    alone = torch.cat([attack.restore(release.select(slice(at, at + 1)), CPU) for at in range(3)])
    torch.testing.assert_close(alone, together, rtol=0, atol=1 / 255)


def test_other_weights_are_another_identity(folder: Path) -> None:
    attack = DiffusionPipeline.create({"folder": str(folder)})
    before = attack.identity()
    weights = next(folder.glob("unet/*.safetensors"))
    content = weights.read_bytes()
    try:
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert attack.identity() != before
    finally:
        weights.write_bytes(content)


def test_without_a_pipeline_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> object:
        return object()

    monkeypatch.setattr("maskbench.attacks.diffusion_pipeline.find_spec", found)
    assert "folder=FOLDER" in str(DiffusionPipeline().unavailable())
    assert "no model_index.json" in str(DiffusionPipeline.create({"folder": str(tmp_path)}).unavailable())


@pytest.mark.skipif(importlib.util.find_spec("diffusers") is not None, reason="diffusers is installed")
def test_without_diffusers_it_says_what_to_install() -> None:
    assert "pip install -e '.[diffusion]'" in str(DiffusionPipeline().unavailable())
