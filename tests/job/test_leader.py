"""One leader for each node and job, whatever the others do, and an answer when there can be no election."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aipower.job.fields import job_fields
from aipower.job.leader import elect, election_key, runtime_dir

KEY = "slurm-1-0-n1"
CANDIDATE = """
import sys
from aipower.job.leader import elect
lease = elect(sys.argv[1], sys.argv[2])
print(int(lease.leader), flush=True)
sys.stdin.read()
lease.release()
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "run")


def candidate(folder: str, key: str = KEY) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CANDIDATE, key, folder]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def rivals(folder: str) -> Iterator[list[subprocess.Popen[str]]]:
    processes = [candidate(folder) for _ in range(6)]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def says_leader(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == "1\n"


def test_of_many_that_start_at_once_one_leads(rivals: list[subprocess.Popen[str]], folder: str) -> None:
    leaders = [says_leader(process) for process in rivals]
    assert leaders.count(True) == 1
    assert not elect(KEY, folder).leader
    rivals[leaders.index(True)].send_signal(signal.SIGKILL)
    rivals[leaders.index(True)].wait(10)
    assert elect(KEY, folder).leader, "the lock goes with its holder, however that ends"


def test_a_leader_leads_until_it_lets_go(folder: str) -> None:
    first, second = elect(KEY, folder), elect(KEY, folder)
    assert (first.leader, second.leader) == (True, False)
    second.release()
    assert not elect(KEY, folder).leader
    first.release()
    assert list(Path(folder).iterdir()) == [], "nothing is left behind"
    third = elect(KEY, folder)
    first.release()
    assert third.leader
    assert not elect(KEY, folder).leader, "a second release takes nothing from the next leader"


def test_other_jobs_steps_and_nodes_have_their_own(folder: str) -> None:
    keys = ["slurm-1-0-n1", "slurm-1-0-n2", "slurm-1-1-n1", "slurm-2-0-n1", "slurm/1-0-n1", "x" * 300, "x" * 299 + "y"]
    leases = [elect(key, folder) for key in keys]
    assert all(lease.leader and not lease.note for lease in leases)


def test_the_lock_is_not_handed_to_the_command(folder: str) -> None:
    lease = elect(KEY, folder)
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        os.close(lease._fd)
        lease._fd = -1
        assert elect(KEY, folder).leader
    finally:
        child.kill()
        child.wait()


def test_folders_of_others_and_links_are_not_used(tmp_path: Path) -> None:
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o777)
    open_one.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(tempfile.gettempdir())
    for folder in (open_one, link, Path("/proc/nowhere")):
        first, other = elect(KEY, str(folder), "0"), elect(KEY, str(folder), "1")
        assert (first.leader, other.leader) == (True, False)
        assert "no election" in first.note
        assert str(folder) in first.note
        assert elect(KEY, str(folder)).leader
    assert list(open_one.iterdir()) == []


def test_a_link_in_place_of_the_lock_is_not_followed(folder: str, tmp_path: Path) -> None:
    elect(KEY, folder).release()
    lease = elect(KEY, folder)
    name = next(Path(folder).iterdir()).name
    lease.release()
    target = tmp_path / "victim"
    (Path(folder) / name).symlink_to(target)
    assert elect(KEY, folder, "0").note
    assert not target.exists()


def test_where_the_lock_lies(tmp_path: Path) -> None:
    ours = tmp_path / "user"
    ours.mkdir(mode=0o700)
    assert runtime_dir({"XDG_RUNTIME_DIR": str(ours)}) == f"{ours}/aipower"
    elsewhere = f"/tmp/aipower-{os.getuid()}"
    assert runtime_dir({}) == elsewhere
    assert runtime_dir({"XDG_RUNTIME_DIR": str(tmp_path / "only-on-the-login-node")}) == elsewhere
    assert runtime_dir({"XDG_RUNTIME_DIR": "relative"}) == elsewhere


def test_the_key_is_that_of_job_step_and_node() -> None:
    slurm = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "2", "SLURMD_NODENAME": "n1"}
    keys = {election_key(job_fields(slurm | {"SLURM_PROCID": rank}, "h")) for rank in "0123"}
    assert keys == {"slurm-7-2-n1"}
    assert election_key(job_fields({"PMI_RANK": "1", "PMI_SIZE": "2"}, "h")) == f"mpi-parent{os.getppid()}--h"
