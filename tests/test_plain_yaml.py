"""What plain YAML is, and that nothing else is read."""

from __future__ import annotations

import math
from typing import Any

import pytest
from maskbench.plain_yaml import NotPlain, load, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), ("-12", -12), ("+3", 3), ("0.5", 0.5), (".5", 0.5), ("1e3", 1000.0), ("-1.5E-2", -0.015)),
        *((".inf", math.inf), ("-.INF", -math.inf), ("true", True), ("False", False), ("~", None), ("null", None)),
        *(("yes", "yes"), ("no", "no"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("0x10", "0x10")),
        *(("1_000", "1_000"), ("0o10", "0o10"), ("=", "="), ("inf", "inf"), ("00.5", 0.5)),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_lists_and_mappings() -> None:
    text = "\ufeffa: [1, {b: 'x'}]\nc:\n  - \"010\"\n  - |\n    1\nno: yes\n"
    assert load(text) == {"a": [1, {"b": "x"}], "c": ["010", "1\n"], "no": "yes"}
    assert load("") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is given twice"),
        ("a: 010", "line 1, column 4: '010' has a leading zero"),
        ("a: &x [1]", "anchors"),
        ("a: [*x]", "aliases"),
        ("a: !!int abc", "tags"),
        ("a: !!python/object/apply:os.system [ls]", "tags"),
        ("? [a]\n: b", "a key must be a word"),
        ("a: 1\n---\nb: 2", "second document"),
        ('a: "\\a"', "control character"),
        ("a: \x07", "control characters"),
        ("a: 'x", "line 1"),
        ("[" * 600, "more than 20 levels"),
        ("- " * 600, "more than 20 levels"),
        ("a: [" + "1," * 250_000 + "]", "more than 10,000 values"),
        ("a: " + "1" * 5000, "5000 digits"),
        ("a: " + "x" * 1_000_001, "more than 1,000,000 bytes"),
        ("a: &a [x,x]\n" + "".join(f"{n}: &{n} [*a,*a]\n" for n in "bcdefg"), "anchors"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(NotPlain, match=message) as caught:
        load(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_is_nested_as_deep_as_allowed_is_read() -> None:
    assert load("[" * 19 + "1" + "]" * 19)
