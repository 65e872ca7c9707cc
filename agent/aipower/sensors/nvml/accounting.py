"""Work of processes that lived and died between two looks, from the driver's own accounts where those are kept.

Accounting is off unless someone has run `nvidia-smi -am 1`. The driver keeps the accounts of its last 128 dead.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aipower.seams import Clock
from aipower.sensors.nvml.codes import GONE, NEVER, CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.sampler import FULL, RING_S, Work

log = logging.getLogger(__name__)

MODE, PIDS = "nvmlDeviceGetAccountingMode", "nvmlDeviceGetAccountingPids"
STATS, EXACT_STATS = "nvmlDeviceGetAccountingStats", "nvmlDeviceGetAccountingStats_v2"
LOOK_AGAIN_S = 60.0
"""Pause between looks at whether accounting has been switched on."""
REMEMBER_S = RING_S + 2.0
"""How long the samples of a dead process may still turn up."""
LATE_S = 2.0
"""The driver may list a process this much after its start."""
LONGEST_S = 3600.0
"""What is new has not begun longer ago."""
MOST_NEW = 128
"""As many dead as the driver keeps: no more can be new."""


class _Tally(Struct, frozen=True):
    """Seconds of work of one pid, positive where the samples gave more than was told, and when that was noted."""

    sampled_s: float
    accounted_s: float
    noted_s: float


class Accounting:
    """The accounts of one GPU."""

    def __init__(self, driver: Driver, handle: Any, clock: Clock) -> None:  # noqa: ANN401 - an NVML handle
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._exact = True
        self._known: set[int] | None = None
        self._tallies: dict[int, _Tally] = {}
        self._looked_s = self._settled_s = clock.monotonic_s()
        self.on = self._is_on()
        """True while the driver keeps accounts."""

    def settle(self, work: Sequence[Work], running: Collection[int]) -> Sequence[Work]:
        """`work` of the samples, and what the accounts know beyond it of processes that lived since the last call.

        `running` are the pids that hold a context now. What samples and accounts both tell of a pid counts once.

        Raises:
            CallError: The GPU or the driver has left.
        """
        if not self._watched():
            return work
        now_s = self._clock.monotonic_s()
        most_s, self._settled_s = now_s - self._settled_s + LATE_S, now_s
        self._tallies = {pid: tally for pid, tally in self._tallies.items() if now_s - tally.noted_s < REMEMBER_S}
        settled = [self._unless_told(part, now_s) for part in work]
        settled.extend(self._beyond_samples(part, now_s) for part in self._unseen(running, most_s))
        return [part for part in settled if part.busy_s > 0]

    def skip(self) -> None:
        """Leave out all that ends until the next call."""
        self._known = None

    def _watched(self) -> bool:
        """True while the driver keeps accounts; asked again from time to time."""
        now_s = self._clock.monotonic_s()
        if not self.on and now_s - self._looked_s >= LOOK_AGAIN_S:
            self._looked_s = now_s
            self.on = self._is_on()
        return self.on

    def _is_on(self) -> bool:
        return self._driver.number(MODE, self._handle) == 1

    def _unseen(self, running: Collection[int], most_s: float) -> Iterator[Work]:
        """The work of those that are new in the accounts and have ended; none has done more than `most_s`."""
        for pid in self._news()[:MOST_NEW]:
            if pid in running:
                continue
            stats = self._stats(pid)
            if stats is not None and not stats.isRunning:
                yield Work(pid, self._began_unix_s(stats), min(self._busy_s(stats), most_s))

    def _news(self) -> list[int]:
        """The pids that were not in the accounts at the last look; none at the first one."""
        try:
            pids = {int(pid) for pid in self._driver.rows(PIDS, self._handle)}
        except CallError as error:
            if error.code in GONE:
                raise
            self.on = error.code not in NEVER
            self._known = None
            return []
        known, self._known = self._known, pids
        return sorted(pids - known) if known is not None else []

    def _stats(self, pid: int) -> Any | None:  # noqa: ANN401 - a ctypes structure
        """The account of `pid`; None where it has left the buffer, or cannot be read."""
        for function in (EXACT_STATS, STATS) if self._exact else (STATS,):
            try:
                return self._driver.call(function, self._handle, pid)
            except CallError as error:
                if error.code in GONE:
                    raise
                if function == EXACT_STATS and error.code in NEVER:
                    self._exact = False
                    continue
                log.debug("%s", error)
                return None
        return None

    def _busy_s(self, stats: Any) -> float:  # noqa: ANN401 - a ctypes structure
        """Its share of the samples of its life times that life; 0 where the driver does not say."""
        if self._exact:
            percent = stats.sumGpuUtil / 100 / stats.sampleCount if stats.sampleCount else 0.0
        else:
            percent = stats.gpuUtilization
        return percent / FULL * stats.time / 1000 if 0 <= percent <= FULL else 0.0

    def _began_unix_s(self, stats: Any) -> float:  # noqa: ANN401 - a ctypes structure
        """When it began; now where the driver says what cannot be."""
        now_unix_s, began_unix_s = self._clock.unix_s(), stats.startTime / 1e6
        return float(began_unix_s) if 0 <= now_unix_s - began_unix_s < LONGEST_S else now_unix_s

    def _unless_told(self, part: Work, now_s: float) -> Work:
        """What samples tell of a pid beyond what its account has told before."""
        tally = self._tallies.get(part.pid, _Tally(0.0, 0.0, now_s))
        sampled_s = tally.sampled_s + part.busy_s
        self._tallies[part.pid] = replace(tally, sampled_s=sampled_s, noted_s=now_s)
        counted_s = max(tally.sampled_s, tally.accounted_s)
        return replace(part, busy_s=max(0.0, sampled_s - counted_s))

    def _beyond_samples(self, part: Work, now_s: float) -> Work:
        """What the account tells of a pid beyond its samples."""
        tally = self._tallies.get(part.pid, _Tally(0.0, 0.0, now_s))
        self._tallies[part.pid] = replace(tally, accounted_s=part.busy_s, noted_s=now_s)
        return replace(part, busy_s=max(0.0, part.busy_s - tally.sampled_s))
