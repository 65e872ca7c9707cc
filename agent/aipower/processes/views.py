"""One scan of the processes, looked at by several sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aipower.model import ProcessId, Usage
from aipower.processes.sockets import Window, of_machine, of_sockets
from aipower.seams import UsageSource

MOST_WAITING = 10_000
"""Processes kept for a view that is not asked; beyond that the least busy ones become unknown work."""


class CpuUsage(UsageSource, Protocol):
    """A source for the whole machine that has one for each socket too."""

    def socket(self, index: str) -> UsageSource:
        """The source of the socket that a device's `index` names, the same at each call."""
        ...


class View:
    """What one socket (or the whole machine) has not been told yet."""

    def __init__(self, scan: Callable[[], None]) -> None:
        self._scan = scan
        self._waiting: Usage | None = None

    def tell(self, usage: Usage) -> None:
        """Keep `usage` until it is asked for; what waits already is joined with it."""
        self._waiting = usage if self._waiting is None else joined(self._waiting, usage)

    def collect(self) -> Usage:
        """The usage since the last call; scans only if no other view has done so meanwhile.

        Raises:
            SensorFailedError: /proc cannot be read; the next call covers this window too.
        """
        if self._waiting is None:
            self._scan()
        usage, self._waiting = self._waiting, None
        assert usage is not None  # noqa: S101 - a scan that does not raise tells all views
        return usage


class Views:
    """All views of one scan. Each gets every window since it was made exactly once."""

    def __init__(self, sockets: Sequence[int], scan: Callable[[], Window]) -> None:
        """Views over `scan`, which returns the window since it was last called."""
        self._sockets = sockets
        self._scan = scan
        self._views: dict[int | None, View] = {}

    def whole(self) -> View:
        """The view of all sockets together."""
        return self._view(None)

    def socket(self, index: str) -> View:
        """The view of the socket `index`; that of the whole machine where it is the only one or not known."""
        known = len(self._sockets) > 1 and index.isdecimal() and int(index) in self._sockets
        return self._view(int(index) if known else None)

    def _view(self, key: int | None) -> View:
        if key not in self._views:
            self._views[key] = View(self._scan_for_all)
        return self._views[key]

    def _scan_for_all(self) -> None:
        window = self._scan()
        by_socket = of_sockets(window) if any(key is not None for key in self._views) else {}
        for key, view in self._views.items():
            if key is None:
                view.tell(of_machine(window))
            else:
                view.tell(by_socket.get(key) or Usage(window.start.at_s, window.end.at_s, capacity_s=0.0))


def joined(first: Usage, then: Usage) -> Usage:
    """Two successive usages of processors as one."""
    busy_s = dict(first.busy_s)
    for process, seconds in then.busy_s.items():
        busy_s[process] = busy_s.get(process, 0.0) + seconds
    unknown_s = first.unknown_busy_s + then.unknown_busy_s
    for process in sorted(busy_s, key=busy_s.__getitem__)[: max(0, len(busy_s) - MOST_WAITING)]:
        unknown_s += busy_s.pop(process)
    return Usage(
        first.start_s,
        then.end_s,
        busy_s,
        unknown_s,
        capacity_s=(first.capacity_s or 0.0) + (then.capacity_s or 0.0),
        weight=_joined_weight(first, then, busy_s),
    )


def _joined_weight(first: Usage, then: Usage, busy_s: Mapping[ProcessId, float]) -> dict[ProcessId, float]:
    """The mean by time; a process without a weight counts as 1."""
    if not (first.weight or then.weight):
        return {}
    weighted = {
        process: sum(u.busy_s.get(process, 0.0) * u.weight.get(process, 1.0) for u in (first, then))
        for process in busy_s
    }
    return {process: work / busy_s[process] for process, work in weighted.items()}
