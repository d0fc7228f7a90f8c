"""No release of any built-in method is the raw image, or hides less than it promises, at any size and parameters.

The rule is written down here once more, apart from the judge's own code. What the rule forbids may only end in an
error of ours: a crash is a finding too.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
import torch
from maskbench import Attribution, MaskMethod, Method, Owner, Release
from maskbench.errors import MaskbenchError
from maskbench.fills import FILLS
from maskbench.plugins import judging
from maskbench.plugins.catalogue import catalogue
from torch import Tensor

SIDES = range(1, 65)
RATIOS = (0.001, 0.1, 0.4, 0.6, 0.75, 1.0)
PATCHES = (1, 3, 4, 16, 99_999)
SAMPLES = 60
DRAWS = 12  # for each side, of the parameters of a method without a ratio
IMAGES = 4  # noise, smooth, a black half, one colour
OWNED = 6

MASKED: dict[str, Iterable[Any]] = {"ratio": RATIOS, "geometry": ("pixel", "patch"), "patch": PATCHES, "fill": FILLS}
MASKLESS: dict[str, dict[str, Iterable[Any]]] = {
    "gaussian-blur": {"strength": (0.02, 0.06, 0.3, 1.0)},
    "pixelate": {"block": (2, 3, 8, 64, 99_999)},
    "dp-pix": {"block": (1, 2, 4, 16, 99_999), "epsilon": (0.1, 10.0, 100.0, 1e4, 1e8)},
    "dp-svd": {"rank": (1, 4, 100), "epsilon": (0.001, 1.0, 6.0, 600.0, 1e8)},
    "scramble": {
        "block": (1, 4, 16, 99_999),
        **{operation: (True, False) for operation in ("permute", "rotate", "negate", "recolour")},
    },
    "p3": {"threshold": (1, 10, 100, 10_000)},
    "k-same-pixel": {"k": (2, 5)},
    "mixup": {"k": (2, 3), "pool": (1, 2, 1000)},
    "instahide": {"k": (2, 4), "pool": (1, 1000), "upper": (0.5, 1.0)},
}
MORE: dict[str, dict[str, Iterable[Any]]] = {
    "superpixel": {"geometry": ("superpixel",)},
    "saliency-superpixel": {"geometry": ("superpixel",)},
    "saliency": {"random_share": (0.0, 0.5), "smooth": (0.0, 2.0), "keep": ("top", "drop-top")},
    "learned": {"epochs": (1,), "width": (4,)},
}
SLOW = {"learned": 4, "saliency-untrained": 12, "saliency-superpixel": 30, "superpixel": 30}
"""Methods that take long for an image → how many samples of them there are."""


class Case(NamedTuple):
    """One thing to try."""

    parameters: Mapping[str, Any]
    shape: tuple[int, int, int]


def _built_in() -> dict[str, type[Method]]:
    found = [kind for kind in catalogue().classes("method") if kind.__module__.startswith("maskbench.methods")]
    return {kind.name: kind for kind in found if kind.role != "raw"}


METHODS = _built_in()


def _grid(name: str) -> dict[str, Iterable[Any]]:
    if issubclass(METHODS[name], MaskMethod):
        return {**MASKED, **MORE.get(name, {})}
    return MASKLESS.get(name, {})


def _sampled(name: str, count: int) -> Iterator[Case]:
    """Some cases, the same each time; small sides and long strips more often than their share."""
    draw = random.Random(name)
    grid = {key: tuple(values) for key, values in _grid(name).items()}
    for _ in range(count):
        sides = [draw.choice((draw.randint(1, 8), draw.randint(1, 64), 16, 32)) for _ in range(2)]
        yield Case({key: draw.choice(values) for key, values in grid.items()}, (draw.choice((1, 3)), *sides))


def _whole(name: str) -> Iterator[Case]:
    """Every side with every ratio and geometry, or with as many draws; the other parameters are drawn."""
    if name in SLOW:
        yield from _sampled(name, 10 * SLOW[name])
        return
    draw = random.Random(name)
    grid = {key: tuple(values) for key, values in _grid(name).items()}
    crossed = [key for key in ("ratio", "geometry") if key in grid]
    combinations = list(itertools.product(*(grid[key] for key in crossed))) if crossed else [()] * DRAWS
    for side, values in itertools.product(SIDES, combinations):
        drawn = {key: draw.choice(choices) for key, choices in grid.items() if key not in crossed}
        sides = [side, draw.choice((3, 16, side))]
        draw.shuffle(sides)
        yield Case({**drawn, **dict(zip(crossed, values, strict=True))}, (draw.choice((1, 3)), *sides))


def _images(shape: tuple[int, int, int], count: int = IMAGES, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, *shape, generator=generator)
    images[1] = torch.linspace(0, 1, shape[2])
    images[2, :, : shape[1] // 2] = 0
    images[3] = 0.25
    return (images * 255).round() / 255


def _answers(method: Method, images: Tensor) -> dict[Attribution, Tensor]:
    generator = torch.Generator().manual_seed(len(images))
    return {request: torch.randn(images[:, :1].shape, generator=generator) for request in method.requests()}


def _fitted(method: Method, shape: tuple[int, int, int]) -> Method:
    images = torch.cat([_images(shape), _images(shape, seed=1)])[:OWNED]
    labels = torch.arange(OWNED) % 2
    owner = Owner(images, labels, 2, labels.flip(0), 2, _answers(method, images), 0, torch.device("cpu"))
    return method.with_state(method.fit(owner))


def _broken(method: Method, raw: Tensor, release: Release) -> str | None:
    """What the release of some images breaks, of one of them."""
    promised, unit = method.promised_ratio(), method.ratio_tolerance(*raw.shape[2:])
    for place in range(len(raw)):
        shown, before = ((images[place] * 255).round() for images in (release.images, raw))
        hidden = torch.ones_like(shown[0], dtype=torch.bool)
        if release.masks is not None:
            hidden = release.masks[place, 0] == 0
            share = int(hidden.sum()) / hidden.numel()
            if not hidden.any():
                return "hides nothing"
            if not promised - unit / 2 - 1e-6 <= share <= promised + unit + 1e-6:
                return f"hides {share} and promised {promised}"
        if torch.equal(shown, before) and before[:, hidden].unique(dim=1).shape[1] > 1:
            return "leaves raw"
    return None


def _try(name: str, case: Case) -> tuple[int, str | None]:
    """How many images are released, and what is wrong with one of them."""
    try:
        method = _fitted(METHODS[name].create(case.parameters), case.shape)
    except MaskbenchError:
        return 0, None
    images = _images(case.shape)
    answers, numbers = _answers(method, images), torch.arange(IMAGES)
    released = 0
    for part in (slice(None), *(slice(place, place + 1) for place in range(IMAGES))):
        asked = {request: answer[part] for request, answer in answers.items()}
        try:
            release = method.release(images[part], seed=3, numbers=numbers[part], attributions=asked)
        except MaskbenchError:
            continue  # one bad image fails its batch; each is then tried alone
        released += len(release)
        broken = _broken(method, images[part], release)
        if broken or len(release) == IMAGES:
            return released, broken
    return released, None


def _nothing_raw(name: str, cases: Iterable[Case]) -> None:
    tried, released, wrong = 0, 0, []
    for case in cases:
        tried += IMAGES
        try:
            count, broken = _try(name, case)
        except Exception as error:  # noqa: BLE001 - told with the others
            count, broken = 0, f"{type(error).__name__}: {error}"
        released += count
        wrong += [f"{name} with {dict(case.parameters)} on {case.shape}: {broken}"] if broken else []
    print(f"{name}: {released} of {tried} images released")
    assert not wrong, "\n".join(wrong[:20])
    assert released, "nothing was released, so nothing was judged"


@pytest.mark.parametrize("name", METHODS)
def test_no_release_is_raw(name: str) -> None:
    _nothing_raw(name, _sampled(name, SLOW.get(name, SAMPLES)))


@pytest.mark.parametrize("name", ["random", "gaussian-blur", "dp-svd", "mixup"])
def test_without_the_judge_raw_ones_would_be_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for rule in ("ratio", "output"):
        monkeypatch.setattr(judging, rule, lambda *arguments: None)
    with pytest.raises(AssertionError, match=r"hides nothing|leaves raw"):
        _nothing_raw(name, _sampled(name, SAMPLES))


@pytest.mark.soak
@pytest.mark.parametrize("name", METHODS)
def test_no_release_of_the_whole_grid_is_raw(name: str) -> None:
    _nothing_raw(name, _whole(name))
