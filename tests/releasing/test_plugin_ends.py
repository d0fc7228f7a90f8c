"""A method that ends the process is an error of each picture, not the silent end of the command."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from tiny import command

ENDS = """
from typing import ClassVar
import sys
from maskbench import Method, Release

class Ends(Method):
    name: ClassVar[str] = "ends"

    def desensitize(self, images, given):
        sys.exit(0)
"""


def test_it_is_counted(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text(ENDS)
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / "pictures" / f"{number}.png")
    done = command("desensitize", "pictures", "out", "-m", "ends", "--plugin", "ends.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "0 of 3 images are in" in done.stdout and "the method failed: SystemExit: 0" in done.stdout
    errors = json.loads((tmp_path / "out" / "manifest.json").read_text())["errors"]
    assert [error["file"] for error in errors] == ["0.png", "1.png", "2.png"]
