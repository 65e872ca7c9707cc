"""Who used the CPUs: of the whole machine for the agent, of one run for `aipower-run`.

Either is a source for all sockets together, and has one for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from aipower.errors import SensorFailedError
from aipower.model import ProcessId, Usage
from aipower.processes.cgroups import CGROUPS, find_hierarchy
from aipower.processes.cputime import CpuAccounts
from aipower.processes.kept import KeptRows
from aipower.processes.orphans import OrphanTime, Scan
from aipower.processes.placement import Placement
from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.sockets import Moment, Window
from aipower.processes.table import ProcessTable
from aipower.processes.tiers import TieredScan
from aipower.processes.topology import CPUS, LiveTopology
from aipower.processes.tree import RunTree
from aipower.processes.views import View, Views
from aipower.seams import Clock


class _Work(Struct, frozen=True):
    """What processes did in a window that ends with `rows`."""

    busy_s: Mapping[ProcessId, float]
    known_s: float
    rows: Mapping[int, StatRow]


class _Windows:
    """Cuts time into windows: what was done, on which CPUs, beside what the machine as a whole has done."""

    def __init__(self, procfs: ProcFs, clock: Clock, cpus: Path) -> None:
        """The first window begins now; raises what `ProcFs.cpu_totals` does."""
        self._procfs = procfs
        self._clock = clock
        self._start = self.now()
        self._topology = LiveTopology(cpus)
        self.sockets = self._topology.of(self._start.totals.busy_by_cpu_s).sockets
        self._placement = Placement(procfs, threads=len(self.sockets) > 1)

    def now(self) -> Moment:
        """The machine as it is."""
        return Moment(self._clock.monotonic_s(), self._procfs.cpu_totals())

    def unknown_s(self, end: Moment, known_s: float) -> float:
        """What the machine did beyond `known_s` since the last window."""
        return max(0.0, end.totals.busy_s - self._start.totals.busy_s - known_s)

    def begin(self, rows: Mapping[int, StatRow]) -> None:
        """Remember where processes are when the first window begins."""
        self._placement.note(rows)

    def cut(self, end: Moment, work: _Work) -> Window:
        """The window from the last one's end to `end`."""
        start, self._start = self._start, end
        places = self._placement.places(work.busy_s, work.rows, end.at_s - start.at_s)
        self._placement.note(work.rows)
        topology = self._topology.of(end.totals.busy_by_cpu_s)
        return Window(start, end, work.busy_s, work.known_s, places, topology)


def _failed(error: Exception) -> SensorFailedError:
    return SensorFailedError("read_failed", f"cannot read the CPU times of processes: {error}")


class MachineCpuUsage:
    """CPU seconds of every process of the machine, counted by the kernel."""

    def __init__(
        self, procfs: ProcFs, table: ProcessTable, clock: Clock, *, cpus: Path = CPUS, cgroups: Path = CGROUPS
    ) -> None:
        """A source whose first window begins now.

        Raises:
            SensorFailedError: /proc cannot be read.
        """
        self._procfs = procfs
        self._table = table
        self._accounts = CpuAccounts(table.boot, procfs.ticks_per_s)
        self._tiers = TieredScan(KeptRows(procfs))
        self._orphans = OrphanTime(find_hierarchy(cgroups), procfs, table.boot)
        try:
            self._windows = _Windows(procfs, clock, cpus)
            self._windows.begin(self._scan().rows)
        except (OSError, ValueError) as error:
            raise _failed(error) from error
        self._views = Views(self._windows.sockets, self._window)

    def collect(self) -> Usage:
        """CPU seconds of each process since the last call.

        Raises:
            SensorFailedError: /proc cannot be read; the next call covers this window too.
        """
        return self._views.whole().collect()

    def socket(self, index: str) -> View:
        """The source of one socket; `index` is its number in RAPL's names and in `Device.index`."""
        return self._views.socket(index)

    def _window(self) -> Window:
        try:
            end = self._windows.now()
            scan = self._scan()
            known_s = sum(scan.spent_s.values())
            extra_s = self._orphans.credit(scan, self._windows.unknown_s(end, known_s), end.at_s)
            busy_s = dict(scan.spent_s)
            for process, seconds in extra_s.items():
                busy_s[process] = busy_s.get(process, 0.0) + seconds
            return self._windows.cut(end, _Work(busy_s, known_s + sum(extra_s.values()), scan.rows))
        except (OSError, ValueError) as error:
            raise _failed(error) from error

    def _scan(self) -> Scan:
        self._orphans.before()
        began_ticks = self._procfs.uptime_ticks()
        inodes = self._procfs.listing()
        rows = self._tiers.rows(self._accounts.oldest_first(inodes), inodes)
        self._table.observe(rows, inodes)
        spent = self._accounts.advance(rows, began_ticks)
        return Scan({row.pid: row for row in rows}, spent.own_s, self._tiers.rested)


class RunCpuUsage:
    """CPU seconds of the processes of one run; all others are unknown to it."""

    def __init__(self, tree: RunTree, procfs: ProcFs, clock: Clock, *, cpus: Path = CPUS) -> None:
        """A source whose first window begins now.

        Raises:
            SensorFailedError: /proc cannot be read.
        """
        self._tree = tree
        self._cpu_s: Mapping[ProcessId, float] = tree.cpu_s_by_process()
        self._total_s = tree.total_cpu_s()
        try:
            self._windows = _Windows(procfs, clock, cpus)
        except (OSError, ValueError) as error:
            raise _failed(error) from error
        self._windows.begin(tree.rows())
        self._views = Views(self._windows.sockets, self._window)

    def collect(self) -> Usage:
        """CPU seconds of each member of the run since the last call, whoever refreshed the tree in between.

        Raises:
            SensorFailedError: /proc cannot be read; the next call covers this window too.
        """
        return self._views.whole().collect()

    def socket(self, index: str) -> View:
        """The source of one socket; `index` is its number in RAPL's names and in `Device.index`."""
        return self._views.socket(index)

    def _window(self) -> Window:
        try:
            end = self._windows.now()
            self._tree.refresh()
            cpu_s, total_s = self._tree.cpu_s_by_process(), self._tree.total_cpu_s()
            busy_s = {p: s - self._cpu_s.get(p, 0.0) for p, s in cpu_s.items() if s > self._cpu_s.get(p, 0.0)}
            window = self._windows.cut(end, _Work(busy_s, total_s - self._total_s, self._tree.rows()))
        except (OSError, ValueError) as error:
            raise _failed(error) from error
        self._cpu_s, self._total_s = cpu_s, total_s
        return window
