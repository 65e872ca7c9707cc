"""The reader, on a tree of files like /proc and on the real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aipower.model import JobFacts, Owner, Place
from aipower.owners.reader import MOST_BYTES, PlaceReader

ID = "0123456789abcdef" * 4
UID = "03f3f104-3215-44f2-9686-d4dd1f05a7ed"
POD = f"0::/kubepods/burstable/pod{UID}/{ID}\n"
JOB = "0::/system.slice/slurmstepd.scope/job_12/step_0/user/task_0\n"
SLURMD = "0::/system.slice/slurmd.service\n"
SLUID = "0::/system.slice/slurmstepd.scope/s5K1KKYAYG5D00/step_0/user/task_0\n"


def put(root: Path, pid: int, cgroup: str, environ: bytes | None = None) -> None:
    """Add a process to the tree."""
    folder = root / str(pid)
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    if environ is not None:
        (folder / "environ").write_bytes(environ)


def reader(root: Path, *, environment: bool = True) -> PlaceReader:
    """A reader of the tree, on a machine with the name `node7`."""
    return PlaceReader(root, environment=environment, node_names=frozenset({"node7"}))


def test_a_process_is_found_by_its_control_group(tmp_path: Path) -> None:
    put(tmp_path, 7, JOB)
    place = reader(tmp_path, environment=False).read(7)
    assert place.owner == Owner("slurm", "12", "0")
    assert (place.unit, place.slice) == ("slurmstepd.scope", "system.slice")


@pytest.mark.parametrize("pid", [8, 0, -1])
def test_a_process_that_has_left_has_no_place(tmp_path: Path, pid: int) -> None:
    assert reader(tmp_path).read(pid) == Place()


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "7" / "cgroup").mkdir(parents=True)  # opens, and fails to be read
    assert reader(tmp_path).read(7) == Place()


def test_the_environment_is_read_only_where_wanted(tmp_path: Path) -> None:
    put(tmp_path, 7, JOB, b"AIPOWER_TEAM=vision\0SLURM_JOB_NAME=train\0")
    assert reader(tmp_path, environment=False).read(7).facts == JobFacts()
    assert reader(tmp_path).read(7).facts == JobFacts(name="train", team="vision")


def test_the_path_names_the_job_whatever_the_environment_says(tmp_path: Path) -> None:
    put(tmp_path, 7, JOB, b"SLURM_JOB_ID=99\0SLURM_STEP_ID=4\0")
    assert reader(tmp_path).read(7).owner == Owner("slurm", "12", "0")


def test_the_environment_names_the_job_where_no_path_can(tmp_path: Path) -> None:
    put(tmp_path, 7, SLURMD, b"SLURM_JOB_ID=99\0SLURM_STEP_ID=4\0")
    put(tmp_path, 8, SLURMD)
    place = reader(tmp_path).read(7)
    assert (place.owner, place.unit) == (Owner("slurm", "99", "4"), "slurmd.service")
    assert reader(tmp_path).read(8).owner == Owner("systemd", "slurmd.service")


def test_a_pod_is_no_slurm_job_by_its_environment(tmp_path: Path) -> None:
    put(tmp_path, 7, POD, b"SLURM_JOB_ID=99\0")
    assert reader(tmp_path).read(7).owner == Owner("kubernetes", UID, ID)


def test_the_host_name_is_the_pods_in_a_pod_only(tmp_path: Path) -> None:
    for pid, (cgroup, name) in enumerate([(POD, "train-0"), (POD, "node7"), (JOB, "train-0")], start=1):
        put(tmp_path, pid, cgroup, b"HOSTNAME=" + name.encode())
    assert [reader(tmp_path).read(pid).facts.pod for pid in (1, 2, 3)] == ["train-0", "", ""]


def test_what_the_pod_says_comes_before_its_host_name(tmp_path: Path) -> None:
    put(tmp_path, 7, POD, b"HOSTNAME=node8\0AIPOWER_POD=train-0\0AIPOWER_NAMESPACE=ml\0")
    facts = reader(tmp_path).read(7).facts
    assert (facts.pod, facts.namespace) == ("train-0", "ml")


def test_a_group_that_is_named_by_a_sluid_gets_the_jobs_number_from_one_of_its_processes(tmp_path: Path) -> None:
    put(tmp_path, 1, SLUID)
    put(tmp_path, 2, SLUID, b"SLURM_JOB_ID=99\0")
    put(tmp_path, 3, SLUID, b"SLURM_JOB_ID=100\0")
    places = reader(tmp_path)
    assert [places.read(pid).owner.job for pid in (1, 2, 1, 3)] == ["s5K1KKYAYG5D00", "99", "99", "99"]


def test_a_file_without_end_is_read_up_to_its_last_whole_entry(tmp_path: Path) -> None:
    put(tmp_path, 7, JOB, b"X=" + b"x" * (MOST_BYTES - 20) + b"\0AIPOWER_TEAM=visionary\0")
    assert reader(tmp_path).read(7).facts.team == ""


def test_the_same_group_is_understood_once(tmp_path: Path) -> None:
    for pid in (1, 2):
        put(tmp_path, pid, JOB, b"AIPOWER_TEAM=vision\0")
    places = reader(tmp_path)
    assert places.read(1) is places.read(2)


def test_this_process_can_be_read() -> None:
    place = PlaceReader(environment=True).read(os.getpid())
    assert place.owner.system in {"none", "systemd", "slurm", "kubernetes", "docker", "podman", "containerd", "crio"}
