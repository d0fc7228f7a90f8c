"""Where a run's numbers come from: command, suite, seeds, versions, hardware, state of the source."""

from __future__ import annotations

import pkgutil
import platform
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from maskbench.artifacts.fingerprint import closure, digest
from maskbench.data.parties import SPLITS_OF
from maskbench.executors.executor import MISSING
from maskbench.executors.hardware import device_name
from maskbench.metrics.catalogue import FAMILIES
from maskbench.metrics.perceptual import identity as backbone_identity
from maskbench.models.recognizers import identity
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.method import Method
from maskbench.plugins.names import parse
from maskbench.results import flags
from maskbench.results.execution import Execution
from maskbench.results.measure import measure, planned_of
from maskbench.results.schema import SCHEMA_VERSION, threat_model
from maskbench.results.shard import ShardRecord
from maskbench.results.timings import SHORT
from maskbench.version import own_version

_FOLDERS = re.compile(r"[^=,:\s]*[/\\]")  # what stands before the last part of a path, wherever in an argument


def provenance(execution: Execution, cells: pd.DataFrame, command: str) -> dict[str, Any]:
    """The content of ``run.json``.

    Args:
        command: what was typed, as ``command_line`` writes it.
    """
    libraries: dict[str, str] = {}
    code: dict[str, str] = {}
    for step in execution.plan.steps.values():
        libraries |= step.ingredients["libraries"]
        code |= step.ingredients["sources"]
    code |= _measuring_code()
    statuses = Counter(planned_of(cells)["status"])
    data, matrix, plan = execution.data.record, execution.matrix, execution.plan
    released = matrix.data.options.released
    sources = Counter(outcome.source for outcome in execution.outcomes.values())
    found: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "threat_model": threat_model(matrix.suite.settings.releases),
        "maskbench": own_version(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "suite": _suite(execution),
        "data": {
            # A name, not a path: where the data lie on this machine is nobody else's business.
            **matrix.data.options.described(),
            **data,
            "notes": [*data["notes"], *(released.notes if released else ())],
            "fingerprint": plan.steps[plan.key(matrix.data)].ingredients["parameters"]["content"],
            "splits": _split_fingerprints(execution),
        },
        "methods": [method.label() for method in matrix.methods],
        "attacks": [attack.label() for attack in matrix.attacks],
        "claims": _claims(matrix.methods),
        "coverage": {status: statuses[status] for status in ("ok", "failed", "unavailable")},
        "unavailable_metrics": unavailable_metrics(cells),
        "seconds": dict(execution.seconds),
        "stages": {source: sources[source] for source in ("computed", "stored", *MISSING)},
        "numerics": plan.numerics.ingredients(plan.device_type),
        "device": _device(execution),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": dict(sorted(libraries.items())),
        "code": {module: code[module][:SHORT] for module in sorted(code)},
        "git": own_git_state(),
    }
    return found if execution.part is None else {**found, "shard": ShardRecord.of_part(execution.part).record()}


def _measuring_code() -> dict[str, str]:
    """Module → hash of its code, of those that make cells and flags from samples: no stage runs them."""
    rules = (f"{flags.__name__}.{module.name}" for module in pkgutil.iter_modules(flags.__path__))
    return closure((measure.__module__, *rules))[0]


def _split_fingerprints(execution: Execution) -> dict[str, str]:
    """Split → fingerprint of the numbers of its images."""
    splits = (split for party in SPLITS_OF.values() for split in party)
    return {split: numbers_fingerprint(execution.data.tensors[split].tolist()) for split in splits}


def numbers_fingerprint(numbers: Iterable[int]) -> str:
    """Say which images of a data set these are, in one short text; their order does not matter.

    Args:
        numbers: as the column ``number`` of ``samples`` has them.
    """
    return digest(sorted(map(int, numbers)))[:SHORT]


def _claims(methods: Sequence[Method]) -> list[dict[str, Any]]:
    """Who claims which ε of differential privacy, for which two pictures; methods as ``cells`` tells them apart."""
    claimed = {method.label(leave_out=("ratio",)): method.claimed_epsilon() for method in methods}
    return [
        {"method": label, "epsilon": claim[0], "about": claim[1]}
        for label, claim in claimed.items()
        if claim is not None
    ]


def _device(execution: Execution) -> str:
    """What the stages were computed on in this run; where all were found, what it would have been."""
    made = [outcome.timing["device"] for outcome in execution.outcomes.values() if outcome.source == "computed"]
    return ", ".join(sorted(set(made))) or device_name(execution.executor.device)


def command_line(arguments: Sequence[str]) -> str:
    """The command as it was typed; of a path its last part alone, for where things lie is nobody else's business."""
    return shlex.join(["maskbench", *map(_without_folders, arguments)])


def _without_folders(argument: str) -> str:
    return argument if argument.startswith("hf:") else _FOLDERS.sub("", argument)


def _suite(execution: Execution) -> dict[str, Any]:
    """What was run, without the paths of this machine."""
    suite = execution.matrix.suite
    content = suite.model_dump(mode="json", exclude={"data"})
    for kind in ("method", "attack"):
        content[f"{kind}s"] = [_without_paths(kind, text) for text in content[f"{kind}s"]]
    content["settings"]["recognizer"] = identity(suite.settings.recognizer)
    if suite.settings.perceptual is not None:
        content["settings"]["perceptual"] = backbone_identity(suite.settings.perceptual)
    return content


def _without_paths(kind: str, text: str) -> str:
    name, parameters = parse(text)
    return catalogue().get(kind, name).shown(parameters)


def unavailable_metrics(cells: pd.DataFrame) -> dict[str, str]:
    """Metric → what it would have needed, for those that nothing in this run was measured by for lack of it."""
    measured = set(cells["metric"])
    needs = {metric.name: metric.needs for metrics in FAMILIES.values() for metric in metrics if metric.needs}
    return {name: f"needs {need}" for name, need in sorted(needs.items()) if name not in measured}


def own_git_state() -> Mapping[str, Any] | None:
    """The state of the checkout that this code runs from."""
    return git_state(Path(__file__))


def git_state(source: Path) -> Mapping[str, Any] | None:
    """Commit of the checkout that ``source`` belongs to, and whether the tree differs from it.

    None where no checkout tracks the file: an environment may lie in somebody else's repository.
    """
    try:
        _git(source.parent, "ls-files", "--error-unmatch", source.name)
        return {
            "commit": _git(source.parent, "rev-parse", "HEAD"),
            "changed": bool(_git(source.parent, "status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    call = ["git", "-C", str(folder), *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()
