"""The cores and the memory that this process may use: those of the machine, or what a container leaves of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import psutil

from maskbench.parallel import usable_cores

_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60  # version 1 writes a number near 2**63 where there is no limit


def cores_at_hand(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """The cores that this process may run on, or the share of them that its control group grants; at least 1."""
    quotas = [quota for folder in _folders("cpu", groups, own) if (quota := _quota(folder)) is not None]
    return max(1, min([usable_cores(), *(math.ceil(quota) for quota in quotas)]))


def memory_at_hand(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Bytes that can be had without swapping, within the limits of the control group."""
    left = [room for folder in _folders("memory", groups, own) if (room := _room(folder)) is not None]
    return max(0, min([psutil.virtual_memory().available, *left]))


def _folders(controller: str, groups: Path, own: Path) -> Iterator[Path]:
    """The folders of the control groups that this process is in, its own first; limits of all of them hold."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:  # not on Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = groups / controller if controllers else groups
        folder = root / path.lstrip("/")
        while folder != root and root in folder.parents:
            yield folder
            folder = folder.parent
        yield root


def _quota(folder: Path) -> float | None:
    """Cores that a group may keep busy."""
    whole = _words(folder / "cpu.max")  # version 2: quota and period
    if not whole:
        whole = [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
    if len(whole) != 2 or whole[0] in ("max", "-1"):
        return None
    return int(whole[0]) / int(whole[1])


def _room(folder: Path) -> int | None:
    """Bytes below the limit of a group; pages of files that it can give up count as free."""
    names = ("memory.max", "memory.current", "inactive_file")
    limit, used = _words(folder / names[0]), _words(folder / names[1])
    if not limit:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        limit, used = _words(folder / names[0]), _words(folder / names[1])
    if not limit or not used or limit[0] == "max" or int(limit[0]) > _UNLIMITED:
        return None
    counted = _words(folder / "memory.stat")
    statistics = dict(zip(counted[::2], counted[1::2], strict=False))
    return int(limit[0]) - int(used[0]) + int(statistics.get(names[2], 0))


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except OSError:
        return []
