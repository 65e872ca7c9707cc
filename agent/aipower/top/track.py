"""One device over the last seconds: its watts, and those of each process, from differences of counters."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from msgspec import Struct, field

from aipower.model import DeviceState
from aipower.top.look import Key

WINDOW_S = 3.0
"""Watts are means over at least this long, where there has been that much."""
SLACK_S = 0.1
"""Ticks come a little early or late: 2.95 s are as good as 3."""
STALE_S = 12.0
"""A device whose counters have not moved for this long, and three of its windows, draws nobody knows what."""


class Point(Struct, frozen=True):
    """The counters of one device when one of its windows had just ended, in microjoules."""

    at_s: float
    state: DeviceState
    parts_uj: Mapping[Key, int] = field(default_factory=dict)
    """Of each process."""
    other_uj: int = 0
    """Work of those without an account."""


class Track:
    """The points of one device, as far back as the window reaches."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._points: deque[Point] = deque()
        self._seen: Point | None = None
        self._now_s = 0.0
        self.first: Point | None = None
        """The first point since the last `restart`."""

    def add(self, point: Point, now_s: float, *, exact: bool) -> None:
        """Take in the counters as they are now; where they have not moved no window has ended since.

        The first point of a source that is not `exact` is of an unknown time, so it only shows when they move.
        """
        self._now_s = now_s
        before, self._seen = self._seen, point
        if before is None:
            if exact:
                self._append(point)
        elif point.state.energy_uj != before.state.energy_uj:
            self._append(point)

    def forget(self) -> None:
        """A gap: no difference reaches over it."""
        self._points.clear()
        self._seen = None

    def restart(self) -> None:
        """Means begin anew."""
        self.first = self._points[-1] if self._points else None

    @property
    def latest(self) -> Point | None:
        """The newest point."""
        return self._points[-1] if self._points else None

    def ends(self) -> tuple[Point, Point] | None:
        """Start and end of the span whose mean is the power now; None where that is not known."""
        if len(self._points) < 2:  # noqa: PLR2004 - a difference needs two
            return None
        last = self._points[-1]
        start = self._points[0]
        for point in self._points:
            if last.at_s - point.at_s < self._window_s - SLACK_S:
                break
            start = point
        if self._now_s - last.at_s > max(STALE_S, 3 * (last.at_s - self._points[-2].at_s)):
            return None
        return (start, last) if start is not last else (self._points[-2], last)

    def mean_w(self) -> float | None:
        """Mean power since the last `restart`, in watts."""
        last = self.latest
        if last is None or self.first is None or last.at_s <= self.first.at_s:
            return None
        return (last.state.energy_uj - self.first.state.energy_uj) / 1e6 / (last.at_s - self.first.at_s)

    def _append(self, point: Point) -> None:
        if self._points and point.at_s <= self._points[-1].at_s:
            self._points.pop()  # two at one time: the later one knows more, and nothing is divided by 0
        self._points.append(point)
        self.first = self.first or point
        while len(self._points) > 2 and point.at_s - self._points[1].at_s >= self._window_s - SLACK_S:  # noqa: PLR2004
            self._points.popleft()
