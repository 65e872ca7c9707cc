"""One run's own meter and ledger. Whoever reads the sensors, a thread of `aipower-run` or the agent, drives it.

The steps: made and read once -> `begin` when the command has begun -> `look` once a second -> `end` the moment it
has ended -> reads until nothing is `unsettled`, or patience is over -> `close`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence

from aipower.attribution.apportion import TOGETHER
from aipower.books.ledger import Ledger
from aipower.errors import SensorError
from aipower.meter import Channel, Meter
from aipower.model import Calibration, ProcessId
from aipower.processes.machine import RunCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.tree import RunTree
from aipower.record.conditions import ConditionLog
from aipower.record.measured import RUN, Measured, Trouble
from aipower.record.story import Story
from aipower.seams import Clock, ProcessDirectory, SensorSet, UsageSource

log = logging.getLogger(__name__)

DENSE_S = 0.005
"""Pause between reads while edges are looked for: a tenth of an update of the fastest counter would cost too much."""
BURST_S = 0.25
"""Long enough to see two updates of a 100 ms counter."""
SETTLE_S = 0.12
"""Longest wait after the end for one more update of a 100 ms counter."""
SETTLE_FROM_S = 0.1
"""Runs shorter than this do not wait: who measures `true` wants the prompt back."""
ATTRIBUTE_S = 1.0
"""Windows of attribution: utilisation is sampled six times a second, so shorter ones are mostly noise."""
KEEP_WINDOWS = 3600
"""Windows that are split at the end, when all is known that the run shows; an hour of them."""
LEAST_PAUSE_S = 0.02
"""Sensors are not read more often than this, however fast they are: each read wakes a driver."""
LEAST_STEP, JITTER = 0.75, 0.3
"""Of a pause between reads."""
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, without their whole parts, are spread more evenly than random numbers (Weyl's sequence)."""
MOST_PROCESSES = 4096


def uneven_s(pause_s: float, number: int) -> float:
    """The pause before read `number`, about `pause_s`.

    Reads in step with a counter may show each of its values one period late for a whole run.
    """
    return pause_s * (LEAST_STEP + JITTER * (number * GOLDEN % 1))


def hungriest(channels: Iterable[Channel]) -> tuple[Sequence[Channel], float]:
    """The channels whose energy hangs on each value of the sensor, and the pause between reads that misses none."""
    hungry = [channel for channel in channels if channel.up and math.isfinite(channel.energy.look_again_s)]
    pause_s = min((channel.energy.look_again_s for channel in hungry), default=math.inf)
    return hungry, max(LEAST_PAUSE_S, pause_s)


def patience_s(wall_s: float) -> float:
    """How long to wait for the last publications of a run of `wall_s`."""
    return SETTLE_S if wall_s >= SETTLE_FROM_S else 0.0


class RunMeter:
    """Meters one run. Not thread-safe."""

    def __init__(
        self,
        found: SensorSet,
        directory: ProcessDirectory,
        clock: Clock,
        max_gap_s: float,
        calibrations: Mapping[str, Calibration],
    ) -> None:
        self._unavailable = found.unavailable
        self._clock = clock
        self._tree: RunTree | None = None
        self._conditions = ConditionLog()
        self.story = Story(self._has)
        self._started_s = self._ended_s = 0.0
        self.ledger = Ledger(directory, MOST_PROCESSES)
        for run in (RUN, TOGETHER):
            self.ledger.register_run(run, "", "")
        self.meter = Meter(found, self.ledger, clock, max_gap_s, self._run_of, calibrations, KEEP_WINDOWS)
        self.meter.tell(self.story)

    def begin(self, tree: RunTree, started_s: float, procfs: ProcFs) -> None:
        """The command has begun at `started_s`; nothing before counts."""
        self._tree, self._started_s = tree, started_s
        self.story.start(started_s)
        try:
            cpu = RunCpuUsage(tree, procfs, self._clock)
        except SensorError:
            log.debug("no CPU times in /proc", exc_info=True)
        else:
            for channel in self.meter.channels:
                if channel.sensor.device.kind in {"cpu", "dram"}:
                    channel.source = cpu.socket(channel.sensor.device.index)
        for channel in self.meter.channels:
            channel.open(started_s)

    @property
    def sources(self) -> Sequence[UsageSource | None]:
        """Who tells the channels who worked."""
        return [channel.source for channel in self.meter.channels]

    def look_around(self) -> None:
        """Meet processes before they are gone: a GPU's samples name them by pid only."""
        try:
            if self._tree is not None:
                self._tree.refresh()
                self.story.meet(self._tree.rows().values())
        except OSError:
            log.debug("cannot read /proc", exc_info=True)

    def look(self) -> None:
        """Close a window of attribution."""
        self.look_around()
        self.meter.attribute()
        self._conditions.look(channel.sensor for channel in self.meter.channels)

    def end(self, ended_s: float) -> None:
        """The command has ended at `ended_s`; what is read from now on only tells what was before."""
        self._ended_s = ended_s
        self.story.end(ended_s)
        for channel in self.meter.channels:
            channel.end(ended_s)

    def unsettled(self) -> list[Channel]:
        """The channels whose energy up to the end is not known yet."""
        return [channel for channel in self.meter.channels if not channel.settled(self._ended_s)]

    def close(self) -> None:
        """Complete the accounts; nothing more will be known."""
        for channel in self.meter.channels:
            channel.close(self._ended_s)
        self.meter.attribute()
        self.story.close()
        self.meter.settle()

    def measured(self, started_s: float, ended_s: float, troubles: tuple[Trouble, ...], *, complete: bool) -> Measured:
        """The books as they are."""
        return Measured(
            self.meter,
            self.ledger,
            self._tree,
            started_s,
            ended_s,
            complete,
            troubles,
            self._conditions.summary(),
            self._unavailable,
            self.story,
        )

    def _run_of(self, process: ProcessId) -> str:
        return RUN if self._has(process) else ""

    def _has(self, process: ProcessId) -> bool:
        return self._tree is not None and process in self._tree
