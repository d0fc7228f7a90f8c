"""What a suite file may say, and what is said of one that may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from maskbench import UsageError
from maskbench.data.options import DataOptions
from maskbench.planning.built_in import suite_names
from maskbench.planning.matrix import expand
from maskbench.planning.suite import load, validate
from maskbench.results.provisional import of_first_seed
from tiny import tiny

SMALL = "methods: [raw]\n"


def written(folder: Path, text: str, name: str = "s.yaml") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("name", suite_names())
def test_built_in_suites_are_plain(name: str) -> None:
    assert load(name).name == name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("methods: [random]", "line 2, column 1: the key 'methods' is given twice"),
        ("seeds: 010", "'010' has a leading zero"),
        ("seeds: 1:30", "seeds: .*given: '1:30'"),
        ("seeds: 2024-01-01", "seeds: .*given: '2024-01-01'"),
        ("seeds: true", "seeds: true or false does not belong here"),
        ("ratios: [0.5, true]", "ratios: true or false"),
        ("seeds: !!int abc", "tags"),
        ("seeds: 1001", "seeds: Input should be less than or equal to 1000"),
        ("first_seed: -1", "first_seed: Input should be greater than or equal to 0"),
        ("settings: {draws: 100000000}", "settings.draws: .*100"),
        ("settings: {scored: 1000001}", "settings.scored"),
        ("settings: {recognition: {epochs: 1000000}}", "settings.recognition.epochs"),
        ("settings: {recognition: {epochs: true}}", "settings.recognition.epochs: true or false"),
        ("settings: {attack: {learning_rate: .nan}}", "settings.attack.learning_rate"),
        ("ratios: [.nan]", "a ratio is the share"),
        ("aux_shares: [.inf]", "a share of the attacker"),
        ("name: ../../x", "name: a suite is called by"),
        ("name: ..", "name: a suite is called by"),
        ("name: .hidden", "name: a suite is called by"),
        ("name: ''", "name: a suite is called by"),
        ("name: " + "x" * 101, "name: a suite is called by"),
        ("name: 2024", "name: .*valid string"),
        ("ratios: [" + ",".join(["0.5"] * 101) + "]", "ratios: .*at most 100"),
        ("attacks: [" + ",".join(["x"] * 250_000) + "]", "more than 10,000 values"),
        ("attacks: [" + ",".join(["1"] * 900) + "]", "and 895 more"),
        ("attacks: &a [x]", "anchors"),
        ("seedz: 1", "unknown key 'seedz'; did you mean 'seeds'"),
        ("data: {sauce: 1}", "unknown key 'data.sauce'; did you mean 'source'"),
        ("data: {shares: {owner_train: 90}}", "data.shares: .*140 percent together and must be 100"),
        ("data: {shares: {owner_tests: 20}}", "did you mean 'owner_test'"),
        ("x" * 1000 + ": 1", "unknown key 'x+…'"),
        ("data: " + "[" * 600, "more than 20 levels"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_short_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load(written(tmp_path, SMALL + line))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", ["", "- a", "just text", "12", "null", "---\n"])
def test_a_suite_is_a_mapping(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="must be a mapping of name, description"):
        load(written(tmp_path, text))


def test_files_that_cannot_be_read_as_text(tmp_path: Path) -> None:
    latin, huge = tmp_path / "latin.yaml", tmp_path / "huge.yaml"
    latin.write_bytes("name: café".encode("latin-1"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        load(str(latin))
    for letter in ("a", "é", "𝄞"):
        huge.write_text("name: " + letter * 1_000_000, encoding="utf-8")
        with pytest.raises(UsageError, match="more than 1,000,000 bytes"):
            load(str(huge))
    for name in ("a" * 300, "a\0b", f"{tmp_path}/none.yaml", str(tmp_path), "~nosuchuser/x.yaml"):
        with pytest.raises(UsageError):
            load(name)


def test_a_suite_without_a_name_is_called_as_its_file(tmp_path: Path) -> None:
    assert load(written(tmp_path, SMALL, "my suite (2).yaml")).name == "my-suite-2-"
    assert load(written(tmp_path, SMALL, ".yaml")).name == "yaml"
    assert load(written(tmp_path, SMALL, "é" * 80 + ".yaml")).name == "é" * 50


def test_too_many_combinations_are_refused_before_they_are_made() -> None:
    many = tiny(methods=[f"random:patch={side}" for side in range(1, 60)], seeds=1000, ratios=[0.5, 0.6, 0.7])
    with pytest.raises(UsageError, match="358,000 combinations"):
        expand(many, DataOptions(target="digit"))


def test_content_from_python_is_held_to_the_same() -> None:
    with pytest.raises(UsageError, match="The suite: seeds: true or false"):
        validate({"name": "x", "methods": ("raw",), "seeds": True}, "The suite")


def test_a_rerun_has_the_same_cells_under_other_seeds() -> None:
    suite = validate({"name": "s", "methods": ["raw"], "seeds": 2}, "s")
    first, rerun = (
        expand(each, DataOptions(target="digit")) for each in (suite, suite.model_copy(update={"first_seed": 20}))
    )
    assert [cell.seed + 20 for cell in first.cells] == [cell.seed for cell in rerun.cells]
    assert {cell.seed for cell in rerun.cells} == {20, 21}
    assert {cell.seed for cell in of_first_seed(rerun).cells} == {20}
