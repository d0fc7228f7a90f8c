"""Random numbers come from the secret alone, and another image's tell nothing."""

from __future__ import annotations

import numpy as np
import pytest
from maskbench.releasing.secret import Secret

PIXELS = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)


def test_the_same_seed_is_the_same_secret() -> None:
    one, two, other = Secret.from_seed(1), Secret.from_seed(1), Secret.from_seed(2)
    assert one.value == two.value != other.value
    assert one.image_number(PIXELS) == two.image_number(PIXELS) != other.image_number(PIXELS)
    assert one.release_seed() != other.release_seed()
    assert one.fit_seed("a") == two.fit_seed("a") != one.fit_seed("b")


def test_drawn_ones_differ() -> None:
    assert len({Secret.draw().value for _ in range(10)}) == 10


def test_an_image_is_its_pixels_and_shape() -> None:
    secret = Secret.draw()
    changed = PIXELS.copy()
    changed[0, 0, 0] += 1
    numbers = [secret.image_number(it) for it in (PIXELS, PIXELS.copy(), changed, PIXELS.reshape(3, 2, 8))]
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 3
    assert all(0 <= number < 2**63 for number in numbers)
    assert 0 <= secret.fit_seed() < 2**32


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Secret(b"short")
