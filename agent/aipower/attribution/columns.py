"""Which programs have a column of their own in the regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from aipower.attribution.work import OTHERS
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

    def count(self, usage: Usage) -> None:
        """Take note of who works in a window."""
        if max(len(self._windows), len(self._latest)) > MOST_KNOWN:
            self._windows = dict.fromkeys(usage.busy_s, SEASONED)
            self._latest = {process: self._latest[process] for process in usage.busy_s if process in self._latest}
        windows = self._windows
        for process in usage.busy_s:
            windows[process] = windows.get(process, 0) + 1

    def of(self, usage: Usage) -> Mapping[ProcessId, str]:
        """The columns of all who work in a window or may have."""
        known, busy_s = self._names, usage.busy_s
        names = {process: known.get(process) or self._name(process) for process in busy_s}
        names.update({who: self._name(who) for who in usage.holders if who not in names})
        namesakes = Counter(names.values())
        few = {name for name, count in namesakes.items() if 1 < count <= NAMESAKES}
        found: dict[ProcessId, str] = {}
        for process, name in names.items():
            alone = name in few and self._windows.get(process, 0) >= SEASONED
            program = f"{name}\0{process.pid}:{process.started_ticks}" if alone else name
            found[process] = self._admitted(program, busy_s.get(process, 0.0))
        self._latest.update(found)
        return found

    def latest(self, process: ProcessId) -> str:
        """The column that a process had last, or would have by its name."""
        return self._latest.get(process) or self._name_of(process)

    def rank(self, windows: int) -> None:
        """After so many windows: let those who work most have the columns from now on."""
        keep = MEMORY**windows
        self._names.clear()
        ordered = self._ordered()[: 4 * MOST]
        self._seconds = {column: seconds * keep for column, seconds in ordered}
        if len(ordered) >= MOST:
            self._own = {column for column, _ in ordered[:MOST]}

    def restart(self, usages: Iterable[Usage]) -> None:
        """Give out the columns anew, by what is known of all of `usages` together."""
        self._own, self._seconds, self._latest = set(), {}, {}
        for usage in usages:
            self.of(usage)
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

    def _admitted(self, column: str, seconds: float) -> str:
        if seconds > 0:
            self._seconds[column] = self._seconds.get(column, 0.0) + seconds
        if column not in self._own and len(self._own) < MOST:
            self._own.add(column)
        return column if column in self._own else OTHERS
