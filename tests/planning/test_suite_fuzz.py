"""Odd suites and odd command lines: done, or refused in one message and bounded time; never a traceback.

Nothing is trained: a suite is read, checked and planned, and a run ends where its work would begin.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest
from maskbench.errors import UsageError
from maskbench.executors.local import LocalExecutor
from maskbench.planning.prepare import prepare
from maskbench.planning.suite import load
from tiny import command

LONGEST = 60.0
"""Seconds for one input, on a machine that is busy with others."""

ODD = (
    *(
        "",
        "~",
        "null",
        "true",
        "no",
        "010",
        "0x10",
        "1_000",
        "1:30",
        "-0",
        "1e400",
        "-1",
        "0.5",
        ".inf",
        "-.inf",
        ".nan",
    ),
    *(
        "99999999999999999999",
        "1" * 5000,
        "2024-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "!!int abc",
        "!!binary aGk=",
        "!x y",
    ),
    *(
        "!!python/object/apply:os.getcwd []",
        "&a [*a]",
        "*a",
        "<<",
        "=",
        "'",
        '"',
        '"\\0"',
        '"\\ud83d"',
        "\x07",
        "\u2028",
    ),
    *("../../x", "/etc/passwd", "~nosuchuser/x", "a" * 300, "[bold]x[/]", "{}", "[]", "[[]]", "{a: {b: [1, {c: d}]}}"),
    *(
        "[" * 600,
        "{a: " * 600,
        "- " * 50,
        "[" + "1, " * 250_000 + "]",
        "|\n    a\n    b",
        "é",
        "e\u0301",
        "\U0001f600",
        "#",
    ),
    *(
        "random",
        "random:patch=4",
        "random:ratio=010",
        "random:patch=1:30",
        "random:patch=99999",
        "x:a=(",
        "raw:a=1",
        "digits",
    ),
    *(
        "hf:",
        "hf:../..",
        ".",
        "/",
        "/dev/null",
        "cuda:99",
        "lama:weights=a,b.pt",
        "random:ratio=.nan",
        "random:fill=",
        ":",
    ),
)
KEYS = ("name", "description", "methods", "attacks", "ratios", "seeds", "aux_shares", "probe_target")
DATA = ("source", "target", "sensitive", "size", "limit")
SETTINGS = ("recognizer", "draws", "scored", "perceptual", "recognition", "attack", "restoration")
TRAINING = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule", "label_smoothing", "crop", "flip")
GOOD = (
    *(
        "seeds: 3",
        "ratios: [0.25, .5, 1]",
        "aux_shares: [1e-1]",
        "probe_target: true",
        "name: x-1",
        "description: 'a: b'",
    ),
    *("settings: {draws: 1, scored: 16}", "settings: {recognition: {epochs: 1, flip: false}}", "attacks: [mask-only]"),
    *("methods: [random, 'pixelate:block=2']", "data: {source: digits, target: digit}", "attacks: []"),
)
BASE = "methods: [random]\nattacks: [released]\ndata: {source: digits, limit: 200}\n"


def odd_value(source: random.Random) -> str:
    value = source.choice(ODD)
    shape = source.random()
    if shape < 0.15:
        return f"[{value}, {source.choice(ODD)}]"
    return f"'{value}'" if shape < 0.25 else value


def line(source: random.Random) -> str:
    """One that may stand in a suite, or an odd one."""
    if source.random() < 0.5:
        return source.choice(GOOD)
    kind, value = source.randrange(6), odd_value(source)
    if kind == 0:
        return f"data: {{{source.choice(DATA)}: {value}}}"
    if kind == 1:
        return f"settings: {{{source.choice(SETTINGS)}: {value}}}"
    if kind == 2:
        return f"settings: {{{source.choice(SETTINGS[4:])}: {{{source.choice(TRAINING)}: {value}}}}}"
    return f"{source.choice((*KEYS, value))}: {value}"


def odd_suite(source: random.Random) -> bytes:
    lines = [line(source) for _ in range(source.choice((1, 1, 1, 2, 3)))]
    named = {each.partition(":")[0] for each in lines}
    # Without the base's own lines for these keys, mostly: else each would be a key that is given twice.
    base = [each for each in BASE.splitlines() if each.partition(":")[0] not in named or source.random() < 0.1]
    text = "\n".join(source.sample([*base, *lines], len(base) + len(lines)))
    content = bytearray(text.encode(errors="surrogatepass"))
    if source.random() < 0.2:
        for _ in range(source.choice((1, 3, 20))):
            content[source.randrange(len(content))] = source.randrange(256)
    return bytes(content)


def outcome(file: Path) -> str:
    """What becomes of a suite; anything but a plan or one message is an error of this test."""
    started = time.perf_counter()
    try:
        prepare(load(str(file)), "cpu")
        found = "planned"
    except UsageError as error:
        assert "\n" not in str(error).strip(), str(error)
        assert len(str(error)) < 20_000
        found = "refused"
    assert time.perf_counter() - started < LONGEST
    return found


def fuzz_suites(folder: Path, seeds: range, capsys: pytest.CaptureFixture[str]) -> Counter[str]:
    counts = Counter[str]()
    folder.mkdir()
    for seed in seeds:
        content = odd_suite(random.Random(seed))
        (folder / "s.yaml").write_bytes(content)
        try:
            counts[outcome(folder / "s.yaml")] += 1
        except BaseException as error:
            error.add_note(f"suite {seed}: {content[:500]!r}")
            raise
    assert [path.name for path in folder.iterdir()] == ["s.yaml"]
    with capsys.disabled():
        print(f"\n{counts.total()} suites: {dict(counts)}")
    return counts


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nothing lies that an odd name could mean."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("MASKBENCH_STORE", str(tmp_path / "store"))
    return folder


def test_suites(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = fuzz_suites(here / "suites", range(200), capsys)
    assert min(counts["planned"], counts["refused"]) > 10


@pytest.mark.soak
def test_many_suites(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz_suites(here / "suites", range(200, 1700), capsys)


WORDS = tuple(value for value in ODD if "\0" not in value and len(value) < 5000)
OPTIONS = {
    "run": (
        *("--data", "--target", "--sensitive", "--size", "--limit", "-m", "-a", "--recognizer", "--ratio", "--seeds"),
        *("--device", "--plugin", "--out", "--store", "--nosuch"),
    ),
    "list": ("--plugin", "--names", "--markdown"),
    "why": ("--store",),
    "report": (),
    "desensitize": ("-m", "--ratio", "--size", "--limit", "--target", "--sensitive", "--seed", "--load", "--device"),
}


def odd_command(source: random.Random) -> list[str]:
    name = source.choice(("run", "run", "run", *OPTIONS))
    right = {"run": ["quick", "--limit", "200"], "list": ["methods"], "why": ["0" * 12], "report": ["."]}
    arguments = right.get(name, ["none", "new"])
    if source.random() < 0.2:
        arguments = [source.choice(WORDS), *arguments[1:]]
    for option in source.sample(OPTIONS[name], min(len(OPTIONS[name]), source.choice((0, 1, 1, 2)))):
        arguments = [*arguments, option, source.choice((*WORDS, "1", "0.5", "digit", "caf\udce9"))]
    return [name, *arguments]


def test_command_lines(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def begins(*_: object) -> NoReturn:
        raise UsageError("The work would begin here.")

    monkeypatch.setattr(LocalExecutor, "execute", begins)
    counts = Counter[str]()
    for seed in range(100):
        arguments = odd_command(random.Random(seed))
        started = time.perf_counter()
        try:
            done = command(*arguments)
        except BaseException as error:
            error.add_note(f"command {seed}: {[word[:100] for word in arguments]}")
            raise
        assert done.returncode in (0, 2), (arguments, done.stderr)
        assert "Traceback" not in done.stderr + done.stdout, arguments
        assert done.returncode == 0 or done.stderr, arguments
        assert time.perf_counter() - started < LONGEST, arguments
        counts["planned" if "would begin" in done.stderr else f"exit {done.returncode}"] += 1
    with capsys.disabled():
        print(f"\n100 command lines: {dict(counts)}")
    assert counts["planned"] > 5
