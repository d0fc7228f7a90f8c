"""What a container leaves of the cores and the memory of the machine."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from maskbench.executors.at_hand import cores_at_hand, memory_at_hand
from maskbench.executors.workers.memory import has_room, workers_that_fit
from maskbench.parallel import usable_cores


def _written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_version_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of a parent holds too, and files in the page cache can be given up."""
    monkeypatch.setattr("maskbench.executors.at_hand.usable_cores", lambda: 64)
    own = _written(tmp_path, {"own": "0::/jobs/one\n"}) / "own"
    groups = _written(
        tmp_path / "groups",
        {
            "jobs/one/cpu.max": "max 100000\n",
            "jobs/one/memory.max": "3000000\n",
            "jobs/one/memory.current": "2500000\n",
            "jobs/one/memory.stat": "anon 1\ninactive_file 300000\n",
            "jobs/cpu.max": "250000 100000\n",
            "jobs/memory.max": "max\n",
        },
    )
    assert cores_at_hand(groups, own) == 3
    assert memory_at_hand(groups, own) == 800_000


def test_version_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskbench.executors.at_hand.usable_cores", lambda: 64)
    own = _written(tmp_path, {"own": "4:memory:/job\n2:cpu,cpuacct:/job\n1:name=systemd:/\n"}) / "own"
    groups = _written(
        tmp_path / "groups",
        {
            "memory/job/memory.limit_in_bytes": "5000000\n",
            "memory/job/memory.usage_in_bytes": "4000000\n",
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/memory.usage_in_bytes": "4000000\n",
            "cpu/job/cpu.cfs_quota_us": "200000\n",
            "cpu/job/cpu.cfs_period_us": "100000\n",
            "cpu/cpu.cfs_quota_us": "-1\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert cores_at_hand(groups, own) == 2
    assert memory_at_hand(groups, own) == 1_000_000


def test_no_groups(tmp_path: Path) -> None:
    assert cores_at_hand(tmp_path, tmp_path / "none") == usable_cores()
    assert 0 < memory_at_hand(tmp_path, tmp_path / "none") <= psutil.virtual_memory().total


@pytest.mark.parametrize(("gigabytes", "workers"), [(0, 1), (1, 1), (3, 2), (100, 8)])
def test_workers_that_fit(monkeypatch: pytest.MonkeyPatch, gigabytes: int, workers: int) -> None:
    monkeypatch.setattr("maskbench.executors.workers.memory.memory_at_hand", lambda: gigabytes << 30)
    assert workers_that_fit(8) == workers


@pytest.mark.parametrize(
    ("needs", "growth", "fits"), [(3, [], True), (4, [], False), (2, [1.5], True), (2, [2], False), (3, [-5], True)]
)
def test_room_beside_those_at_work(
    monkeypatch: pytest.MonkeyPatch, needs: int, growth: list[float], fits: bool
) -> None:
    """4 GiB are free, half of one is kept."""
    monkeypatch.setattr("maskbench.executors.workers.memory.memory_at_hand", lambda: 4 << 30)
    assert has_room(needs << 30, [int(each * (1 << 30)) for each in growth]) is fits
