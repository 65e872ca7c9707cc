"""One run that the agent measures for somebody."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from msgspec import Struct

from aipower.model import ProcessId
from aipower.processes.procfs import ProcFs
from aipower.processes.tree import RunTree
from aipower.record.measured import Measured
from aipower.record.runmeter import BURST_S, DENSE_S, RunMeter, hungriest, patience_s, uneven_s
from aipower.seams import Clock, SensorSet

YOUNG_S, YOUNG_PAUSE_S = 10.0, 0.1
"""A short run is worth a look at its power ten times a second; a long one is seen well enough at the agent's pace."""
LOOK_S = 0.25
"""Pause between looks for new processes: a child that lives shorter is known by its parent only."""
LOOKS_SHARE = 0.05
"""No more of a core than this goes into looks at processes and windows, however many runs and processes there are."""


class Owner(Struct, frozen=True):
    """Who asked, as the kernel tells it."""

    pid: int
    """Of the process at the other end of the socket, as we see it."""
    uid: int
    started_ticks: int = 0
    """When that process started: its pid may become another's while the connection lives on in a child of it."""


class MeteredRun:
    """A run from the moment its owner has asked for it. To be used by the sampler's thread alone."""

    def __init__(
        self, run_id: str, name: str, owner: Owner, meter: RunMeter, listener: SensorSet, clock: Clock
    ) -> None:
        self.id = run_id
        self._clock = clock
        self.name = name
        self.owner = owner
        self.meter = meter
        self.listener = listener
        self.supervisor: ProcessId | None = None
        self.tree: RunTree | None = None
        self.before: Mapping[int, int] = {}
        """Who lived before the command began: a listing of /proc."""
        self.primed = False
        """Whether what the GPUs did before it was opened has been left out."""
        self.dense = True
        """Whether it may have the sensors read every few milliseconds at its start."""
        self.done: Future[Measured] | None = None
        """Set once the command has ended and the last publications are awaited."""
        self.started_s = 0.0
        self._ended_s = 0.0
        self._look_s = self._window_s = 0.0
        self._settle_until_s = 0.0

    @property
    def wall_s(self) -> float:
        """How long the command took, once it has ended."""
        return self._ended_s - self.started_s

    @property
    def running(self) -> bool:
        """True from the start of the command to its end."""
        return self.tree is not None and self.done is None

    def prime(self) -> None:
        """What was heard so far of who worked was before it."""
        self.primed = True
        self.meter.meter.prime()

    def start(self, tree: RunTree, supervisor: ProcessId, started_s: float, procfs: ProcFs) -> None:
        """The command has begun."""
        self.tree, self.supervisor, self.started_s = tree, supervisor, started_s
        self.meter.begin(tree, started_s, procfs)

    def end(self, ended_s: float) -> Future[Measured]:
        """The command has ended; the books come when they are complete."""
        self._ended_s = max(ended_s, self.started_s + 1e-6)
        self.meter.end(self._ended_s)
        self._settle_until_s = self._clock.monotonic_s() + patience_s(self._ended_s - self.started_s)
        self.done = Future()
        return self.done

    def advance(self) -> None:
        """Take in what the agent has read meanwhile."""
        for channel in self.meter.meter.channels:
            feed = channel.sensor
            waiting = getattr(feed, "waiting", None)
            while waiting:
                before = len(waiting)
                self.meter.meter.sample([channel])
                if len(waiting) == before:  # a device that has left is not looked at for a while
                    waiting.clear()

    def look_around(self, share: float) -> None:
        """Meet new processes, if it is time; no more than `share` of a core goes into that."""
        if self.running and self._clock.monotonic_s() >= self._look_s:
            self._look_s = self._timed(self.meter.look_around, LOOK_S, share)

    def look(self, share: float) -> None:
        """Close a window, if it is time: the more it costs, the fewer there are."""
        if self.running and self._clock.monotonic_s() >= self._window_s:
            self._window_s = self._timed(self.meter.look, 0.0, share)

    def _timed(self, step: Callable[[], None], pause_s: float, share: float) -> float:
        """Do `step`; when it may be done again."""
        began_s = self._clock.monotonic_s()
        step()
        now_s = self._clock.monotonic_s()
        return now_s + max(pause_s, (now_s - began_s) / share)

    def settled(self) -> bool:
        """True when the energy up to the end is known, or was waited for long enough."""
        return self._clock.monotonic_s() >= self._settle_until_s or not self.meter.unsettled()

    def tell(self, books: Measured | Exception) -> None:
        """Give the owner the books, or what went wrong, if they are still waited for."""
        if self.done is None or self.done.done() or not self.done.set_running_or_notify_cancel():
            return
        if isinstance(books, Measured):
            self.done.set_result(books)
        else:
            self.done.set_exception(books)

    def close(self) -> Measured:
        """The complete books."""
        self.meter.close()
        return self.meter.measured(self.started_s, self._ended_s, (), complete=True)

    def wanted(self) -> tuple[frozenset[str], float]:
        """The devices that it wants read next, by id, and how long after they were read last."""
        channels = self.meter.meter.channels
        if self.done is not None:
            return frozenset(channel.sensor.device.id for channel in self.meter.unsettled()), DENSE_S
        if not self.running:
            return frozenset(), math.inf
        everything = frozenset(channel.sensor.device.id for channel in channels)
        age_s = self._clock.monotonic_s() - self.started_s
        if self.dense and age_s < BURST_S:
            return everything, DENSE_S
        if age_s < YOUNG_S:
            return everything, uneven_s(YOUNG_PAUSE_S, int(age_s / YOUNG_PAUSE_S))
        hungry, pause_s = hungriest(channels)
        return frozenset(channel.sensor.device.id for channel in hungry), pause_s
