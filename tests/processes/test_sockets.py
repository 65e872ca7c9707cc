"""Usage by socket: what sums to what, who gets which window, and what sharing a core weighs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import SensorFailedError
from aipower.model import ProcessId, Usage
from aipower.processes.machine import MachineCpuUsage, RunCpuUsage
from aipower.processes.placement import Stint
from aipower.processes.procfs import CpuTotals, ProcFs
from aipower.processes.sockets import Moment, Window, of_machine, of_sockets
from aipower.processes.table import ProcessTable
from aipower.processes.topology import Cpu, Topology
from aipower.processes.tree import RunTree
from aipower.processes.views import CpuUsage, joined
from processes.proctree import BOOT, ProcTree, StillClock
from processes.systree import put_cpus, two_sockets


def ident(pid: int) -> ProcessId:
    return ProcessId(BOOT, pid, 100)


class Rig:
    """A machine of eight CPUs on two sockets with processes 50 and 60."""

    def __init__(self, folder: Path) -> None:
        self.clock = StillClock()
        self.proc = ProcTree(folder / "proc", busy_by_cpu=dict.fromkeys(range(8), 0))
        self.proc.put(1, 0)
        self.proc.put(50, 1, processor=0)
        self.proc.put(60, 50, processor=2)
        self.cpus = two_sockets(folder / "cpu")
        self.procfs = ProcFs(self.proc.root, ticks_per_s=100)
        self.table = ProcessTable(self.procfs, self.clock, str)

    def machine(self) -> MachineCpuUsage:
        none = self.cpus / "no-cgroups"
        return MachineCpuUsage(self.procfs, self.table, self.clock, cpus=self.cpus, cgroups=none)

    def works(self, by_cpu: Mapping[int, int], own: Mapping[int, tuple[int, int]], span_s: float = 10.0) -> None:
        """Lets time pass: busy ticks of the CPUs, and of processes, each with the CPU where it ran last."""
        self.clock.sleep(span_s)
        self.proc.clocks(by_cpu={cpu: by_cpu.get(cpu, 0) for cpu in range(8)})
        for pid, (ticks, processor) in own.items():
            self.proc.put(pid, 1 if pid == 50 else 50, own=ticks, processor=processor)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_each_socket_has_its_processes_its_rest_and_its_capacity(rig: Rig) -> None:
    machine: CpuUsage = rig.machine()
    first, second = machine.socket("0"), machine.socket("1")
    rig.works({0: 700, 2: 500, 3: 100}, {50: (600, 0), 60: (400, 2)})
    usages = first.collect(), second.collect()
    assert [(usage.start_s, usage.end_s, usage.capacity_s) for usage in usages] == [(1000.0, 1010.0, 40.0)] * 2
    assert usages[0].busy_s == {ident(50): pytest.approx(6.0)}
    assert usages[1].busy_s == {ident(60): pytest.approx(4.0)}
    assert [usage.unknown_busy_s for usage in usages] == [pytest.approx(1.0), pytest.approx(2.0)]


def test_a_process_that_moved_is_halved_and_then_made_to_agree(rig: Rig) -> None:
    machine = rig.machine()
    first, second = machine.socket("0"), machine.socket("1")
    rig.works({0: 500, 2: 500}, {50: (1000, 2)})
    assert first.collect().busy_s[ident(50)] == pytest.approx(5.0)
    second.collect()
    rig.works({0: 1300, 2: 700}, {50: (2000, 2)})
    assert first.collect().busy_s[ident(50)] == pytest.approx(8.0, abs=0.01)
    assert second.collect().busy_s[ident(50)] == pytest.approx(2.0, abs=0.01)


def test_threads_of_one_process_on_both_sockets(rig: Rig) -> None:
    machine = rig.machine()
    first, second = machine.socket("0"), machine.socket("1")
    rig.works({0: 900, 1: 900, 2: 600}, {})
    rig.proc.put(60, 50, own=2400, threads=3, processor=0)
    for tid, ticks, cpu in ((60, 900, 0), (61, 900, 1), (62, 600, 2)):
        rig.proc.put_thread(60, tid, ticks, cpu)
    assert first.collect().busy_s[ident(60)] == pytest.approx(18.0)
    assert second.collect().busy_s[ident(60)] == pytest.approx(6.0)


def test_views_of_one_socket_are_one_source_and_foreign_sockets_see_the_whole(rig: Rig, tmp_path: Path) -> None:
    machine = rig.machine()
    assert machine.socket("1") is machine.socket("1") is not machine.socket("0")
    assert machine.socket("7") is machine.socket("")
    put_cpus(tmp_path / "one", {0: (3, 0), 1: (3, 1)})
    lone = MachineCpuUsage(rig.procfs, rig.table, rig.clock, cpus=tmp_path / "one", cgroups=tmp_path)
    assert lone.socket("0") is lone.socket("3")


def test_every_view_gets_every_window_once(rig: Rig) -> None:
    machine = rig.machine()
    first, second = machine.socket("0"), machine.socket("1")
    seen: dict[str, list[Usage]] = {"first": [], "second": []}
    for n in range(1, 5):
        rig.works({0: 100 * n, 2: 200 * n}, {50: (100 * n, 0), 60: (200 * n, 2)}, 1.0)
        seen["first"].append(first.collect())
        if n % 2 == 0:
            seen["second"].append(second.collect())
    assert [usage.busy_s for usage in seen["first"]] == [{ident(50): pytest.approx(1.0)}] * 4
    assert [usage.busy_s for usage in seen["second"]] == [{ident(60): pytest.approx(4.0)}] * 2
    assert [(u.start_s, u.end_s, u.capacity_s) for u in seen["second"]] == [(1000, 1002, 8.0), (1002, 1004, 8.0)]


def test_a_failed_window_is_part_of_the_next_of_all_views(rig: Rig) -> None:
    machine = rig.machine()
    first, second = machine.socket("0"), machine.socket("1")
    rig.works({}, {})
    rig.proc.write("stat", "garbage")
    for view in (first, second):
        with pytest.raises(SensorFailedError, match="cannot read"):
            view.collect()
    rig.works({0: 300, 2: 300}, {50: (300, 0), 60: (300, 2)})
    assert {first.collect().start_s, second.collect().start_s} == {1000.0}


def test_work_beside_a_busy_sibling_weighs_less(rig: Rig) -> None:
    machine = rig.machine()
    rig.works({0: 1000, 4: 1000, 2: 1000}, {50: (1000, 0), 60: (1000, 2)})
    rig.proc.put(70, 50, own=1000, processor=4, started=100000)
    rig.proc.clocks(uptime_s=1010.0)
    weight = machine.collect().weight
    assert weight[ident(50)] == pytest.approx(0.6)
    assert weight[ident(60)] == 1.0


def test_a_run_has_sockets_too(rig: Rig) -> None:
    tree = RunTree(rig.procfs, 60, 50, rig.table, reaped_s=lambda: 0.0)
    tree.refresh()
    run = RunCpuUsage(tree, rig.procfs, rig.clock, cpus=rig.cpus)
    first, second = run.socket("0"), run.socket("1")
    rig.works({0: 700, 2: 500}, {50: (700, 0), 60: (300, 2)})
    usages = first.collect(), second.collect()
    assert usages[0].busy_s == {}
    assert usages[0].unknown_busy_s == pytest.approx(7.0)
    assert usages[1].busy_s == {ident(60): pytest.approx(3.0)}
    assert usages[1].unknown_busy_s == pytest.approx(2.0)


def test_joined_windows_keep_sums_and_mean_weights() -> None:
    one = Usage(0, 1, {ident(1): 1.0}, 0.5, capacity_s=2.0, weight={ident(1): 0.6})
    two = Usage(1, 3, {ident(1): 3.0, ident(2): 1.0}, capacity_s=4.0)
    both = joined(one, two)
    assert (both.start_s, both.end_s, both.unknown_busy_s, both.capacity_s) == (0, 3, 0.5, 6.0)
    assert both.busy_s == {ident(1): 4.0, ident(2): 1.0}
    assert both.weight == {ident(1): pytest.approx(0.9), ident(2): 1.0}


TICKS = st.integers(0, 1000)
CPUS = {n: Cpu(n, n % 3, n % 6, (n % 6, n % 6 + 6)) for n in range(12)}


@st.composite
def windows(draw: st.DrawFn) -> Window:
    by_cpu_s = {cpu: draw(TICKS) / 100 for cpu in range(12)}
    busy_s = {ident(pid): draw(st.integers(1, 1000)) / 100 for pid in range(draw(st.integers(0, 5)))}
    places: dict[ProcessId, list[Stint]] = {}
    for process, seconds in busy_s.items():
        cpus = draw(st.lists(st.integers(0, 11), max_size=3))
        places[process] = [Stint(cpu, seconds / len(cpus), cpu) for cpu in cpus]
    total_s = max(0.0, sum(by_cpu_s.values()) + draw(st.integers(-12, 12)) / 100)
    start = Moment(0.0, CpuTotals(0.0, 0.0, 12, dict.fromkeys(range(12), 0.0)))
    end = Moment(10.0, CpuTotals(total_s, 120.0, 12, by_cpu_s))
    return Window(start, end, busy_s, sum(busy_s.values()), places, Topology(CPUS))


@given(windows())
def test_nothing_is_lost_or_invented(window: Window) -> None:
    whole, sockets = of_machine(window), of_sockets(window)
    for process, seconds in window.busy_s.items():
        assert sum(usage.busy_s.get(process, 0.0) for usage in sockets.values()) == pytest.approx(seconds)
    unknown_s = sum(usage.unknown_busy_s for usage in sockets.values())
    assert unknown_s == pytest.approx(whole.unknown_busy_s, abs=1e-9)
    by_cpu_s = window.by_cpu_s()
    counted_s = sum(by_cpu_s.values())
    stretch = max(1.0, window.known_s / window.total_s) if window.total_s else 0.0
    for socket, usage in sockets.items():
        did_s = sum(usage.busy_s.values()) + usage.unknown_busy_s
        assert usage.capacity_s is not None
        assert did_s <= usage.capacity_s + 1e-9
        if counted_s and stretch:
            share = sum(busy_s for cpu, busy_s in by_cpu_s.items() if cpu % 3 == socket) / counted_s
            slack = 2e-3 * max(window.total_s, window.known_s)
            assert did_s == pytest.approx(share * window.total_s * stretch, abs=slack)
        assert set(usage.weight) == set(usage.busy_s)
        assert all(0.5 < weight <= 1 for weight in usage.weight.values())
