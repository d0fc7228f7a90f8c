"""Faults planted in the source, one a copy; a real run of each is compared with a run of the source as it is.

The store is shared, so a run makes again exactly what its fault reaches.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bare_runs import run_bare
from maskbench.gate.compare import ComparedRuns, compare
from maskbench.gate.report import markdown
from trees import copied, importable

pytestmark = pytest.mark.slow

SUITE = """
name: planted
data: {source: digits, size: 16, limit: 500}
methods: ["random:patch=2", "random:patch=2,adjust=masknet"]
attacks: [restorer, adaptive]
seeds: 3
settings:
  recognizer: small:width=16
  draws: 2
  recognition: {epochs: 4}
  attack: {epochs: 4}
  restoration: {epochs: 3}
"""


@dataclass(frozen=True)
class Place:
    """Where runs are made: a copy of the source that is edited and put back, a store, a suite."""

    root: Path

    def run(self, name: str, suite: str = SUITE) -> Path:
        """Run the suite with the source as it is now."""
        (self.root / "planted.yaml").write_text(suite, encoding="utf-8")
        return run_bare(self.root, "planted.yaml", name, imports=[self.root / ".importable"])

    def with_fault(self, name: str, file: str, old: str, new: str) -> ComparedRuns:
        """Run with one text of the source replaced, and compare with the run before."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times: {old}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        try:
            return compare(self.root / "baseline", self.run(name))
        finally:
            path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The baseline is made once."""
    root = copied(tmp_path_factory.mktemp("planted"))
    importable(root)
    made = Place(root)
    made.run("baseline")
    yield made


def regressed(found: ComparedRuns) -> set[tuple[str, str, str]]:
    """Parameters of the method, attack and metric of each regression."""
    return {(each.row.key.params, each.row.key.attack, each.row.metric.name) for each in found.regressed}


def test_gates_of_masknet_that_are_cut_off(place: Place) -> None:
    found = place.with_fault(
        "gates",
        "methods/adjustments/masknet.py",
        "return output * torch.sigmoid(gate(pooled))",
        "return output * 0 * torch.sigmoid(gate(pooled))",
    )
    assert found.exit_code == 1
    assert {attack for _, attack, _ in regressed(found)} == {"none"}
    assert all("masknet" in params for params, _, _ in regressed(found))
    assert any("code" in cause for each in found.regressed for cause in each.row.causes)


def test_a_restorer_that_trains_for_one_step(place: Place) -> None:
    found = place.with_fault(
        "one-step",
        "attacks/restorer.py",
        "training=aux.training,",
        'training=aux.training.model_copy(update={"epochs": 1, "batch_size": 4096}),',
    )
    assert found.exit_code == 1
    assert any(attack == "restorer" for _, attack, _ in regressed(found))
    assert "attack broken?" in markdown(found)
    assert "attack code" in markdown(found)


def test_an_attack_that_is_skipped_silently(place: Place) -> None:
    found = place.with_fault(
        "skipped",
        "attacks/classifiers.py",
        "images, masks = release.image_bytes, release.mask_bytes\n        return images if masks",
        "images, masks = release.image_bytes * 0, release.mask_bytes\n        return images if masks",
    )
    assert found.exit_code in (1, 4)
    assert "attack broken?" in markdown(found) or found.causes["failed"]


def test_labels_that_are_shuffled_in_one_split(place: Place) -> None:
    found = place.with_fault(
        "labels",
        "bench/maskbench/stages/recognition.py",
        'dataset.labels("owner_train", "target"),',
        'dataset.labels("owner_train", "target").roll(1),',
    )
    assert found.exit_code == 1
    assert {attack for _, attack, _ in regressed(found)} == {"none"}
    assert "recognizer code" in markdown(found)


def test_a_mask_whose_ratio_is_off_by_one_unit(place: Place) -> None:
    """The sealed judge refuses the method before anybody measures it."""
    found = place.with_fault(
        "ratio",
        "bench/maskbench/plugins/mask_method.py",
        "keep_sorted = (middle < (1 - ratio) * height * width).to(torch.float32)",
        "keep_sorted = (middle < (1 - ratio) * height * width + unit * unit).to(torch.float32)",
    )
    assert found.exit_code == 4
    assert any("random" in text for text in found.causes["failed"])


OF_WHAT_IS_SAID = {"advantage", "bits", "accuracy", "balanced_accuracy", "worst_class_auc", "worst_class_tpr"}
"""Metrics of an attack's class probabilities: of the largest, of that of the true class, and of their order."""


def test_an_attacker_that_lost_its_calibration(place: Place) -> None:
    found = place.with_fault(
        "calibration",
        "bench/maskbench/metrics/calibration.py",
        "(log_prior.double() + moved + self.bias).log_softmax(1)",
        "(log_prior.double() - moved + self.bias).log_softmax(1)",
    )
    assert found.exit_code == 1
    # It says the opposite of what it knows, so all that is computed of what it says may get worse, and nothing else.
    named = regressed(found)
    assert {metric for _, _, metric in named} <= OF_WHAT_IS_SAID
    assert {metric for _, _, metric in named} & {"advantage", "bits"}
    assert not {attack for _, attack, _ in named} & {"none", "restorer"} and "attack broken?" in markdown(found)
    assert "scoring code" in markdown(found)


def test_code_of_an_attack_that_changed_and_does_the_same(place: Place) -> None:
    found = place.with_fault("same", "attacks/restorer.py", "width=self.width)", "width=int(self.width))")
    assert found.exit_code == 0
    assert {each.verdict for each in found.judged} == {"unchanged"}
    assert "maskbench.attacks.restorer" in found.code


def test_a_changed_data_set_of_the_same_name(place: Place) -> None:
    found = compare(
        place.root / "baseline",
        place.run("fewer", SUITE.replace("limit: 500", "limit: 400").replace("seeds: 3", "seeds: 1")),
    )
    assert found.exit_code == 3
    assert "sizes of the splits" in markdown(found)


def test_a_baseline_of_another_schema(place: Place) -> None:
    file = place.root / "baseline" / "run.json"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(json.dumps({**json.loads(text), "schema_version": 1}), encoding="utf-8")
        found = compare(place.root / "baseline", place.root / "baseline")
    finally:
        file.write_text(text, encoding="utf-8")
    assert found.exit_code == 3
    assert "version 1" in markdown(found)


def test_the_same_code_again_is_proved_to_be_the_same(place: Place) -> None:
    found = compare(place.root / "baseline", place.run("again"))
    assert found.exit_code == 0
    assert {each.verdict for each in found.judged} == {"unchanged"}
    assert not found.code


def test_runs_that_have_no_method_in_common(place: Place) -> None:
    """They have the controls in common, and those are the same."""
    others = SUITE.replace('["random:patch=2", "random:patch=2,adjust=masknet"]', "[pixelate]").replace(
        "seeds: 3", "seeds: 1"
    )
    found = compare(place.root / "baseline", place.run("others", others))
    assert found.exit_code == 3
    assert "no method in common" in markdown(found)
