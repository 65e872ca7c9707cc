"""The accounts of a run over a made /proc; real processes are in test_tree_real.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.model import ProcessId
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree, reaped_by_us_s
from processes.proctree import BOOT, ProcTree, StillClock

US, ROOT = 50, 60


class Reaped:
    """Stands for RUSAGE_CHILDREN."""

    def __init__(self) -> None:
        self.s = 3.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    proc = ProcTree(tmp_path)
    proc.put(1, 0)
    proc.put(US, 1)
    proc.put(ROOT, US, b"sh")
    return proc


@pytest.fixture
def reaped() -> Reaped:
    return Reaped()


@pytest.fixture
def run(proc: ProcTree, reaped: Reaped) -> RunTree:
    procfs = ProcFs(proc.root, ticks_per_s=100)
    return RunTree(procfs, ROOT, US, ProcessTable(procfs, StillClock(), str), reaped_s=reaped)


def cpu(run: RunTree) -> dict[int, float]:
    return {process.pid: s for process, s in run.cpu_s_by_process().items()}


def test_the_command_is_a_member_before_anyone_looked(run: RunTree) -> None:
    assert run.members() == {ProcessId(BOOT, ROOT, 100)}
    assert run.total_cpu_s() == 0.0


def test_everyone_is_credited_from_birth(run: RunTree, proc: ProcTree) -> None:
    proc.put(ROOT, US, own=7, reaped=100)
    proc.put(61, ROOT, own=20)
    run.refresh()
    assert cpu(run) == {ROOT: 1.07, 61: 0.2}
    assert run.total_cpu_s() == pytest.approx(1.27)


def test_what_we_had_reaped_before_the_run_is_not_the_runs(run: RunTree, reaped: Reaped) -> None:
    run.refresh()
    assert run.total_cpu_s() == 0.0
    reaped.s += 1.25
    run.refresh()
    assert cpu(run) == {ROOT: 1.25}


def test_the_roots_own_end_is_not_counted_twice(run: RunTree, proc: ProcTree, reaped: Reaped) -> None:
    proc.put(ROOT, US, own=90)
    run.refresh()
    proc.drop(ROOT)
    reaped.s += 0.956
    run.refresh()
    assert cpu(run) == {ROOT: 0.95}
    assert run.total_cpu_s() == 0.95


def test_an_orphan_that_ended_unseen_is_the_commands(run: RunTree, proc: ProcTree, reaped: Reaped) -> None:
    proc.put(61, US, own=10)
    run.refresh()
    proc.drop(61)
    reaped.s += 0.10 + 0.4
    run.refresh()
    assert cpu(run) == {61: 0.1, ROOT: 0.4}


def test_members_are_remembered_after_their_end(run: RunTree, proc: ProcTree) -> None:
    proc.commands[61] = "python train.py"
    proc.put(61, ROOT, b"python", own=5)
    run.refresh()
    member = next(process for process in run.living() if process.pid == 61)
    proc.drop(61)
    run.refresh()
    assert member in run.members()
    assert member not in run.living()
    assert run.describe(member).command == "python train.py"
    assert run.describe(member).comm == "python"


def test_a_command_line_is_read_again_after_exec(run: RunTree, proc: ProcTree) -> None:
    proc.commands[61] = "python launcher.py"
    proc.put(61, ROOT, b"python")
    run.refresh()
    proc.commands[61] = "python worker.py"
    proc.put(61, ROOT, b"python")
    run.refresh()
    proc.commands[61] = ""
    proc.put(61, ROOT, b"python", state="Z")
    run.refresh()
    member = next(process for process in run.living() if process.pid == 61)
    assert run.describe(member).command == "python worker.py"


def test_a_process_without_a_command_line_goes_by_its_name(run: RunTree, proc: ProcTree) -> None:
    proc.put(61, ROOT, b"python", state="Z")
    run.refresh()
    member = next(process for process in run.living() if process.pid == 61)
    assert run.describe(member).command == "python"


def test_a_stranger_is_described_by_nothing(run: RunTree) -> None:
    stranger = ProcessId(BOOT, 1, 1)
    assert run.describe(stranger).command == ""


def test_a_reused_pid_is_another_member(run: RunTree, proc: ProcTree, reaped: Reaped) -> None:
    proc.put(61, US, own=10, started=200)
    run.refresh()
    proc.put(61, US, own=4, started=300)
    reaped.s += 0.1
    run.refresh()
    assert {(p.pid, p.started_ticks): s for p, s in run.cpu_s_by_process().items()} == {
        (61, 200): 0.1,
        (61, 300): 0.04,
    }


def test_the_oldest_of_many_ended_are_folded_into_the_total(run: RunTree, proc: ProcTree, reaped: Reaped) -> None:
    proc.drop(ROOT)
    for start in range(10):
        for pid in range(1000, 1500):
            proc.put(pid, US, own=1, started=200 + start)
        run.refresh()
        reaped.s += 5.0
    assert len(run.members()) <= 4096 + 500 + 1
    assert run.root in run.members()
    assert run.total_cpu_s() == pytest.approx(50.0)
    assert sum(cpu(run).values()) <= 50.0


def test_a_root_that_is_gone_already_has_a_name_still(proc: ProcTree) -> None:
    procfs = ProcFs(proc.root)
    run = RunTree(procfs, 4711, US, ProcessTable(procfs, StillClock(), str))
    run.refresh()
    assert run.root == ProcessId(BOOT, 4711, 0)


def test_our_own_children_are_a_number_of_seconds() -> None:
    assert reaped_by_us_s() >= 0.0
