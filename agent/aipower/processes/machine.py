"""Who used the CPUs: of the whole machine for the agent, of one run for `aipower-run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aipower.errors import SensorFailedError
from aipower.model import ProcessId, Usage
from aipower.processes.cputime import CpuAccounts, CpuSpent
from aipower.processes.procfs import CpuTotals, ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tiers import TieredScan
from aipower.processes.tree import RunTree
from aipower.seams import Clock


@dataclass(frozen=True, slots=True)
class _Window:
    """One moment of the machine."""

    at_s: float
    totals: CpuTotals


def _now(procfs: ProcFs, clock: Clock) -> _Window:
    return _Window(clock.monotonic_s(), procfs.cpu_totals())


def _usage(start: _Window, end: _Window, busy_s: Mapping[ProcessId, float], busy_total_s: float) -> Usage:
    """Usage of the CPUs. What /proc/stat has seen beyond `busy_total_s` is the work of unknown processes.

    Many kernels sample /proc/stat by the tick but count the processes exactly, so the latter may be more.
    """
    unknown_s = max(0.0, end.totals.busy_s - start.totals.busy_s - busy_total_s)
    capacity_s = max(end.totals.cpus * (end.at_s - start.at_s), busy_total_s + unknown_s)
    return Usage(
        start_s=start.at_s,
        end_s=end.at_s,
        busy_s=busy_s,
        unknown_busy_s=unknown_s,
        capacity_s=capacity_s,
    )


def _failed(error: Exception) -> SensorFailedError:
    return SensorFailedError("read_failed", f"cannot read the CPU times of processes: {error}")


class MachineCpuUsage:
    """CPU seconds of every process of the machine, counted by the kernel."""

    def __init__(self, procfs: ProcFs, table: ProcessTable, clock: Clock) -> None:
        """A source whose first window begins now.

        Raises:
            SensorFailedError: /proc cannot be read.
        """
        self._procfs = procfs
        self._table = table
        self._clock = clock
        self._accounts = CpuAccounts(table.boot, procfs.ticks_per_s)
        self._tiers = TieredScan(procfs)
        try:
            self._start = _now(procfs, clock)
            self._scan()
        except (OSError, ValueError) as error:
            raise _failed(error) from error

    def collect(self) -> Usage:
        """CPU seconds of each process since the last call.

        Raises:
            SensorFailedError: /proc cannot be read; the next call covers this window too.
        """
        try:
            end = _now(self._procfs, self._clock)
            spent = self._scan()
        except (OSError, ValueError) as error:
            raise _failed(error) from error
        start, self._start = self._start, end
        return _usage(start, end, spent.own_s, spent.total_s)

    def _scan(self) -> CpuSpent:
        began_ticks = self._procfs.uptime_ticks()
        inodes = self._procfs.listing()
        rows = self._tiers.rows(self._accounts.oldest_first(inodes), inodes)
        self._table.observe(rows)
        return self._accounts.advance(rows, began_ticks)


class RunCpuUsage:
    """CPU seconds of the processes of one run; all others are unknown to it."""

    def __init__(self, tree: RunTree, procfs: ProcFs, clock: Clock) -> None:
        """A source whose first window begins now.

        Raises:
            SensorFailedError: /proc cannot be read.
        """
        self._tree = tree
        self._procfs = procfs
        self._clock = clock
        self._cpu_s: Mapping[ProcessId, float] = tree.cpu_s_by_process()
        self._total_s = tree.total_cpu_s()
        try:
            self._start = _now(procfs, clock)
        except (OSError, ValueError) as error:
            raise _failed(error) from error

    def collect(self) -> Usage:
        """CPU seconds of each member of the run since the last call, whoever refreshed the tree in between.

        Raises:
            SensorFailedError: /proc cannot be read; the next call covers this window too.
        """
        try:
            end = _now(self._procfs, self._clock)
            self._tree.refresh()
        except (OSError, ValueError) as error:
            raise _failed(error) from error
        cpu_s, total_s = self._tree.cpu_s_by_process(), self._tree.total_cpu_s()
        busy_s = {p: s - self._cpu_s.get(p, 0.0) for p, s in cpu_s.items() if s > self._cpu_s.get(p, 0.0)}
        usage = _usage(self._start, end, busy_s, total_s - self._total_s)
        self._start, self._cpu_s, self._total_s = end, cpu_s, total_s
        return usage
