"""When processes started, by the wall clock."""

from __future__ import annotations

from aipower.processes.procfs import ProcFs
from aipower.seams import Clock

SLACK_S = 0.05
"""/proc/uptime and start times are known to a tick or two (10 ms each) only."""
_FRESH_S = 2.0
"""How long the difference of the clocks is believed."""
_STEP_S = 0.005
"""The wall clock was set, or the machine slept, if it moved by more than this against the monotonic clock."""


class StartTimes:
    """Turns clock ticks since boot into Unix time without reading /proc/uptime for each."""

    def __init__(self, procfs: ProcFs, clock: Clock) -> None:
        self._procfs = procfs
        self._clock = clock
        self._read_s = -_FRESH_S
        self._wall_s = 0.0
        self._boot_unix_s = 0.0
        self._up_s = 0.0

    def booted_unix_s(self) -> float:
        """The time of tick 0; whoever adds ticks to it and comes out in the past is right, for others ask `unix_s`."""
        self._settle()
        return self._boot_unix_s

    def unix_s(self, started_ticks: int) -> float | None:
        """The time of `started_ticks`; None where that is in the future: then the uptime is not the machine's.

        A container's own uptime (lxcfs) is no clock for start times.
        """
        now_s = self._settle()
        since_boot_s = started_ticks / self._procfs.ticks_per_s
        if since_boot_s > self._up_s + (now_s - self._read_s) + SLACK_S:
            return None
        return self._boot_unix_s + since_boot_s

    def _settle(self) -> float:
        """Compare the clocks anew if that is due. The time."""
        now_s = self._clock.monotonic_s()
        wall_s = self._clock.unix_s() - now_s
        if now_s - self._read_s >= _FRESH_S or abs(wall_s - self._wall_s) > _STEP_S:
            self._read_s, self._wall_s = now_s, wall_s
            self._up_s = self._procfs.uptime_ticks() / self._procfs.ticks_per_s
            self._boot_unix_s = self._clock.unix_s() - self._up_s
        return now_s
