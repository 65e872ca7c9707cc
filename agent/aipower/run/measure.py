"""Measures one command beside it: a thread that reads the sensors, and never stands in the command's way.

The steps: discover and read all sensors -> (the caller spawns) -> read densely while the counters' rhythm is
learned -> read at the interval -> (the command ends) -> read at once, wait for the counters' last publication -> close
the books.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aipower.errors import AipowerError, SensorError
from aipower.ledger import Ledger
from aipower.meter import Channel, Meter
from aipower.model import Conditions, ProcessId
from aipower.processes.machine import RunCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree
from aipower.run.conditions import ConditionLog
from aipower.run.console import in_one_line
from aipower.run.scales import load_scales
from aipower.seams import Clock
from aipower.sensors.select import Found, Machine, Selection, discover

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
READY_S = 10.0
"""A driver that has not answered by then is left out: the command must not wait for it."""
PATIENT_S = 2.0
"""After this long a person is told what is waited for."""
SLICE_S = 0.05
"""Pause between looks at whether we were asked to stop."""
LEAST_PAUSE_S = 0.02
"""Sensors are not read more often than this, however fast they are: each read wakes a driver."""
RUN = "run"
"""The name of the run in its own ledger, which holds no other."""
FINISH_S = 5.0
"""A sensor that hangs at the end is not waited for any longer than this."""


def hungriest(channels: Iterable[Channel]) -> tuple[Sequence[Channel], float]:
    """The channels whose energy hangs on each value of the sensor, and the pause between reads that misses none."""
    hungry = [channel for channel in channels if channel.up and math.isfinite(channel.energy.look_again_s)]
    pause_s = min((channel.energy.look_again_s for channel in hungry), default=math.inf)
    return hungry, max(LEAST_PAUSE_S, pause_s)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with the measurement itself, not with one device."""

    reason: str
    """A short stable word: `driver_late`, `hung`, `no_thread`, `calibration`, `internal`."""
    detail: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What the thread leaves behind."""

    found: Found | None
    meter: Meter | None
    ledger: Ledger | None
    tree: RunTree | None
    started_s: float
    ended_s: float
    complete: bool
    """False where a sensor hung: the figures end before the command did."""
    troubles: tuple[Trouble, ...] = ()
    conditions: Mapping[str, Conditions] = field(default_factory=dict)
    """Under which conditions each device worked, by its id."""


class Measurement:
    """The thread and its signals. Call `begin`, spawn, `spawned`, and at the end `ended` and `result`."""

    def __init__(self, selection: Selection, interval_s: float, clock: Clock, environ: Mapping[str, str]) -> None:
        self._selection = selection
        self._interval_s = interval_s
        self._clock = clock
        self._procfs = ProcFs()
        self._table = ProcessTable(self._procfs, clock)
        self._machine = Machine(self._table, clock, environ, clock.monotonic_s())
        self._thread = threading.Thread(target=self._work, name="aipower-sensors", daemon=True)
        self._ready, self._go, self._over = threading.Event(), threading.Event(), threading.Event()
        self._finished = False
        self._started_s = self._ended_s = 0.0
        self._refusal: AipowerError | None = None
        self._scales = load_scales(environ)
        self._troubles = [Trouble("calibration", self._scales.problem)] if self._scales.problem else []
        self._conditions = ConditionLog()
        self._found: Found | None = None
        self._meter: Meter | None = None
        self._ledger: Ledger | None = None
        self._tree: RunTree | None = None

    @property
    def calibration_problem(self) -> str:
        """Why the sensors' calibrations are left out, in one line; empty where they are not."""
        return self._scales.problem

    def begin(self, asked_to_stop: Callable[[], bool], tell: Callable[[], None]) -> None:
        """Find the sensors and read them once, in at most `READY_S` and only until `asked_to_stop` is true.

        `tell` is called once where that takes long. Without a thread to be had nothing is measured.

        Raises:
            AipowerError: A sensor that was asked for is not to be had.
        """
        try:
            self._thread.start()
        except RuntimeError as error:
            self._troubles.append(Trouble("no_thread", f"nothing is measured: {error}"))
            return
        if not self._wait_until_ready(asked_to_stop, tell):
            self._troubles.append(Trouble("driver_late", f"the driver did not answer within {READY_S:.0f} s"))
        if self._refusal is not None:
            raise self._refusal

    def spawned(self, pid: int, at_s: float, ignore: frozenset[int]) -> None:
        """The command has begun as `pid`; our helper processes `ignore` are not part of it."""
        self._started_s = at_s
        try:
            self._tree = RunTree(self._procfs, pid, os.getpid(), self._table, ignore=ignore)
        except OSError as error:
            self._troubles.append(Trouble("internal", f"/proc cannot be read: {error.strerror}"))
            return
        self._go.set()

    def ended(self, at_s: float) -> None:
        """The command has ended; the thread reads the sensors now."""
        self._ended_s = at_s
        self._over.set()

    def result(self) -> Measured:
        """All that was measured; waits for the last reads, but not for a sensor that hangs."""
        going = self._thread.ident is not None and self._go.is_set()
        if going:
            self._thread.join(FINISH_S)
        hung = going and self._thread.is_alive()
        troubles = list(self._troubles)
        if hung:
            troubles.append(Trouble("hung", f"a sensor did not answer within {FINISH_S:.0f} s of the end"))
        return Measured(
            self._found,
            self._meter,
            self._ledger,
            self._tree,
            self._started_s,
            self._ended_s,
            not hung and self._finished,
            tuple(troubles),
            self._conditions.summary(),
        )

    def _wait_until_ready(self, asked_to_stop: Callable[[], bool], tell: Callable[[], None]) -> bool:
        """False where the driver took longer than `READY_S`."""
        began_s, told = self._clock.monotonic_s(), False
        while not self._ready.wait(SLICE_S):
            waited_s = self._clock.monotonic_s() - began_s
            if asked_to_stop():
                return True
            if waited_s >= READY_S:
                return False
            if not told and waited_s >= PATIENT_S:
                tell()
                told = True
        return True

    def _work(self) -> None:
        try:
            meter = self._prepare()
            self._ready.set()
            self._go.wait()
            self._watch(meter)
            self._finish(meter)
            self._finished = True
        except AipowerError as error:
            self._refusal = error
        except Exception as error:  # the one broad except: what breaks here must not reach the command
            log.debug("the measurement is incomplete", exc_info=True)
            self._troubles.append(Trouble("internal", f"internal error: {in_one_line(error)}"))
        finally:
            self._ready.set()

    def _prepare(self) -> Meter:
        self._found = discover(self._selection, self._machine, None)
        self._ledger = Ledger(self._found.directory, max_processes=4096)
        max_gap_s = max(2.0, 5 * self._interval_s)
        calibrations = self._scales.calibrations
        self._meter = Meter(
            self._found.sensors, self._ledger, self._clock, max_gap_s, self._run_of, calibrations, KEEP_WINDOWS
        )
        self._meter.sample()
        self._meter.prime()
        return self._meter

    def _watch(self, meter: Meter) -> None:
        tree = self._tree
        assert tree is not None  # noqa: S101 - set before the event that lets us come here
        self._adopt(meter, tree)
        for channel in meter.channels:
            channel.open(self._started_s)
        burst_until_s = self._started_s + BURST_S
        next_s, attribute_s = self._started_s, self._started_s + ATTRIBUTE_S
        while not self._over.is_set():
            now_s = self._clock.monotonic_s()
            meter.sample()
            if now_s >= attribute_s:
                self._look_around(tree)
                meter.attribute()
                self._conditions.look(channel.sensor for channel in meter.channels)
                attribute_s = now_s + ATTRIBUTE_S
            if now_s < burst_until_s:
                self._over.wait(DENSE_S)
                continue
            self._look_around(tree)
            next_s = max(next_s + self._interval_s, self._clock.monotonic_s())
            self._rest(meter, now_s, next_s)

    def _rest(self, meter: Meter, read_s: float, until_s: float) -> None:
        """Wait until `until_s` or the end; sensors of which each value counts, last read at `read_s`, are read on."""
        while not self._over.is_set():
            hungry, pause_s = hungriest(meter.channels)
            due_s = read_s + pause_s
            ended = self._over.wait(max(0.0, min(due_s, until_s) - self._clock.monotonic_s()))
            if ended or until_s <= due_s:
                return
            read_s = self._clock.monotonic_s()
            meter.sample(hungry)

    def _finish(self, meter: Meter) -> None:
        for channel in meter.channels:
            channel.end(self._ended_s)
        meter.sample()
        patience_s = SETTLE_S if self._ended_s - self._started_s >= SETTLE_FROM_S else 0.0
        until_s = self._clock.monotonic_s() + patience_s
        while self._clock.monotonic_s() < until_s and (unsettled := self._unsettled(meter)):
            self._clock.sleep(DENSE_S)
            meter.sample(unsettled)
        for channel in meter.channels:
            channel.close(self._ended_s)
        meter.attribute()
        meter.settle()
        meter.close()

    def _run_of(self, process: ProcessId) -> str:
        return RUN if self._tree is not None and process in self._tree else ""

    def _unsettled(self, meter: Meter) -> list[Channel]:
        return [channel for channel in meter.channels if not channel.settled(self._ended_s)]

    def _adopt(self, meter: Meter, tree: RunTree) -> None:
        """Tell the channels whose work to look for."""
        try:
            cpu = RunCpuUsage(tree, self._procfs, self._clock)
        except SensorError:
            log.debug("no CPU times in /proc", exc_info=True)
            return
        for channel in meter.channels:
            if channel.sensor.device.kind in {"cpu", "dram"}:
                channel.source = cpu.socket(channel.sensor.device.index)
        if self._selection.fake_gpus:
            from aipower.sensors.fake import adopt  # noqa: PLC0415 - only the simulation needs it

            adopt((channel.source for channel in meter.channels), tree.root)

    def _look_around(self, tree: RunTree) -> None:
        """Meet processes before they are gone: a GPU's samples name them by pid only."""
        try:
            tree.refresh()
        except OSError:
            log.debug("cannot read /proc", exc_info=True)
