"""The scripts for many machines: they run to their end with stand-ins for the cluster, and say what they should."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from maskbench.planning.sharding import Shard
from trees import CHECKOUT

PAGE = (CHECKOUT / "docs" / "scale.md").read_text(encoding="utf-8")
STAND_INS = ("maskbench", "ray", "srun", "sbatch", "sleep")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def _section(title: str) -> list[str]:
    """The shell blocks of a section."""
    (text,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _said(script: str, folder: Path, **environment: str) -> list[str]:
    """Run a script where the commands of a cluster write down how they were called; their calls, in order."""
    programs, journal = folder / "bin", folder / "journal"
    programs.mkdir(exist_ok=True)
    for name in STAND_INS:
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{journal}"\n{"echo 77" if name == "sbatch" else ""}\n')
        program.chmod(0o755)
    for number in range(1, 9):  # what finished shards leave, for the pattern that names them
        (folder / "runs" / f"shard-{number}").mkdir(parents=True, exist_ok=True)
    call = ["bash", "-euo", "pipefail", "-c", script]
    given = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": "/home/me", **environment}
    done = subprocess.run(call, cwd=folder, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = journal.read_text(encoding="utf-8").splitlines()
    journal.unlink()
    return found


def _shard(call: str) -> Shard:
    return Shard.parse(call.split("--shard ")[1].split()[0])


def test_one_shard_for_each_gpu_of_a_machine(tmp_path: Path) -> None:
    _, script = _section("Eight GPUs in one machine")
    *runs, merge = _said(script, tmp_path)
    assert sorted(_shard(call).number for call in runs) == list(range(1, 9))
    assert {_shard(call).of for call in runs} == {8}
    assert len({call.split("--out ")[1] for call in runs}) == 8
    assert merge == "maskbench merge " + " ".join(f"runs/shard-{n}" for n in range(1, 9)) + " --out runs/standard"


@pytest.mark.parametrize(("first", "last"), [(1, 8), (3, 3)], ids=["all", "one that is submitted again"])
def test_an_array_of_shards_on_slurm(first: int, last: int, tmp_path: Path) -> None:
    script, submit = _section("Slurm: an array of shards")
    assert "--array=1-8 " in script
    for number in range(first, last + 1):
        array = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": str(last - first + 1)}
        (call,) = _said(script, tmp_path, **array)
        assert _shard(call) == Shard(number, 8)
        assert call.endswith(f"--store /home/me/maskbench-store --out runs/shard-{number}")
    jobs = _said(submit, tmp_path)
    assert jobs[0] == "sbatch --parsable shards.sh"
    assert jobs[1] == "sbatch --dependency=afterany:77 --wrap maskbench merge runs/shard-* --out runs/standard"


def test_ray_on_slurm(tmp_path: Path) -> None:
    (script,) = _section("Slurm: Ray")
    slurm = {"SLURM_JOB_NUM_NODES": "4", "SLURM_CPUS_PER_TASK": "64", "SLURMD_NODENAME": "node1"}
    calls = _said(script, tmp_path, **slurm)
    (others,) = (call for call in calls if call.startswith("srun "))
    head, run, stop = (call for call in calls if call.startswith(("ray ", "maskbench ")))
    address = re.search(r"--node-ip-address=(\S+)", head)
    assert address is not None and head.startswith("ray start --head ")
    assert others.startswith("srun --nodes=3 --ntasks=3 --exclude=node1 ray start ")
    assert f"--address={address[1]}:6379 --num-cpus=64 --num-gpus=8 --block" in others
    assert run.startswith("maskbench run standard --ray auto ") and stop == "ray stop"


@pytest.mark.parametrize("title", ["Shards", "Ray", "The store"])
def test_the_other_commands_are_shell(title: str) -> None:
    for script in _section(title):
        checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
