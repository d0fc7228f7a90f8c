"""Wrong use: one clear message with the nearest valid name, exit code 2, no traceback, nothing written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from maskbench.cli import main as entry

QUICK = ("run", "quick")


def _images(folder: Path) -> None:
    from PIL import Image

    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
        for number in range(40):
            Image.new("L", (16, 16), number + (100 if label == "a" else 0)).save(folder / label / f"{number}.png")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with the things that the cases below name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "empty").mkdir()
    _images(tmp_path / "images")
    _images(tmp_path / "damaged")
    (tmp_path / "damaged" / "a" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    (tmp_path / "unknown-key.yaml").write_text("methods: [random]\natacks: [telea]\n")
    (tmp_path / "unknown-setting.yaml").write_text("methods: [random]\nsettings: {attack: {epoch: 3}}\n")
    (tmp_path / "not-yaml.yaml").write_text("methods: [random\n")
    (tmp_path / "list.yaml").write_text("- random\n")
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "no-plugin.py").write_text("x = 1\n")
    (tmp_path / "same-name.py").write_text(
        "from typing import ClassVar\nfrom maskbench import Method, Release\n\n\n"
        "class Again(Method):\n    name: ClassVar[str] = 'random'\n\n"
        "    def desensitize(self, images, given):\n        return Release(images)\n"
    )
    (tmp_path / "taken-name.py").write_text(
        "from typing import ClassVar\nfrom maskbench import RestorationAttack\n\n\n"
        "class Taken(RestorationAttack):\n    name: ClassVar[str] = 'stacked'\n\n"
        "    def restore(self, release, device):\n        return release.images\n"
    )
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(
            "from typing import ClassVar\nfrom maskbench import Method, Release\n\n\n"
            f"class Mine(Method):\n    name: ClassVar[str] = 'mine-{folder}'\n\n"
            "    def desensitize(self, images, given):\n        return Release(images)\n"
        )
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "not-text.yaml").write_bytes(b"\xff\xfe\x00methods")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    return tmp_path


CASES = {
    "unknown suite": (("run", "quik"), "did you mean 'quick'"),
    "no suite file": (("run", "nothing.yaml"), "There is no suite file nothing.yaml"),
    "unknown method": ((*QUICK, "-m", "randon"), "no method named 'randon'; did you mean 'random'"),
    "unknown attack": ((*QUICK, "-a", "tella"), "did you mean 'telea'"),
    "misspelt parameter": ((*QUICK, "-m", "random:pach=4"), "did you mean 'patch'"),
    "parameter of the wrong kind": ((*QUICK, "-m", "random:patch=big"), "patch='big' is not valid"),
    "parameter without a value": ((*QUICK, "-m", "random:patch"), "expected parameter=value"),
    "a method twice": ((*QUICK, "-m", "random", "-m", "random:patch=4"), "named twice"),
    "ratio above one": ((*QUICK, "--ratio", "1.3"), "1.3 is not"),
    "ratio of a method": ((*QUICK, "-m", "random:ratio=1.3"), "less than or equal to 1"),
    "value that is half a list": ((*QUICK, "-m", "random:fill=[zero"), "no fill named '[zero'; did you mean 'zero'"),
    "value that is a mapping": ((*QUICK, "-m", "random:fill=a: b"), "no fill named 'a: b'"),
    "a negative number of seeds": ((*QUICK, "--seeds", "-1"), "seeds"),
    "no seeds": ((*QUICK, "--seeds", "0"), "seeds"),
    "unknown data": ((*QUICK, "--data", "digts"), "did you mean 'digits'"),
    "missing column": ((*QUICK, "--target", "pairity"), "did you mean 'parity'"),
    "missing sensitive column": ((*QUICK, "--sensitive", "digt"), "did you mean 'digit'"),
    "empty folder": ((*QUICK, "--data", "empty"), "empty"),
    "unreadable image": ((*QUICK, "--data", "damaged"), "7.png"),
    "unknown recognizer": ((*QUICK, "--recognizer", "smal"), "did you mean 'small'"),
    "missing weights": (
        (*QUICK, "--recognizer", "torchvision:weights=none.pt"),
        "no weights file none.pt",
    ),
    "unknown attribution": ((*QUICK, "-m", "saliency:attribution=gradcam"), "did you mean 'grad-cam'"),
    "unknown key in a suite": (("run", "unknown-key.yaml"), "unknown key 'atacks'; did you mean 'attacks'"),
    "unknown setting": (("run", "unknown-setting.yaml"), "did you mean 'epochs'"),
    "not YAML": (("run", "not-yaml.yaml"), "cannot be read: line 2, column 1"),
    "YAML, but a list": (("run", "list.yaml"), "must be a mapping"),
    "not text": (("run", "not-text.yaml"), "cannot be read as text"),
    "unknown device": ((*QUICK, "--device", "gpu"), "expected auto, cpu, cuda"),
    "device without a number": ((*QUICK, "--device", "cuda:x"), "expected auto, cpu, cuda"),
    "name that tables use": ((*QUICK, "--plugin", "taken-name.py"), "'stacked' is a name that tables use"),
    "two plug-in files of one name": (
        (*QUICK, "--plugin", "one/mine.py", "--plugin", "two/mine.py"),
        "has the same name",
    ),
    "plug-in that is not there": ((*QUICK, "--plugin", "none.py"), "no such file"),
    "plug-in that does not load": ((*QUICK, "--plugin", "broken.py"), "nothing_of_that_name"),
    "file without a plug-in": ((*QUICK, "--plugin", "no-plugin.py"), "defines no plug-in"),
    "two plug-ins of one name": ((*QUICK, "--plugin", "same-name.py"), "call themselves the method 'random'"),
    "results are there already": ((*QUICK, "--out", "full"), "not empty"),
    "results below a file": ((*QUICK, "--out", "notes.txt/run"), "cannot be written to: choose another --out"),
    "store below a file": ((*QUICK, "--store", "notes.txt/store"), "cannot be made"),
    "reverse without restorations": ((*QUICK, "-a", "reverse"), "name a restoration attack as well"),
    "tiny size": ((*QUICK, "--size", "4"), "the smallest is 16"),
    "tiny limit": ((*QUICK, "--limit", "3"), "the smallest is 50"),
    "unknown kind to list": (("list", "methds"), "methds"),
    "unknown command": (("rum",), "rum"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_message(
    case: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, message = CASES[case]
    before = sorted(path for path in here.rglob("*") if path.is_file())
    monkeypatch.setattr(sys, "argv", ["maskbench", *arguments])
    with pytest.raises(SystemExit) as left:
        entry.main()
    printed = capsys.readouterr()
    assert left.value.code == 2
    assert message in " ".join(printed.err.split()), printed.err
    assert "Traceback" not in printed.err + printed.out
    assert sorted(path for path in here.rglob("*") if path.is_file()) == before
    assert (here / "full" / "precious.txt").read_text() == "mine"
