"""Batched ``lama`` against lama-cleaner's own call, on one TorchScript file of LaMa at full size with random weights.

``pytest tests/perf/test_perf_lama.py --benchmark-only -s``: it needs the extra ``lama`` and two free cores or a GPU,
takes about a minute, and is skipped in an ordinary run of the tests.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from maskbench import Release
from maskbench.attacks.lama import LaMa
from maskbench.release import to_bytes, to_float
from pytest_benchmark.fixture import BenchmarkFixture
from torchscript_files import write_torchscript

IMAGES = 8
WARM_UP = 2  # calls, in which TorchScript observes and specializes
# Side in pixels and precision → times the images/s of lama-cleaner's call. In float32 at 256 px the convolutions of a
# single image run at the speed that the processor has: there is nothing that a batch could gain on a CPU.
WANTED = {(64, "float32"): 1.7, (64, "bfloat16"): 3.0, (256, "bfloat16"): 1.5}
ROUNDS = {64: 6, 256: 3}
CUDA = pytest.param(
    torch.device("cuda"),
    marks=[pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lama") / "full.pt"
    write_torchscript(file)
    return file


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@pytest.mark.parametrize("device", [torch.device("cpu"), CUDA], ids=str)
@pytest.mark.parametrize(("side", "precision"), sorted(WANTED))
def test_batches_outrun_lama_cleaner(
    benchmark: BenchmarkFixture,
    monkeypatch: pytest.MonkeyPatch,
    script: Path,
    side: int,
    precision: str,
    device: torch.device,
) -> None:
    with warnings.catch_warnings():  # importing it silences every UserWarning
        pytest.importorskip("lama_cleaner.model.lama", reason="needs the extra 'lama'", exc_type=ImportError)
        from lama_cleaner.model import lama
        from lama_cleaner.schema import Config, HDStrategy
    if device.type == "cpu" and torch.get_num_threads() < 2:
        pytest.skip("needs two threads: one core is as busy with a single image as with eight")
    monkeypatch.setattr(lama, "LAMA_MODEL_URL", str(script))
    theirs = lama.LaMa(device)
    ours = LaMa(weights=str(script), enlarge=0, precision=precision)
    ours = ours.with_state(ours.fit(None))
    config = Config(
        ldm_steps=1,
        hd_strategy=HDStrategy.ORIGINAL,
        hd_strategy_crop_margin=0,
        hd_strategy_crop_trigger_size=0,
        hd_strategy_resize_limit=0,
    )
    generator = torch.Generator().manual_seed(0)
    raw = to_bytes(torch.rand(IMAGES, 3, side, side, generator=generator))
    release = Release(to_float(raw), (torch.rand(IMAGES, 1, side, side, generator=generator) < 0.5).float())
    pictures = raw.permute(0, 2, 3, 1).contiguous().numpy()
    holes = (release.masks[:, 0] == 0).to(torch.uint8).numpy() * np.uint8(255)

    def one_by_one() -> None:
        for picture, hole in zip(pictures, holes, strict=True):
            theirs(picture, hole, config)

    def batched() -> None:
        ours.restore(release, device)

    for _ in range(WARM_UP):
        theirs(pictures[0], holes[0], config)
        batched()
    seconds = min(_timed(one_by_one) for _ in range(ROUNDS[side]))
    benchmark.pedantic(batched, rounds=ROUNDS[side])
    ratio = seconds / benchmark.stats.stats.min
    benchmark.extra_info |= {"images_per_second": IMAGES / benchmark.stats.stats.min, "times_lama_cleaner": ratio}
    speed = IMAGES / benchmark.stats.stats.min
    print(f"lama, {IMAGES} images of {side} px, {precision}, {device}: {speed:.2f} images/s, {ratio:.2f} times theirs")
    assert ratio >= WANTED[side, precision]
