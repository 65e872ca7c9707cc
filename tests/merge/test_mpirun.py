"""Real mpirun, of Open MPI and of MPICH: one aipower-run around it, and one for each of its ranks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.merge.merge import merge
from aipower.runrecord import RunRecord, from_json
from merge.together import WORK
from run.aipower_run import CODE, environment

LIMIT_S = 60
EACH = 'exec "$0" -c "$1" -q --sensors fake:2 --json "rank-${OMPI_COMM_WORLD_RANK:-$PMI_RANK}.json" "$0" -c "$2"'
OPEN_MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


@pytest.fixture(params=["mpirun.openmpi", "mpirun.mpich"])
def mpirun(request: pytest.FixtureRequest) -> str:
    """Skipped where it is not installed, but never in CI."""
    name = str(request.param)
    if shutil.which(name) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{name} is not installed (Debian: openmpi-bin, mpich)")
    return name


def call(folder: Path, *words: str) -> None:
    ours = {"AIPOWER_RUNS_DIR": str(folder / "runs"), "AIPOWER_USER_CONFIG": "none", "XDG_RUNTIME_DIR": str(folder)}
    env = environment(OPEN_MPI | ours)
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr


def read(path: Path) -> RunRecord:
    return from_json(path.read_bytes())


def test_one_run_around_mpirun_sees_all_its_ranks(mpirun: str, tmp_path: Path) -> None:
    measured = [sys.executable, "-c", CODE, "-q", "--sensors", "fake:2", "--json", "run.json"]
    call(tmp_path, *measured, mpirun, "-n", "2", sys.executable, "-c", WORK)
    record = read(tmp_path / "run.json")
    assert record.job is None
    assert record.cpu_time_s > 1.0
    assert len([process for process in record.processes if process.command.startswith(f"{sys.executable} -c")]) == 2


def test_one_run_for_each_rank_is_merged_into_one(mpirun: str, tmp_path: Path) -> None:
    call(tmp_path, mpirun, "-n", "2", "sh", "-c", EACH, sys.executable, CODE, WORK)
    records = [read(tmp_path / f"rank-{number}.json") for number in range(2)]
    jobs = [record.job for record in records if record.job]
    assert [(job.system, job.rank, job.local_rank, job.ranks) for job in jobs] == [("mpi", 0, 0, 2), ("mpi", 1, 1, 2)]
    assert [job.leader for job in jobs].count(True) == 1
    assert list((tmp_path / "aipower").iterdir()) == [], "the lock was there, and has gone"
    merged = merge(records)
    assert [node.ranks for node in merged.nodes] == [[0, 1]]
    assert len(merged.devices) == len(records[0].devices)
    assert merged.energy_j.cpu == pytest.approx(sum(record.energy_j.cpu or 0.0 for record in records))
