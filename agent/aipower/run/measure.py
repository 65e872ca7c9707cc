"""Measures one command beside it: a thread that reads the sensors, and never stands in the command's way.

The steps: discover and read all sensors -> (the caller spawns) -> read densely while the counters' rhythm is
learned -> read at the interval -> (the command ends) -> read at once, wait for the counters' last publication -> close
the books.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping

from aipower.errors import AipowerError
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree
from aipower.record.measured import Measured, Trouble
from aipower.record.runmeter import ATTRIBUTE_S, BURST_S, DENSE_S, RunMeter, hungriest, patience_s, uneven_s
from aipower.run.console import in_one_line
from aipower.run.lightly import lazy_util
from aipower.run.scales import load_scales
from aipower.seams import Clock
from aipower.sensors.select import Machine, Selection, discover

log = logging.getLogger(__name__)

READY_S = 10.0
"""A driver that has not answered by then is left out: the command must not wait for it."""
PATIENT_S = 2.0
"""After this long a person is told what is waited for."""
HEAR_S = 0.5
"""What programs tell is read so often, however seldom the sensors are: the pipe has room for a second or so."""
SLICE_S = 0.05
"""Pause between looks at whether we were asked to stop."""
FINISH_S = 5.0
"""A sensor that hangs at the end is not waited for any longer than this."""


class Measurement:
    """The thread and its signals. Call `begin`, spawn, `spawned`, and at the end `ended` and `result`."""

    def __init__(self, selection: Selection, interval_s: float, clock: Clock, environ: Mapping[str, str]) -> None:
        self._selection = selection
        self._interval_s = interval_s
        self._environ = environ
        self._clock = clock
        self._procfs = ProcFs()
        self._table = ProcessTable(self._procfs, clock)
        self._machine = Machine(self._table, clock, environ, clock.monotonic_s())
        self._thread = threading.Thread(target=self._work, name="aipower-sensors", daemon=True)
        self._ready, self._go, self._over = threading.Event(), threading.Event(), threading.Event()
        self._finished = False
        self._started_s = self._from_s = self._ended_s = 0.0
        self._late = False
        self._refusal: AipowerError | None = None
        self._scales = load_scales(environ)
        self._troubles = [Trouble("calibration", self._scales.problem)] if self._scales.problem else []
        self._hear: Callable[[], bytes] = bytes
        self._run: RunMeter | None = None
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

    def listen(self, hear: Callable[[], bytes]) -> None:
        """`hear` gives what the command's programs have told of their phases since it was last called."""
        self._hear = hear

    def spawned(self, pid: int, at_s: float, ignore: frozenset[int]) -> None:
        """The command has begun as `pid`; our helper processes `ignore` are not part of it."""
        self._started_s = self._from_s = at_s
        self._follow(pid, ignore)

    def joined(self, pid: int, started_s: float, ignore: frozenset[int]) -> None:
        """The command has begun at `started_s`; it is measured from now on, without what it did before."""
        self._started_s, self._from_s, self._late = started_s, self._clock.monotonic_s(), True
        self._follow(pid, ignore)

    def attached(self, pid: int, at_s: float) -> None:
        """Measure `pid` and all below it from `at_s` on: what it did before is not asked for."""
        self._started_s = self._from_s = at_s
        self._follow(pid, frozenset(), joined=True)

    def live(self) -> list[tuple[str, float | None, float]]:
        """Of each device kind and index, what it draws now in watts, and what it has used so far in joules."""
        if self._run is None:
            return []
        used_j = self._run.story.timeline.totals_j()
        devices = [(channel.sensor.device, channel.power.latest_w) for channel in self._run.meter.channels]
        return [
            (f"{device.kind.upper()} {device.index}", power_w, used_j.get(device.id, 0.0))
            for device, power_w in devices
        ]

    def missed(self, started_s: float, ended_s: float) -> None:
        """The command has run from `started_s` to `ended_s` without us."""
        self._started_s, self._ended_s = started_s, ended_s

    def trouble(self, trouble: Trouble) -> None:
        """Tell of `trouble` in the record."""
        self._troubles.append(trouble)

    def _follow(self, pid: int, ignore: frozenset[int], *, joined: bool = False) -> None:
        try:
            self._tree = RunTree(self._procfs, pid, os.getpid(), self._table, ignore=ignore, joined=joined)
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
        complete = not hung and not self._late and self._finished
        if self._run is None:
            return Measured(None, None, self._tree, self._started_s, self._ended_s, complete, tuple(troubles))
        return self._run.measured(self._started_s, self._ended_s, tuple(troubles), complete=complete)

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
            run = self._prepare()
            self._ready.set()
            self._go.wait()
            self._watch(run)
            self._finish(run)
            self._finished = True
        except AipowerError as error:
            self._refusal = error
        except Exception as error:  # the one broad except: what breaks here must not reach the command
            log.debug("the measurement is incomplete", exc_info=True)
            self._troubles.append(Trouble("internal", f"internal error: {in_one_line(error)}"))
        finally:
            self._ready.set()

    def _prepare(self) -> RunMeter:
        with lazy_util():
            found = discover(self._selection, self._machine, None)
        max_gap_s = max(2.0, 5 * self._interval_s)
        run = RunMeter(found.sensors, found.directory, self._clock, max_gap_s, self._scales.calibrations)
        run.meter.sample()
        run.meter.prime()
        self._run = run
        return run

    def _watch(self, run: RunMeter) -> None:
        tree = self._tree
        assert tree is not None  # noqa: S101 - set before the event that lets us come here
        if self._late or tree.joined:
            tree.refresh()  # so that no CPU time of before counts as used from now on
        run.begin(tree, self._from_s, self._procfs)
        if self._selection.fake_gpus:
            from aipower.sensors.fake import adopt  # noqa: PLC0415 - only the simulation needs it

            adopt(run.sources, tree.root, self._local_rank())
        burst_until_s = self._from_s + BURST_S
        reads = 0
        next_s, attribute_s = self._from_s, self._from_s + ATTRIBUTE_S
        while not self._over.is_set():
            now_s = self._clock.monotonic_s()
            run.story.feed(self._hear())
            run.meter.sample()
            if now_s >= attribute_s:
                run.look()
                attribute_s = now_s + ATTRIBUTE_S
            if now_s < burst_until_s:
                self._over.wait(DENSE_S)
                continue
            run.look_around()
            reads += 1
            next_s = max(next_s + uneven_s(self._interval_s, reads), self._clock.monotonic_s())
            self._rest(run, now_s, next_s)

    def _local_rank(self) -> int:
        """Which of a node's ranks this is: the ranks of a real job share no GPU either."""
        from aipower.job.record import job_of  # noqa: PLC0415 - only the simulation needs it

        job = job_of(self._environ, "")
        return (job.local_rank or 0) if job else 0

    def _rest(self, run: RunMeter, read_s: float, until_s: float) -> None:
        """Wait until `until_s` or the end; sensors of which each value counts, last read at `read_s`, are read on."""
        while not self._over.is_set():
            hungry, pause_s = hungriest(run.meter.channels)
            due_s = read_s + pause_s
            now_s = self._clock.monotonic_s()
            ended = self._over.wait(max(0.0, min(due_s, until_s, now_s + HEAR_S) - now_s))
            run.story.feed(self._hear())
            if ended or self._clock.monotonic_s() < min(due_s, until_s):
                continue
            if until_s <= due_s:
                return
            read_s = self._clock.monotonic_s()
            run.meter.sample(hungry)

    def _finish(self, run: RunMeter) -> None:
        run.end(self._ended_s)
        run.meter.sample()
        run.story.feed(self._hear())
        until_s = self._clock.monotonic_s() + patience_s(self._ended_s - self._from_s)
        while self._clock.monotonic_s() < until_s and (unsettled := run.unsettled()):
            self._clock.sleep(DENSE_S)
            run.meter.sample(unsettled)
        run.close()
        run.meter.close()
