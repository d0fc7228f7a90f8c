"""Where a run's numbers come from: suite, seeds, versions, hardware, state of the source."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maskbench.executors.hardware import device_name
from maskbench.executors.local import MISSING
from maskbench.metrics.catalogue import CATALOGUE
from maskbench.metrics.perceptual import identity as backbone_identity
from maskbench.models.recognizers import identity
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.names import parse
from maskbench.report.flags import flag_records
from maskbench.results.flag import Flag
from maskbench.results.schema import SCHEMA_VERSION
from maskbench.running import Run
from maskbench.version import own_version


def provenance(run: Run, flags: Sequence[Flag]) -> dict[str, Any]:
    """The content of ``run.json``."""
    libraries: dict[str, str] = {}
    for step in run.plan.steps.values():
        libraries |= step.ingredients["libraries"]
    statuses = [result.status for result in run.results]
    options = run.matrix.data.options
    return {
        "schema_version": SCHEMA_VERSION,
        "maskbench": own_version(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "suite": _suite(run),
        "data": {
            # A name, not a path: where the data lie on this machine is nobody else's business.
            **options.model_dump(exclude={"source"}),
            **run.record,
            "fingerprint": run.plan.steps[run.plan.key(run.matrix.data)].ingredients["parameters"]["content"],
        },
        "methods": [method.label() for method in run.matrix.methods],
        "attacks": [attack.label() for attack in run.matrix.attacks],
        "coverage": {status: statuses.count(status) for status in ("ok", "failed", "unavailable")},
        "unavailable_metrics": _unavailable_metrics(run),
        "flags": flag_records(flags),
        "seconds": dict(run.seconds),
        "stages": {source: _count(run, source) for source in ("computed", "stored", *MISSING)},
        "device": device_name(run.executor.device),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": dict(sorted(libraries.items())),
        "git": git_state(Path(__file__).parents[3]),
    }


def _suite(run: Run) -> dict[str, Any]:
    """What was run, without the paths of this machine."""
    content = run.matrix.suite.model_dump(mode="json", exclude={"data"})
    for kind in ("method", "attack"):
        content[f"{kind}s"] = [_without_paths(kind, text) for text in content[f"{kind}s"]]
    settings = run.matrix.suite.settings
    content["settings"]["recognizer"] = identity(settings.recognizer)
    if settings.perceptual is not None:
        content["settings"]["perceptual"] = backbone_identity(settings.perceptual)
    return content


def _without_paths(kind: str, text: str) -> str:
    name, parameters = parse(text)
    return catalogue().get(kind, name).shown(parameters)


def _unavailable_metrics(run: Run) -> dict[str, str]:
    """Metric → what it would have needed, for those that nothing in this run was measured by for lack of it."""
    missing = set(CATALOGUE) - set(run.tables.cells["metric"])
    return {name: f"needs {CATALOGUE[name].needs}" for name in sorted(missing) if CATALOGUE[name].needs}


def _count(run: Run, source: str) -> int:
    return sum(outcome.source == source for outcome in run.outcomes.values())


def git_state(folder: Path) -> Mapping[str, Any] | None:
    """Commit and whether the tree differs from it; None outside a checkout."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {
            "commit": commit,
            "changed": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    call = ["git", "-C", str(folder), *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()
