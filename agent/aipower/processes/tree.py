"""The processes of one run and the CPU time that they used, whoever of them is still alive."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from aipower.model import ProcessId
from aipower.processes.cputime import CpuAccounts
from aipower.processes.kin import Descendants
from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.table import ProcessTable

NOBODY = -1
"""No process has this pid."""
_REMEMBER_ENDED = 4096
"""Ended processes that keep a line of their own; what older ones used stays in the total."""


def reaped_by_us_s() -> float:
    """CPU seconds of all children that this process has waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Member(Struct, frozen=True):
    """A process of the run."""

    id: ProcessId
    comm: str
    command: str
    """The first 200 characters of its command line, for the report to its own user; never for a metric."""


class RunTree:
    """Follows a run whose orphans fall to the subreaper `reaper_pid`. To be used by one thread at a time.

    Make it right after the spawn, before anything of the run can have been reaped.
    """

    def __init__(
        self,
        procfs: ProcFs,
        root_pid: int,
        reaper_pid: int,
        table: ProcessTable,
        *,
        reaped_s: Callable[[], float] = reaped_by_us_s,
        ignore: frozenset[int] = frozenset(),
        admits: Callable[[int], bool] = lambda _: True,
        joined: bool = False,
        before: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """A tree of all below `reaper_pid`, without its children `ignore` and those older than the root.

        `admits` says whether a pid may be one of its processes: those of other users, perhaps, may not.
        `reaped_s` gives the CPU seconds of what `reaper_pid` has waited for; it too must leave out `ignore`.
        With `joined` it is a tree of `root_pid` and of all below it, whoever reaps them: what they have used before
        the first `refresh` is not counted.
        `before` is a listing of /proc from before the command was spawned, which saves a look at all who are in it.
        """
        self._procfs = procfs
        self._table = table
        self._admits = admits
        self._disowned: set[ProcessId] = set()
        self.joined = joined
        self._reaped_s = reaped_s
        self._reaped_before_s = reaped_s()
        self._accounts = CpuAccounts(table.boot, procfs.ticks_per_s, credit_first=not joined)
        self._reaper = ProcessId(table.boot, reaper_pid, 0)
        self._living: dict[ProcessId, Member] = {}
        self._ended: dict[ProcessId, Member] = {}
        self._young: frozenset[ProcessId] = frozenset()
        self._ticks: dict[ProcessId, int] = {}
        self._total_ticks = 0
        self._rows: Mapping[int, StatRow] = {}
        row = procfs.stat(root_pid)
        started_ticks = row.started_ticks if row else 0
        self._kin = (
            Descendants(procfs, NOBODY, ignore, started_ticks, root_pid)
            if joined
            else Descendants(procfs, reaper_pid, ignore, started_ticks, before=before)
        )
        self.root = ProcessId(table.boot, root_pid, started_ticks)
        """The command itself. What ended unseen and was reaped by us is credited to it."""

    def refresh(self) -> None:
        """Looks who is there, and credits what they used since the last call.

        Raises:
            OSError: /proc cannot be read; nothing has changed, the next call may work.
        """
        # What we reaped is read before all others: parents first, see CpuAccounts.
        reaper = [] if self.joined else [self._reaper_row()]
        rows = self._own(self._kin.scan())
        spent = self._accounts.advance([*reaper, *rows])
        for process, ticks in spent.own_ticks.items():
            owner = self.root if process == self._reaper else process
            self._ticks[owner] = self._ticks.get(owner, 0) + ticks
            self._total_ticks += ticks
        self._rows = {row.pid: row for row in rows}
        self._meet(rows)

    def __contains__(self, process: ProcessId) -> bool:
        """True for every process of the run that `refresh` has met."""
        if process in self._disowned:
            return False
        return process == self.root or process in self._living or process in self._ended

    def members(self) -> frozenset[ProcessId]:
        """All processes of the run, those that have ended too (the last few thousand of them)."""
        return frozenset((self.root, *self._living, *self._ended))

    def living(self) -> frozenset[ProcessId]:
        """The processes that the last `refresh` saw; a zombie that no one has waited for is one of them."""
        return frozenset(self._living)

    def rows(self) -> Mapping[int, StatRow]:
        """What the last `refresh` read of each living process, by pid."""
        return self._rows

    def describe(self, process: ProcessId) -> Member:
        """Name and command of a member; both empty for a process that is none."""
        return self._living.get(process) or self._ended.get(process) or Member(process, "", "")

    def cpu_s_by_process(self) -> Mapping[ProcessId, float]:
        """CPU seconds credited to each member since the start, with those of children that ended unseen."""
        return {process: ticks / self._procfs.ticks_per_s for process, ticks in self._ticks.items()}

    def total_cpu_s(self) -> float:
        """CPU seconds of the whole run; never falls."""
        return self._total_ticks / self._procfs.ticks_per_s

    def _own(self, rows: list[StatRow]) -> list[StatRow]:
        """Those that are admitted; who was, and has become another user's, is none any more."""
        strangers = {row.pid for row in rows if not self._admits(row.pid)}
        if strangers:
            self._disowned |= {
                ProcessId(self._table.boot, row.pid, row.started_ticks) for row in rows if row.pid in strangers
            }
        return [row for row in rows if row.pid not in strangers]

    def _reaper_row(self) -> StatRow:
        """Ourselves as a parent that did nothing but wait."""
        reaped = int((self._reaped_s() - self._reaped_before_s) * self._procfs.ticks_per_s)
        return StatRow(self._reaper.pid, 0, "", "S", 0, 0, max(0, reaped), 0, 1, 0, 0)

    def _meet(self, rows: list[StatRow]) -> None:
        before = self._living
        self._living = {}
        for row in rows:
            process = self._table.learn(row)
            self._living[process] = self._member(process, row, before.get(process))
        self._young = frozenset(process for process in self._living if process not in before)
        self._ended.update((process, m) for process, m in before.items() if process not in self._living)
        self._forget()

    def _member(self, process: ProcessId, row: StatRow, known: Member | None) -> Member:
        # A newborn shows its parent's command line until it execs: it is read once more at the second meeting.
        if known and known.comm == row.comm and process not in self._young:
            return known
        command = self._procfs.cmdline(row.pid) or (known.command if known else "")
        return Member(process, row.comm, command or row.comm)

    def _forget(self) -> None:
        while len(self._ended) > _REMEMBER_ENDED:
            oldest = next(iter(self._ended))
            if oldest == self.root:
                self._ended[oldest] = self._ended.pop(oldest)
                continue
            del self._ended[oldest]
            self._ticks.pop(oldest, None)
