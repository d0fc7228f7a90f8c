"""``maskbench check``: what it prints, and what it exits with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from maskbench.cli import main as entry

CHECKOUT = Path(__file__).parents[2]
BROKEN = '''
from typing import ClassVar
from maskbench import Method, Release

class Sloppy(Method):
    name: ClassVar[str] = "{name}"

    def desensitize(self, images, given):
        return Release(images.flip(0))

class Fine(Method):
    """It negates."""
    name: ClassVar[str] = "{name}-fine"

    def desensitize(self, images, given):
        return Release(1 - images)
'''


@pytest.fixture
def maskbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Run the command in this process: arguments → (exit code, output, errors)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["maskbench", *arguments])
        with pytest.raises(SystemExit) as left:
            entry.main()
        printed = capsys.readouterr()
        return int(left.value.code or 0), " ".join(printed.out.split()), " ".join(printed.err.split())

    return run


def test_one_plug_in_gets_a_row_for_each_check(maskbench: object) -> None:
    code, out, _ = maskbench("check", "random:patch=8")
    assert code == 0
    assert "method random" in out
    for name in ("determinism", "batch size", "kept pixels", "one party's state"):
        assert name in out


def test_a_file_is_checked_whole_and_failures_say_what_to_do(maskbench: object, tmp_path: Path) -> None:
    file = tmp_path / "sloppy.py"
    file.write_text(BROKEN.format(name="sloppy"))
    code, out, _ = maskbench("check", str(file))
    assert code == 1
    assert "method sloppy-fine" in out
    assert "method sloppy does not keep its contract" in out
    assert "documented: it has no docstring What to do: say in the first line" in out
    assert "batch size: " in out
    assert "What to do: treat each image on its own" in out


def test_a_file_that_is_found_anyway_is_not_loaded_twice(maskbench: object) -> None:
    code, out, _ = maskbench("check", str(CHECKOUT / "methods" / "controls.py"))
    assert code == 0
    assert "method raw" in out
    assert "method full-mask" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "randm"), "no plug-in named 'randm'; did you mean 'random'"),
        (("check", "random:pach=3"), ""),
        (("check", "nothing.py"), "no such file"),
        (("check",), "Name what to check"),
        (("check", "random", "--all"), "Name what to check"),
    ],
)
def test_wrong_use(maskbench: object, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = maskbench(*arguments)
    if message:
        assert (code, message in err) == (2, True), err
    else:
        # A parameter that a plug-in does not have is what its check of parameters says, and nothing else runs.
        assert code == 1
        assert "has no parameter 'pach'; did you mean 'patch'?" in out


NEARLY = """
from typing import ClassVar
from maskbench import MaskMethod

class {class_name}(MaskMethod):
    \"\"\"It keeps what is bright.\"\"\"
    {name}
    {parameter}

    def {hook}(self, images, given):
        return images.mean(1, keepdim=True)
"""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"name": ""},
            'BrightPlaces has no name, and nobody could ask for it. Give it `name: ClassVar[str] = "bright-places"`',
        ),
        ({"hook": "score"}, "hooks: it has 'score', which nothing calls: did you mean 'scores'?"),
        ({"parameter": "side: int"}, "its parameter 'side' has no default, and no value was given for it"),
    ],
)
def test_a_beginners_slip_is_called_what_it_is(
    maskbench: object, tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    """And nothing else is said of it."""
    parts = {
        "class_name": "BrightPlaces",
        "name": 'name: ClassVar[str] = "bright-places"',
        "parameter": "",
        "hook": "scores",
    }
    file = tmp_path / f"nearly_{next(iter(changed))}.py"
    file.write_text(NEARLY.format(**parts | changed))
    code, out, err = maskbench("check", str(file))
    assert code == (2 if "name" in changed else 1)
    assert message in out + err
    assert out.count("What to do:") <= 1


def test_a_class_that_others_extend_needs_no_name(maskbench: object, tmp_path: Path) -> None:
    text = NEARLY.format(class_name="Bright", name="", parameter="", hook="scores")
    text += '\n\nclass Named(Bright):\n    """It does."""\n    name: ClassVar[str] = "named-bright"\n'
    (tmp_path / "family.py").write_text(text)
    code, out, err = maskbench("check", str(tmp_path / "family.py"))
    assert "has no name" not in out + err
    assert "method named-bright" in out and code == 0
    assert f"Next: `maskbench run quick --plugin {tmp_path / 'family.py'} -m +named-bright`." in out
