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
    ],
)
def test_parse(text: str, name: str, parameters: dict[str, object]) -> None:
    assert parse(text) == (name, parameters)


@pytest.mark.parametrize("text", ["", "random:", "random:patch", "random:=3", "random:patch=", "a b", "x:a=1,a=2"])
def test_wrong_forms(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_nested() -> None:
    assert parse_nested("none") == ("none", {})
    assert parse_nested("masknet(gates=input,width=8)") == ("masknet", {"gates": "input", "width": 8})
    with pytest.raises(UsageError, match="bracket"):
        parse_nested("masknet(gates=input")
