"""Where the numbers of a page come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maskbench.results.schema import threat_model_name
from maskbench.runfolder.folder import RunFolder

_LONG = ("code",)
"""What of ``run.json`` has too many lines for a page."""


def facts(run: RunFolder) -> dict[str, str]:
    """What was run, on what, when and where: a name and its value, of all that the run knows."""
    found = run.provenance
    data: Mapping[str, Any] = found.get("data", {})
    threat = found.get("threat_model", {})
    stages = found.get("stages", {})
    named = {
        "command": found.get("command"),
        "finished": str(found.get("finished", "")).replace("T", " ").replace("+00:00", " UTC"),
        "suite": _suite(found.get("suite", {})),
        "data": data.get("name"),
        "data fingerprint": data.get("fingerprint"),
        "target label": _label(data, "target"),
        "sensitive label": _label(data, "sensitive"),
        "pictures": ", ".join(f"{name.replace('_', '-')} {size}" for name, size in data.get("sizes", {}).items()),
        "rules of conversion": " ".join(data.get("notes", ())),
        "threat model": threat_model_name(threat) if threat else "",
        "stages": ", ".join(f"{count} {source}" for source, count in stages.items() if count),
        "maskbench": f"{found.get('maskbench')}, schema {found.get('schema_version')}",
        "source": _source(found.get("git")),
        "device": found.get("device"),
        "python": found.get("python"),
        "platform": found.get("platform"),
        "libraries": ", ".join(f"{name} {version}" for name, version in found.get("libraries", {}).items()),
    }
    return {name: str(value) for name, value in named.items() if value}


def not_measured(run: RunFolder) -> dict[str, str]:
    """Metric → what it would have needed."""
    return {name.replace("_", " "): need for name, need in run.provenance.get("unavailable_metrics", {}).items()}


def as_json(run: RunFolder) -> str:
    """``run.json`` without the digest of each module."""
    short = {name: value for name, value in run.provenance.items() if name not in _LONG}
    return json.dumps(short, indent=1, ensure_ascii=False)


def _suite(suite: Mapping[str, Any]) -> str:
    if not suite:
        return ""
    description = suite.get("description") or ""
    return f"{suite.get('name', '')}: {description}" if description else str(suite.get("name", ""))


def _label(data: Mapping[str, Any], label: str) -> str:
    if not data.get(label):
        return ""
    classes = data.get(f"{label}_classes", ())
    return f"{data[label]}, {len(classes)} classes"


def _source(git: Mapping[str, Any] | None) -> str:
    if not git:
        return ""
    return f"commit {git['commit'][:12]}" + (", with changes that are in no commit" if git["changed"] else "")
