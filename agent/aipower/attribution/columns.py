"""Which programs have a column of their own in the regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from aipower.attribution.work import OTHERS, Roll, order
from aipower.model import ProcessId, Usage

MOST = 12
"""Programs with a column of their own: the cost of a solution grows with the third power, and few use most of the
energy."""
SEASONED = 8
"""Windows of work after which a process is known well enough by itself; before, it counts as like its namesakes."""
NAMESAKES = 3
"""Of up to so many processes of one name at once each may be a program of its own (`python` says little); more are
the workers of one job."""
MEMORY = 0.98
"""Share of its seconds that a column keeps from one window to the next where they are ranked."""
MOST_KNOWN = 1024
"""Processes of which it is remembered how long they have worked: each takes some 300 bytes, for each device."""

NameOf = Callable[[ProcessId], str]
"""The name of a process's executable."""


class Columns:
    """Gives the programs that work most a column each, and the others one together."""

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self._own: set[str] = set()
        self._seconds: dict[str, float] = {}
        self._windows: dict[ProcessId, int] = {}
        self._latest: dict[ProcessId, str] = {}
        self._names: dict[ProcessId, str] = {}
        self._roll: Roll | None = None
        """The latest, which holds while the same are there; None where it may not any more."""

    def count(self, usage: Usage) -> None:
        """Take note of who works in a window."""
        if max(len(self._windows), len(self._latest)) > MOST_KNOWN:
            self._windows = dict.fromkeys(usage.busy_s, SEASONED)
            self._latest = {process: self._latest[process] for process in usage.busy_s if process in self._latest}
            self._roll = None
        windows = self._windows
        for process in usage.busy_s:
            windows[process] = count = windows.get(process, 0) + 1
            if count == SEASONED:
                self._roll = None

    def of(self, usage: Usage) -> Roll:
        """The columns of all who work in a window or may have."""
        roll = self._roll
        if roll is None or not roll.is_of(usage):
            roll = self._roll = self._called(usage)
        programs, seconds = roll.programs, self._seconds
        for process, busy_s in usage.busy_s.items():
            if busy_s > 0:
                program = programs[process]
                seconds[program] = seconds.get(program, 0.0) + busy_s
        return roll

    def _called(self, usage: Usage) -> Roll:
        programs = self._programs(usage)
        columns = {process: self._admitted(program) for process, program in programs.items()}
        self._latest.update(columns)
        holders = tuple(sorted(usage.holders, key=order))
        present: dict[str, list[ProcessId]] = {}
        for holder in holders:
            present.setdefault(columns[holder], []).append(holder)
        by_column = {column: tuple(members) for column, members in present.items()}
        return Roll(usage.holders, holders, programs, columns, by_column)

    def _programs(self, usage: Usage) -> dict[ProcessId, str]:
        """What each runs: its name, and where few have the same, itself."""
        names = {process: self._name(process) for process in (*usage.busy_s, *usage.holders)}
        namesakes = Counter(names.values())
        few = {name for name, count in namesakes.items() if 1 < count <= NAMESAKES}
        windows = self._windows
        return {
            process: f"{name}\0{process.pid}:{process.started_ticks}"
            if name in few and windows.get(process, 0) >= SEASONED
            else name
            for process, name in names.items()
        }

    def latest(self, process: ProcessId) -> str:
        """The column that a process had last, or would have by its name."""
        return self._latest.get(process) or self._name_of(process)

    def rank(self, windows: int) -> None:
        """After so many windows: let those who work most have the columns from now on."""
        keep = MEMORY**windows
        self._names.clear()
        self._roll = None
        ordered = self._ordered()[: 4 * MOST]
        self._seconds = {column: seconds * keep for column, seconds in ordered}
        if len(ordered) >= MOST:
            self._own = {column for column, _ in ordered[:MOST]}

    def restart(self, usages: Iterable[Usage]) -> None:
        """Give out the columns anew, by what is known of all of `usages` together."""
        self._own, self._seconds, self._latest, self._roll = set(), {}, {}, None
        for usage in usages:
            self.of(usage)
        self._roll = None
        self._own = {column for column, _ in self._ordered()[:MOST]}

    def _ordered(self) -> list[tuple[str, float]]:
        """The columns with their seconds, those that work most first."""
        return sorted(self._seconds.items(), key=lambda item: item[1], reverse=True)

    def _name(self, process: ProcessId) -> str:
        """Its name, which a process changes seldom: it is asked for anew when the columns are ranked."""
        name = self._names.get(process)
        if name is None:
            name = self._names[process] = self._name_of(process)
        return name

    def _admitted(self, program: str) -> str:
        if program not in self._own and len(self._own) < MOST:
            self._own.add(program)
        return program if program in self._own else OTHERS
