"""Jobs and steps of a real Slurm that keeps them in control groups of version 1, as the reader finds them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aipower.model import Owner
from aipower.owners.reader import PlaceReader
from slurm.cluster import NO_ACCOUNTING, NODES, Cluster, running, why_not

FREEZER = Path("/sys/fs/cgroup/freezer")
"""Where Slurm's `proctrack/cgroup` keeps the steps' processes."""
GROUPS = NO_ACCOUNTING + "ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup\n"
SCRIPT = "#!/bin/sh\nsrun --overlap sleep 300 &\nsleep 300\n"
DEADLINE_S = 60.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Two nodes; their groups are removed afterwards."""
    why = why_not()
    if why and os.environ.get("CI"):
        pytest.fail(why)
    if why or not os.access(FREEZER, os.W_OK):
        pytest.skip(why or f"no control groups of version 1 at {FREEZER}")
    with running(tmp_path, GROUPS) as up:
        yield up
    for node in NODES:
        groups = [path for path in FREEZER.parent.glob(f"*/slurm_{node}/**") if path.is_dir()]
        for path in sorted(groups, reverse=True):
            with suppress(OSError):  # the kernel has not buried its last process, or another cluster is in it
                path.rmdir()


def sleepers(mark: str) -> list[int]:
    """The processes `sleep` with `mark` in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = f"AIPOWER_TEAM={mark}".encode() in (path / "environ").read_bytes()
            found += [int(path.name)] if ours and (path / "comm").read_text() == "sleep\n" else []
    return found


def wait_for(mark: str, count: int) -> list[int]:
    """The `count` sleepers, as soon as they are there."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        if len(pids := sleepers(mark)) == count:
            return pids
        time.sleep(0.1)
    raise AssertionError(f"not {count} processes: {sleepers(mark)}")


def test_a_script_and_its_step_are_found(cluster: Cluster, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    (tmp_path / "job.sh").write_text(SCRIPT)
    words = ("sbatch", "--parsable", "-N1", "-n1", "-J", "training", "job.sh")
    sent = cluster.call(*words, folder=tmp_path, env={"AIPOWER_TEAM": mark})
    assert sent.returncode == 0, sent.stderr + cluster.logs()
    job = sent.stdout.strip()
    try:
        pids = wait_for(mark, 2)
        by_group = {PlaceReader(environment=False).read(pid).owner for pid in pids}
        assert by_group == {Owner("slurm", job, "batch"), Owner("slurm", job, "0")}
        places = [PlaceReader(environment=True).read(pid) for pid in pids]
        assert {place.owner for place in places} == by_group
        facts = {(place.facts.name, place.facts.partition, place.facts.team) for place in places}
        assert facts == {("training", "all", mark)}
    finally:
        cluster.call("scancel", job, folder=tmp_path)
        cluster.wait_until_empty()
