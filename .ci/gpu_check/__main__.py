"""Runs the parts one after the other, and writes one JSON and one Markdown file, anew after each part."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from gpu_check.job import Job
from gpu_check.order import LEAST, PARTS, RESERVE, Part
from gpu_check.report import Report

CHECKOUT = Path(__file__).parents[2]


def main() -> int:
    """Run what the arguments ask for; 0 where every part ended as it should."""
    asked = _arguments()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        work = Path(folder)
        environment = prepared(work, asked.wheels)
        report = Report(asked.out, device=asked.device, rehearsal=asked.device == "cpu")
        for part in PARTS:
            if asked.parts and part.name not in asked.parts:
                continue
            left = asked.minutes * 60 - (time.monotonic() - started) - RESERVE
            report.add(part, run_part(part, asked, work, environment, left))
        print(f"Report: {report.markdown}")
        return 1 if report.failed else 0


def run_part(
    part: Part, asked: argparse.Namespace, work: Path, environment: dict[str, str], left: float
) -> dict[str, Any]:
    """Run a part in a process of its own, and stop it with all its children when its time is over."""
    if left < LEAST:
        return {"status": "left out: no time", "seconds": 0.0, "notes": {}}
    limit = min(part.seconds, left)
    job_file, notes_file, log = (work / f"{part.name}{ending}" for ending in (".job", ".json", ".log"))
    job = Job(asked.device, asked.device == "cpu", limit, str(asked.data or ""), str(work), str(CHECKOUT))
    job.write(job_file)
    print(f"{part.name}: at most {limit:.0f} s", flush=True)
    started = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "gpu_check.one", part.name, str(job_file), str(notes_file)],
            env=environment,
            cwd=CHECKOUT,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
            status = "done" if code == 0 else f"failed: exit status {code}"
        except subprocess.TimeoutExpired:
            status = f"stopped after {limit:.0f} s"
        finally:
            _end(process)
    seconds = time.monotonic() - started
    print(f"{part.name}: {status}, {seconds:.1f} s", flush=True)
    text = log.read_text(encoding="utf-8", errors="replace")
    if status != "done":
        print(text[-2_000:], flush=True)
    return {"status": status, "seconds": round(seconds, 1), "notes": _notes(notes_file), "log": text[-4_000:]}


def prepared(work: Path, wheels: Path | None) -> dict[str, str]:
    """The environment of the parts: the wheels unpacked, the source in the wheel's layout, a store of their own."""
    paths = [CHECKOUT / ".ci", CHECKOUT / "tests"]
    if wheels is not None:
        unpacked = work / "wheels"
        found = sorted(wheels.glob("*.whl"))
        if not found:
            raise SystemExit(f"there are no wheels in {wheels}: docs/gpu.md says which, and how to get them")
        for wheel in found:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
        paths.insert(0, unpacked)
    subprocess.run([CHECKOUT / ".ci" / "layout", work / "source"], check=True)
    paths.insert(0, work / "source")
    given = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, paths), *([given] if given else [])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "MASKBENCH_STORE": str(work / "store"),
        "OMP_NUM_THREADS": "1",
    }


def _notes(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the part and what it started: they are one session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=".ci/gpu", description=__doc__)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "results" / "gpu")
    parser.add_argument("--data", type=Path, default=os.environ.get("MASKBENCH_DATA"))
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *(part.name for part in PARTS)])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
