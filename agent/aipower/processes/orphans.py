"""CPU time of processes that came and went between two scans, and that no parent waited for.

Their control group has counted it. What a group used beyond what its processes were credited goes to the group's
oldest process: the container's or the unit's main one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from aipower.model import ProcessId
from aipower.processes.cgroups import Hierarchy
from aipower.processes.procfs import ProcFs, StatRow

MOST_GROUPS = 256
"""Groups that are read at each scan."""
REREAD_S = 30.0
"""How long a process is believed to stay in its group, and a group to have no groups in it."""
SLACK_S = 0.05
"""Differences below this are the moments of reading."""
ROUNDED_TICKS = 2
"""A process's user and system times are rounded down each."""
MOST_READS = 64
"""Resting processes of one group that are read to see what they will be credited soon."""
FORGIVEN_S = 1.0
"""A group that owes more than this has not run ahead of us: its time was credited to another group's reaper."""


class Scan(Struct, frozen=True):
    """What a scan has brought to light."""

    rows: Mapping[int, StatRow]
    spent_s: Mapping[ProcessId, float]
    rested: Collection[int] = ()
    """Processes that were not read this time."""


class _Group(Struct):
    """What is known of one group."""

    used_s: float
    balance_s: float = 0.0
    """What it used beyond what was credited, since it was met."""
    leaf: bool = True
    checked_s: float = 0.0


class _Member(Struct, frozen=True):
    """The group of a process."""

    path: str | None
    read_s: float


class OrphanTime(Struct):
    """Follows the groups of all processes that work. Without a `hierarchy` it does nothing."""

    hierarchy: Hierarchy | None
    procfs: ProcFs
    boot: str
    _members: dict[ProcessId, _Member] = field(default_factory=dict)
    _groups: dict[str, _Group] = field(default_factory=dict)
    _paths: dict[str, str | None] = field(default_factory=dict)
    """The group that each text names: thousands of processes share a few texts, and what one means never changes."""

    def before(self) -> None:
        """Read the groups that are known. To be called just before the processes are read.

        In this order a busy process is credited a little more than its group has used, never less.
        """
        for path, group in list(self._groups.items()):
            used_s = self.hierarchy.used_s(path) if self.hierarchy else None
            if used_s is None:
                del self._groups[path]
                continue
            group.balance_s += max(0.0, used_s - group.used_s)
            group.used_s = used_s

    def credit(self, scan: Scan, unknown_s: float, now_s: float) -> dict[ProcessId, float]:
        """CPU seconds for the main process of each group, no more than `unknown_s` in all."""
        try:
            return self._credit(self.hierarchy, scan, unknown_s, now_s) if self.hierarchy else {}
        except OSError:  # no descriptor is left: the work stays unknown, the scan itself is not lost
            return {}

    def _credit(self, hierarchy: Hierarchy, scan: Scan, unknown_s: float, now_s: float) -> dict[ProcessId, float]:
        for process, seconds in scan.spent_s.items():
            self._settle(hierarchy, process, seconds, scan, now_s)
        self._forget(now_s)
        owed: dict[ProcessId, tuple[str, float]] = {}
        for path, group in self._groups.items():
            group.balance_s = max(-FORGIVEN_S, group.balance_s)
            if unknown_s > 0 and group.leaf and group.balance_s > SLACK_S:
                owed.update(self._owed(hierarchy, path, group.balance_s, scan))
        return self._pay(owed, unknown_s)

    def _settle(self, hierarchy: Hierarchy, process: ProcessId, seconds: float, scan: Scan, now_s: float) -> None:
        """Note that `process` was credited, and meet its group."""
        path = self._path(hierarchy, process, scan, now_s)
        if path is None:
            return
        group = self._groups.get(path)
        if group is not None:
            group.balance_s -= seconds
        elif len(self._groups) < MOST_GROUPS and (used_s := hierarchy.used_s(path)) is not None:
            group = self._groups[path] = _Group(used_s, checked_s=-REREAD_S)
        if group is not None and now_s - group.checked_s >= REREAD_S:
            group.leaf, group.checked_s = hierarchy.leaf(path), now_s

    def _path(self, hierarchy: Hierarchy, process: ProcessId, scan: Scan, now_s: float) -> str | None:
        """The group of `process`: as it was read last, or its parent's if it has left."""
        member = self._members.get(process)
        if member is not None and now_s - member.read_s < REREAD_S:
            return member.path
        text = self.procfs.cgroups(process.pid)
        if not text and member is None and (row := scan.rows.get(process.pid)):
            text = self.procfs.cgroups(row.ppid) if row.ppid else ""
        path = self._named(hierarchy, text) if text or member is None else member.path
        self._members[process] = _Member(path, now_s)
        return path

    def _named(self, hierarchy: Hierarchy, text: str) -> str | None:
        if text not in self._paths:
            if len(self._paths) >= MOST_GROUPS:
                self._paths.clear()
            self._paths[text] = hierarchy.path_of(text)
        return self._paths[text]

    def _owed(
        self, hierarchy: Hierarchy, path: str, balance_s: float, scan: Scan
    ) -> dict[ProcessId, tuple[str, float]]:
        """What the main process of the group may be credited: beyond what its processes will still be."""
        rows = [row for pid in hierarchy.pids(path) if (row := scan.rows.get(pid)) is not None]
        resting = [row for row in rows if row.pid in scan.rested]
        if not rows or len(resting) > MOST_READS:
            return {}
        ticks = ROUNDED_TICKS * len(rows)
        for row in resting:
            late = self.procfs.stat(row.pid)
            if late is not None and late.started_ticks == row.started_ticks:
                ticks += max(0, late.own_ticks - row.own_ticks) + max(0, late.reaped_ticks - row.reaped_ticks)
        seconds = balance_s - ticks / self.procfs.ticks_per_s
        main = min(rows, key=lambda row: (row.started_ticks, row.pid))
        return {ProcessId(self.boot, main.pid, main.started_ticks): (path, seconds)} if seconds > SLACK_S else {}

    def _pay(self, owed: Mapping[ProcessId, tuple[str, float]], unknown_s: float) -> dict[ProcessId, float]:
        whole_s = sum(seconds for _, seconds in owed.values())
        share = min(1.0, unknown_s / whole_s) if whole_s > 0 else 0.0
        for path, seconds in owed.values():
            # What no unknown work is left for stays unknown for good: it must not be found in a later window.
            self._groups[path].balance_s -= seconds
        return {process: seconds * share for process, (_, seconds) in owed.items()}

    def _forget(self, now_s: float) -> None:
        """Drop who has not worked for long: its group is read again when it works again."""
        old = [process for process, member in self._members.items() if now_s - member.read_s >= 2 * REREAD_S]
        for process in old:
            del self._members[process]
        if old:
            used = {member.path for member in self._members.values()}
            for path in [path for path in self._groups if path not in used]:
                del self._groups[path]
