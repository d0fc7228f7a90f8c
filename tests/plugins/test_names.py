"""How a plug-in is written on the command line."""

from __future__ import annotations

import pytest
from maskbench import UsageError
from maskbench.plugins.names import parse, parse_nested


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("raw", "raw", {}),
        ("random:patch=8", "random", {"patch": 8}),
        ("random:ratio=0.5,fill=mean", "random", {"ratio": 0.5, "fill": "mean"}),
        (
            "saliency:adjust=masknet(gates=input,width=8),patch=2",
            "saliency",
            {"adjust": "masknet(gates=input,width=8)", "patch": 2},
        ),
        ("x:flag=true", "x", {"flag": True}),
        ("x:date=2024-01-01,time=1:30,none=null", "x", {"date": "2024-01-01", "time": "1:30", "none": "null"}),
        ("x:weights=\"a,b(1).pt\",code='010'", "x", {"weights": "a,b(1).pt", "code": "010"}),
        ("x:adjust=y(weights='a,)b')", "x", {"adjust": "y(weights='a,)b')"}),
        ("x:name=it's", "x", {"name": "it's"}),
        ("x:tag=!!int 3", "x", {"tag": "!!int 3"}),
    ],
)
def test_parse(text: str, name: str, parameters: dict[str, object]) -> None:
    assert parse(text) == (name, parameters)


@pytest.mark.parametrize(
    "text",
    ["", "random:", "random:patch", "random:=3", "random:patch=", "a b", "x:a=1,a=2", "x:a=(1", "x:a=1)", 'x:a="1'],
)
def test_wrong_forms(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_number_with_a_leading_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="patch: '010' has a leading zero"):
        parse("random:patch=010")


def test_a_part_that_is_no_parameter_is_named_with_the_way_to_write_a_comma() -> None:
    with pytest.raises(UsageError) as caught:
        parse("lama:weights=a,b.pt")
    assert str(caught.value).endswith("found 'b.pt'. A value with a comma is written in quotes: weights=\"…,…\"")


def test_a_long_text_is_read_in_bounded_time() -> None:
    with pytest.raises(UsageError):
        parse("x:" + "a(," * 100_000)


def test_nested() -> None:
    assert parse_nested("none") == ("none", {})
    assert parse_nested("masknet(gates=input,width=8)") == ("masknet", {"gates": "input", "width": 8})
    with pytest.raises(UsageError, match="bracket"):
        parse_nested("masknet(gates=input")
