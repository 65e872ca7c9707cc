"""Who worked on a GPU, every sample once.

The driver keeps the samples of the last ten seconds. One reply has a row per process with that process's own latest
stamp and its share of all samples since the stamp that was asked for (science of A5).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from aipower.seams import Clock
from aipower.sensors.nvml.codes import NEVER, NOT_FOUND, CallError
from aipower.sensors.nvml.direct import Sample
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.utilization import Question

SAMPLES_PER_S = 6
"""The driver looks at the engines about six times a second (science of A5)."""
RING_S = 10.0
"""How far its samples reach back (ctrl2080gpumon.h of the open kernel modules)."""
RING_US = round(RING_S * 1e6)
PERIOD_US = 1_000_000 // SAMPLES_PER_S
FUTURE_US = 2_000_000
"""A stamp further ahead of the clock is garbage and must not move the cursor."""
LAG_US = 2_000_000
"""Samples may show up this late. While nobody works the cursor follows the clock at this distance: a cursor left
behind would dilute the next work into the idle time before it, and whole percents would round short work away."""
STEP_S = 0.5
"""More than clocks are slewed between two windows: the clock was set, or the machine slept."""
TRAILS = 4
"""Answers from which it is learned how late samples show up: they may be up to a second late, and rarer than six in a
second (the newest of eight rows was 0.7 s old in go-nvml#51)."""
FULL = 100
"""Percent. More occurs with zombies, as do rows of zeros (nvtop#110)."""
HIDDEN = 0.5
"""Percent that a mean cut to whole percents hides on average; a single sample is whole already and hides nothing."""


class Work(Struct, frozen=True):
    """What one process did: seconds of the engines' time, and the wall time of its latest sample."""

    pid: int
    at_unix_s: float
    busy_s: float


class UtilizationSampler:
    """Reads the samples of one GPU that are newer than its last answer, at first newer than itself."""

    def __init__(self, driver: Driver, handle: Any, clock: Clock) -> None:  # noqa: ANN401 - an NVML handle
        self._question = Question(driver, handle)
        self._clock = clock
        self._offset_s = clock.unix_s() - clock.monotonic_s()
        self._seen_us = self._told_us = self._now_us()
        self._trails_us = deque([0], maxlen=TRAILS)
        self.supported = True
        """False while the GPU cannot say who works (MIG, vGPU, old drivers)."""
        self.covered_s = 0.0
        """Seconds that the latest answer is a share of, 0 if it named nobody."""

    def new_work(self) -> list[Work]:
        """The news; empty while nobody works.

        Raises:
            CallError: The driver failed this time.
        """
        self._follow_the_clock()
        now_us = self._now_us()
        seen_us, future_us = self._seen_us, now_us + FUTURE_US
        # A row is believed if it is possible and new.
        rows = [row for row in self._rows() if 0 < row[2] <= FULL and seen_us < row[1] <= future_us]
        latest_us = None
        work: list[Work] = []
        self.covered_s = 0.0
        if rows:
            latest_us = max([stamp_us for _, stamp_us, _ in rows])
            total = sum([percent for _, _, percent in rows])
            covered_us = self._covered_us(latest_us, now_us, total)
            more = _hidden_percent(covered_us, total, len(rows))
            covered_s = self.covered_s = covered_us / 1e6
            work = [Work(pid, stamp_us / 1e6, covered_s * (percent + more) / FULL) for pid, stamp_us, percent in rows]
        self._told_us = now_us
        self._seen_us = max(latest_us or self._seen_us, now_us - LAG_US)
        return work

    def skip(self) -> None:
        """Leave out all samples until now."""
        self._follow_the_clock()
        self._seen_us = self._told_us = self._now_us()

    def _rows(self) -> Sequence[Sample]:
        try:
            rows = self._question.ask(self._seen_us)
        except CallError as error:
            if error.code != NOT_FOUND and error.code not in NEVER:
                raise
            self.supported = error.code == NOT_FOUND
            return ()
        self.supported = True
        return rows

    def _covered_us(self, latest_us: int, now_us: int, percent: int) -> int:
        """The time of the samples that a row is a share of: up to the last one, which may name nobody."""
        named_us = latest_us - self._seen_us
        covered_us = named_us + self._nameless_us(max(now_us - latest_us, 0))
        # All work was done before the latest stamp: however many samples follow it, it is no more than that time.
        covered_us = min(covered_us, max(named_us, named_us * FULL // percent))
        # What the ring has forgotten is taken to be like the rest, except for what an earlier answer told already.
        forgotten_us = max(0, now_us - RING_US - self._told_us)
        return min(covered_us, RING_US + forgotten_us)

    def _nameless_us(self, trail_us: int) -> int:
        """The time of whole samples that name nobody, after the latest that names somebody `trail_us` ago.

        By as much as the latest stamp always trails the clock, samples are late.
        """
        self._trails_us.append(trail_us)
        return (trail_us - min(self._trails_us)) // PERIOD_US * PERIOD_US

    def _follow_the_clock(self) -> None:
        """Move the cursor with the wall clock where that was set: the driver stamps by it."""
        offset_s = self._clock.unix_s() - self._clock.monotonic_s()
        step_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if abs(step_s) > STEP_S:
            self._seen_us = max(self._seen_us + round(step_s * 1e6), 0)
            self._told_us = max(self._told_us + round(step_s * 1e6), 0)

    def _now_us(self) -> int:
        return round(self._clock.unix_s() * 1e6)


def _hidden_percent(covered_us: int, percent: int, rows: int) -> float:
    """What each of `rows` may be taken to have more than it shows; all rows together are no more than full."""
    hidden = HIDDEN * max(0.0, 1 - PERIOD_US / covered_us)
    return min(hidden, max(0, FULL - percent) / rows)
