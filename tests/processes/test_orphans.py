"""What a container's group used beyond its known processes is its main process's work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import ProcessId, Usage
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from processes.proctree import BOOT, ProcTree, StillClock

MAIN, WORKER = 50, 60


class Container:
    """A machine with one container, whose main process 50 has a worker 60; process 70 is outside."""

    def __init__(self, folder: Path) -> None:
        self.clock = StillClock()
        self.cgroups = folder / "cgroup"
        self.proc = ProcTree(folder / "proc")
        self.own = {1: 0, MAIN: 0, WORKER: 0, 70: 0}
        self.used_ticks = self.busy_ticks = 0
        self.add_group("/pod/main")
        (self.cgroups / "cgroup.controllers").touch()
        (self.cgroups / "pod/main/cgroup.procs").write_text(f"{WORKER}\n{MAIN}\n")
        for pid, path in ((MAIN, "/pod/main"), (WORKER, "/pod/main"), (70, "/"), (1, "/")):
            self.proc.write(f"{pid}/cgroup", f"0::{path}\n")
        self.write()
        procfs = ProcFs(self.proc.root, ticks_per_s=100)
        table = ProcessTable(procfs, self.clock, str)
        self.source = MachineCpuUsage(procfs, table, self.clock, cpus=folder / "cpu", cgroups=self.cgroups)

    def add_group(self, path: str) -> None:
        (self.cgroups / path[1:]).mkdir(parents=True)
        (self.cgroups / path[1:] / "cpu.stat").write_text("usage_usec 0\n")

    def write(self) -> None:
        for pid, ticks in self.own.items():
            self.proc.put(pid, {1: 0, WORKER: MAIN}.get(pid, 1), own=ticks, started=pid)
        if (self.cgroups / "pod/main").exists():
            (self.cgroups / "pod/main/cpu.stat").write_text(f"usage_usec {self.used_ticks * 10_000}\n")
        self.proc.clocks(busy=self.busy_ticks)

    def window(self, *, worker: int = 0, lost: int = 0, outside: int = 0, hidden: int = 0) -> Usage:
        """Ten seconds: ticks of the worker, of lost processes of the container, of process 70 and of others."""
        self.clock.sleep(10.0)
        self.own[WORKER] += worker
        self.own[70] += outside
        self.used_ticks += worker + lost
        self.busy_ticks += worker + lost + outside + hidden
        self.write()
        return self.source.collect()


def ident(pid: int) -> ProcessId:
    return ProcessId(BOOT, pid, pid)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    container = Container(tmp_path)
    container.window(worker=100)
    return container


def test_lost_work_is_the_main_processs(container: Container) -> None:
    usage = container.window(worker=100, lost=300, outside=50, hidden=70)
    assert usage.busy_s == {
        ident(WORKER): 1.0,
        ident(70): 0.5,
        ident(MAIN): pytest.approx(3.0, abs=0.05),
    }
    assert sum(usage.busy_s.values()) + usage.unknown_busy_s == pytest.approx(5.2)


def test_no_more_than_the_machine_did(container: Container) -> None:
    usage = container.window(worker=100, lost=300, hidden=-200)
    assert usage.busy_s[ident(MAIN)] == pytest.approx(1.0)
    assert usage.unknown_busy_s == pytest.approx(0.0)
    assert ident(MAIN) not in container.window(worker=100, hidden=200).busy_s


def test_a_resting_process_is_no_lost_one(container: Container) -> None:
    for _ in range(5):
        container.window(outside=10)
    late = [container.window(worker=200) for _ in range(4)]
    assert all(ident(MAIN) not in usage.busy_s for usage in late)
    assert sum(usage.busy_s.get(ident(WORKER), 0.0) for usage in late) == pytest.approx(8.0)


def test_groups_with_groups_in_them_are_left_alone(tmp_path: Path) -> None:
    container = Container(tmp_path)
    container.add_group("/pod/main/inner")
    container.window(worker=100)
    assert ident(MAIN) not in container.window(worker=100, lost=300).busy_s


def test_a_group_that_leaves_is_forgotten_and_met_again(container: Container) -> None:
    shutil.rmtree(container.cgroups / "pod/main")
    assert ident(MAIN) not in container.window(worker=100, lost=300).busy_s
    container.add_group("/pod/main")
    container.used_ticks = 0
    container.window(worker=100)
    (container.cgroups / "pod/main/cgroup.procs").write_text(f"{MAIN}\n")
    assert container.window(worker=100, lost=300).busy_s[ident(MAIN)] == pytest.approx(3.0, abs=0.05)


@given(st.lists(st.tuples(*[st.integers(0, 500)] * 4), min_size=1, max_size=6))
def test_nothing_is_invented(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int, int]]) -> None:
    container = Container(tmp_path_factory.mktemp("container"))
    container.window(worker=100)
    lost_s = credited_s = 0.0
    for worker, lost, outside, hidden in steps:
        usage = container.window(worker=worker, lost=lost, outside=outside, hidden=hidden)
        did_s = (worker + lost + outside + hidden) / 100
        whole_s = sum(usage.busy_s.values()) + usage.unknown_busy_s
        assert whole_s == pytest.approx(max(did_s, sum(usage.busy_s.values())))
        lost_s += lost / 100
        credited_s += usage.busy_s.get(ident(MAIN), 0.0)
        assert credited_s <= lost_s + 1e-9
