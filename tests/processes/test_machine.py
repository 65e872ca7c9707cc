"""Usage of the CPUs by the machine's processes and by those of one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.errors import SensorFailedError
from aipower.model import ProcessId
from aipower.processes.machine import MachineCpuUsage, RunCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree
from aipower.seams import SystemClock, UsageSource
from processes.proctree import BOOT, ProcTree, StillClock


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    proc = ProcTree(tmp_path)
    proc.put(1, 0, own=1000)
    proc.put(50, 1, own=300)
    proc.put(60, 50, own=40)
    return proc


@pytest.fixture
def procfs(proc: ProcTree) -> ProcFs:
    return ProcFs(proc.root, ticks_per_s=100)


@pytest.fixture
def table(procfs: ProcFs, clock: StillClock) -> ProcessTable:
    return ProcessTable(procfs, clock, str)


class TestMachine:
    def test_it_credits_processes_and_leaves_the_rest_unknown(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        source: UsageSource = MachineCpuUsage(procfs, table, clock)
        clock.sleep(10.0)
        proc.put(60, 50, own=240)
        proc.clocks(busy=500, uptime_s=1010.0)
        usage = source.collect()
        assert (usage.start_s, usage.end_s) == (1000.0, 1010.0)
        assert usage.busy_s == {ProcessId(BOOT, 60, 100): 2.0}
        assert usage.unknown_busy_s == pytest.approx(3.0)
        assert usage.capacity_s == 20.0
        assert (usage.sampled, usage.samples, usage.holders, usage.unknown_holders) == (
            True,
            0,
            frozenset(),
            0,
        )

    def test_windows_follow_each_other(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        source = MachineCpuUsage(procfs, table, clock)
        ends = []
        for own in (50, 60):
            clock.sleep(1.0)
            proc.put(60, 50, own=own)
            usage = source.collect()
            assert usage.busy_s == {ProcessId(BOOT, 60, 100): 0.1}
            ends.append((usage.start_s, usage.end_s))
        assert ends == [(1000.0, 1001.0), (1001.0, 1002.0)]

    def test_processes_may_be_counted_finer_than_the_machine(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        source = MachineCpuUsage(procfs, table, clock)
        clock.sleep(1.0)
        proc.put(60, 50, own=340)
        proc.clocks(busy=10)
        usage = source.collect()
        assert usage.unknown_busy_s == 0.0
        assert usage.capacity_s == 3.0

    def test_it_teaches_the_table_who_lives_and_who_left(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        source = MachineCpuUsage(procfs, table, clock)
        assert {process.pid for process in table.known()} == {1, 50, 60}
        proc.drop(60)
        source.collect()
        assert table.resolve(60) == ProcessId(BOOT, 60, 100)
        clock.sleep(13.0)
        assert table.resolve(60) is None

    def test_a_failed_window_is_part_of_the_next(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        source = MachineCpuUsage(procfs, table, clock)
        proc.put(60, 50, own=140)
        proc.write("stat", "garbage")
        clock.sleep(1.0)
        with pytest.raises(SensorFailedError, match="cannot read") as caught:
            source.collect()
        assert caught.value.reason == "read_failed"
        proc.clocks(busy=100)
        clock.sleep(1.0)
        usage = source.collect()
        assert (usage.start_s, usage.end_s) == (1000.0, 1002.0)
        assert usage.busy_s == {ProcessId(BOOT, 60, 100): 1.0}

    def test_without_a_proc_there_is_no_source(self, tmp_path: Path, clock: StillClock) -> None:
        procfs = ProcFs(tmp_path / "none")
        with pytest.raises(SensorFailedError):
            MachineCpuUsage(procfs, ProcessTable(procfs, clock), clock)


class TestRun:
    def make(self, procfs: ProcFs, table: ProcessTable, clock: StillClock) -> tuple[RunTree, RunCpuUsage]:
        tree = RunTree(procfs, 60, 50, table, reaped_s=lambda: 0.0)
        return tree, RunCpuUsage(tree, procfs, clock)

    def test_only_members_are_known(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        _, usage_source = self.make(procfs, table, clock)
        source: UsageSource = usage_source
        clock.sleep(2.0)
        proc.put(1, 0, own=1100)
        proc.put(60, 50, own=140)
        proc.clocks(busy=250)
        usage = source.collect()
        assert usage.busy_s == {ProcessId(BOOT, 60, 100): 1.4}
        assert usage.unknown_busy_s == pytest.approx(1.1)
        assert usage.capacity_s == 4.0

    def test_refreshes_in_between_lose_and_double_nothing(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        tree, source = self.make(procfs, table, clock)
        total_s = 0.0
        for own in range(50, 150, 10):
            clock.sleep(1.0)
            proc.put(60, 50, own=own)
            tree.refresh()
            proc.put(60, 50, own=own + 5)
            total_s += sum(source.collect().busy_s.values())
        assert total_s == pytest.approx(1.45)

    def test_a_quiet_run_has_no_entry(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        _, source = self.make(procfs, table, clock)
        proc.clocks(busy=0)
        source.collect()
        clock.sleep(1.0)
        assert source.collect().busy_s == {}

    def test_the_trees_own_time_may_be_more_than_the_machines(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        _, source = self.make(procfs, table, clock)
        clock.sleep(0.1)
        proc.put(60, 50, own=140)
        usage = source.collect()
        assert usage.unknown_busy_s == 0.0
        assert usage.capacity_s == pytest.approx(1.4)

    def test_a_failed_window_is_part_of_the_next(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        _, source = self.make(procfs, table, clock)
        proc.write("stat", "")
        with pytest.raises(SensorFailedError):
            source.collect()
        proc.clocks()
        clock.sleep(1.0)
        assert source.collect().busy_s == {ProcessId(BOOT, 60, 100): 0.4}

    def test_without_cpu_times_there_is_no_source(
        self, proc: ProcTree, procfs: ProcFs, table: ProcessTable, clock: StillClock
    ) -> None:
        proc.write("stat", "")
        with pytest.raises(SensorFailedError):
            self.make(procfs, table, clock)


BURN = """
import time
while time.process_time() < 0.4:
    pass
print(time.process_time(), flush=True)
input()
"""


def test_a_real_burner_is_credited_with_its_own_count() -> None:
    procfs, clock = ProcFs(), SystemClock()
    table = ProcessTable(procfs, clock)
    source = MachineCpuUsage(procfs, table, clock)
    with subprocess.Popen([sys.executable, "-S", "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        own_s = float(child.stdout.readline())
        usage = source.collect()
        process = table.resolve(child.pid)
        child.communicate(b"\n")
    assert process
    assert usage.busy_s[process] == pytest.approx(own_s, abs=0.06)
    assert usage.capacity_s
    assert sum(usage.busy_s.values()) + usage.unknown_busy_s <= usage.capacity_s + 1e-9
    assert usage.end_s > usage.start_s
    assert table.resolve(os.getpid()) in set(table.known())
