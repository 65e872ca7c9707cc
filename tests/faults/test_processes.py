"""Processes that come and go: a pid that is used again at once, thousands a minute, rows that vanish while read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aipower.model import ProcessId
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import SystemClock
from daemon.agents import LIMIT_S, Series, total
from fake_driver.presets import h100
from fake_driver.script import Process, Sampler, Segment
from faults.bench import ENERGY, FAULTS, PROCESS, UP, Rack, devices, energy_j, up, watched
from faults.players import ZONE, Player
from processes.proctree import BOOT, ProcTree, StillClock, stat_bytes
from sensors.powercap import INTEL_RANGE_UJ

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
RATE = 5000 / 60
"""Processes a second."""
MOST_GROWTH_BYTES = 12 << 20
"""What 1,200 processes may cost in memory: a record is a few hundred bytes, and the heap grows in large steps."""


def start_with_pid(pid: int, *command: str) -> subprocess.Popen[bytes] | None:
    """`command` as process `pid`; None where another process has taken it first."""
    LAST_PID.write_text(str(pid - 1))
    process = subprocess.Popen(command)
    if process.pid == pid:
        return process
    end(process)
    return None


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def successor(job: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """The end of `job`, and another process with its pid within a second."""
    end(job)
    for _ in range(20):
        if (heir := start_with_pid(job.pid, "tail", "-f", "/dev/null")) is not None:
            return heir
    raise AssertionError(f"the pid {job.pid} was not to be had")


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK), reason="only root may choose the pid of the next process")
def test_a_pid_that_is_used_again_within_a_second_is_another_process(tmp_path: Path) -> None:
    job = subprocess.Popen(["sleep", "1000"])
    gpu = h100(0, shapes=(Segment(0, 1e6, 280.0),), processes=(Process(job.pid, busy=80.0),), sampler=Sampler("each"))
    rack = Rack(tmp_path, gpu)
    try:
        with watched(rack) as witness:
            witness.until(lambda series: total(series, PROCESS, comm="sleep", component="active") > 200)
            began_s = time.monotonic()
            job = successor(job)
            assert time.monotonic() - began_s < 1
            first = witness.until(lambda series: total(series, PROCESS, comm="tail", component="active") > 0)
            series = witness.rest(4)
            pid = str(job.pid)
            assert total(series, PROCESS, comm="sleep", pid=pid) == total(first, PROCESS, comm="sleep", pid=pid)
            assert total(series, PROCESS, comm="tail", pid=pid, component="active") > 400
            assert total(series, PROCESS) <= energy_j(series, gpu)
            witness.ends_well()
    finally:
        end(job)


def test_a_pid_that_is_used_again_within_a_second_keeps_its_own_cpu_time(tmp_path: Path) -> None:
    tree, clock = ProcTree(tmp_path), StillClock()
    tree.put(1, ppid=0)
    tree.put(5, comm=b"old", own=1000, started=100)
    table = ProcessTable(procfs := ProcFs(tmp_path, 100), clock)
    usage = MachineCpuUsage(procfs, table, clock, cpus=tmp_path / "none", cgroups=tmp_path / "none")
    clock.sleep(1)
    tree.clocks(busy=50, uptime_s=1001.0)
    tree.put(5, comm=b"old", own=1050, started=100)
    assert usage.collect().busy_s == {ProcessId(BOOT, 5, 100): pytest.approx(0.5)}
    tree.drop(5)
    tree.put(5, comm=b"new", own=30, started=100_150)
    clock.sleep(1)
    tree.clocks(busy=80, uptime_s=1002.0)
    assert usage.collect().busy_s == {ProcessId(BOOT, 5, 100_150): pytest.approx(0.3)}
    assert table.describe(ProcessId(BOOT, 5, 100)).comm == "old"


@contextmanager
def forking(seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A forker that has not ended before the block does."""
    argv = [sys.executable, str(Path(__file__).with_name("forker.py")), str(RATE), str(seconds)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_five_thousand_processes_a_minute_cost_no_pace_no_energy_and_no_memory(tmp_path: Path) -> None:
    rack, lasts_s = Rack(tmp_path, gpu := h100(0)), 15.0
    with (
        Player(tmp_path / "powercap", INTEL_RANGE_UJ) as player,
        watched(rack, env=player.variables) as witness,
    ):
        witness.until(lambda series: up(gpu.uuid)(series) and ZONE in devices(series, UP))
        player.draw(100)
        before = witness.rest(3)
        began_s = time.monotonic()
        with forking(lasts_s) as forker:
            series = witness.rest(lasts_s)
            passed_s = time.monotonic() - began_s
            assert forker.stdout is not None
            pids = json.loads(forker.stdout.readline())["pids"]
        assert len(pids) >= 0.5 * RATE * lasts_s, "as many as this machine could start beside other tests"
        ticks = total(series, "aipower_agent_ticks_total") - total(before, "aipower_agent_ticks_total")
        assert ticks >= 0.5 * passed_s / 0.2
        assert total(series, FAULTS, reason="late") == 0
        assert memory(series) - memory(before) <= MOST_GROWTH_BYTES
        assert {dict(labels)["comm"] for name, labels in series if name == PROCESS} & {"python", "other"}
        player.draw(0)
        used_j = player.used_uj / 1e6
        witness.until(lambda series: total(series, ENERGY, device=ZONE) == pytest.approx(used_j, abs=0.01))
        witness.ends_well()


def memory(series: Series) -> float:
    return total(series, "aipower_agent_resident_memory_bytes")


def test_the_cpu_time_of_short_lives_is_nobody_elses_and_not_lost() -> None:
    clock = SystemClock()
    table = ProcessTable(procfs := ProcFs(), clock)
    usage = MachineCpuUsage(procfs, table, clock)
    found: dict[int, float] = defaultdict(float)
    lines: list[str] = []
    with forking(4.0) as forker:
        ended = threading.Thread(target=lambda: lines.append(forker.stdout.readline() if forker.stdout else ""))
        ended.start()
        until_s = time.monotonic() + LIMIT_S
        while ended.is_alive():
            assert time.monotonic() < until_s
            ended.join(0.7)
            add(found, usage)
        add(found, usage)
    told = json.loads(lines[0])
    assert len(told["pids"]) > 100
    assert sum(found[pid] for pid in told["pids"]) == pytest.approx(told["cpu_s"], abs=0.1 + 0.1 * told["cpu_s"])


def add(found: dict[int, float], usage: MachineCpuUsage) -> None:
    """Take in the seconds of the next window, by pid."""
    for process, seconds in usage.collect().busy_s.items():
        found[process.pid] += seconds


def test_a_row_of_a_process_that_ends_between_open_and_read(tmp_path: Path) -> None:
    """The file of a dead process that is still open: the kernel answers the read with ESRCH."""
    tree, clock = ProcTree(tmp_path), StillClock()
    child = subprocess.Popen(["sleep", "1000"])
    opened = os.open(f"/proc/{child.pid}/stat", os.O_RDONLY)
    end(child)
    with pytest.raises(ProcessLookupError):
        os.read(opened, 100)
    tree.put(5, own=10)
    (tmp_path / "6").mkdir()
    (tmp_path / "6" / "stat").symlink_to(f"/proc/self/fd/{opened}")
    (tmp_path / "7").mkdir()
    table = ProcessTable(procfs := ProcFs(tmp_path, 100), clock)
    usage = MachineCpuUsage(procfs, table, clock, cpus=tmp_path / "none", cgroups=tmp_path / "none")
    clock.sleep(1)
    tree.clocks(busy=100, uptime_s=1001.0)
    tree.put(5, own=60)
    window = usage.collect()
    assert window.busy_s == {ProcessId(BOOT, 5, 100): pytest.approx(0.5)}
    assert window.unknown_busy_s == pytest.approx(0.5), "what nobody can be named for is nobody's"
    assert table.resolve(6) is None
    os.close(opened)


def test_rows_that_vanish_and_appear_while_they_are_read(tmp_path: Path) -> None:
    """One process works on; the time of the others is never counted twice, whatever the scans have met of them."""
    tree, clock = ProcTree(tmp_path), StillClock()
    tree.put(1, ppid=0)
    tree.put(5, own=0)
    table = ProcessTable(procfs := ProcFs(tmp_path, 100), clock)
    usage = MachineCpuUsage(procfs, table, clock, cpus=tmp_path / "none", cgroups=tmp_path / "none")
    stop, churned = threading.Event(), Counter[str]()
    churner = threading.Thread(target=churn, args=(tree, stop, churned))
    churner.start()
    found: dict[int, float] = defaultdict(float)
    try:
        for scan in range(1, 301):
            clock.sleep(1)
            tree.clocks(busy=100 * scan, uptime_s=1000.0 + scan)
            replace_row(tree, 5, own=10 * scan, started=100)
            add(found, usage)
    finally:
        stop.set()
        churner.join()
    assert found.pop(5) == pytest.approx(0.1 * 300)
    assert churned["born"] > 300
    assert 0 < sum(found.values()) <= 0.07 * churned["born"]


def churn(tree: ProcTree, stop: threading.Event, churned: Counter[str]) -> None:
    """Processes with 0.07 s of work each come and leave as fast as they can."""
    while not stop.is_set():
        churned["born"] += 1
        pid = 100 + churned["born"] % 20
        if (tree.root / str(pid)).exists():
            tree.drop(pid)
        replace_row(tree, pid, own=7, started=200_000 + churned["born"])


def replace_row(tree: ProcTree, pid: int, own: int, started: int) -> None:
    """A row that is never half there."""
    folder = tree.root / str(pid)
    folder.mkdir(exist_ok=True)
    fresh = folder / "stat.new"
    fresh.write_bytes(stat_bytes(pid, own=own, started=started))
    fresh.replace(folder / "stat")
