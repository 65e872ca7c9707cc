"""The runs that the agent measures: opened, watched and closed between its own ticks.

All of it happens on the sampler's thread; `Sampler.ask` brings questions there. A run that breaks costs only itself.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from aipower.books.ledger import Ledger
from aipower.daemon.runs.allowance import Allowance
from aipower.daemon.runs.members import Members
from aipower.daemon.runs.metered import LOOK_S, LOOKS_SHARE, MeteredRun, Owner
from aipower.daemon.runs.taps import Taps
from aipower.errors import AipowerError
from aipower.meter import Meter
from aipower.model import Calibration, ProcessId, Unavailable
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree
from aipower.record.measured import Measured
from aipower.record.runmeter import RunMeter
from aipower.seams import Clock, SensorSet

log = logging.getLogger(__name__)

RUNS_PER_S, RUNS_AT_ONCE = 10.0, 32.0
"""How often one user who is not root may have runs opened: each reads RAPL, whose counters users may not read fast as
they tell secrets of other programs (CVE-2020-8694: the Platypus attack needs hundreds of readings per second)."""
WORTH_S, SCAN_S = 0.1, 1.0
"""Shorter runs leave no trace in whole ticks of CPU time; and a scan of all processes costs up to 20 ms."""
MOST_RUNS = 256
"""Runs measured at once; each costs up to a third of a millisecond per GPU and second."""
BURSTS_PER_S, BURSTS_AT_ONCE = 1.0, 8.0
"""How often the same user's runs may have the sensors read densely at their start: it costs a tenth of a core."""
TURNS_S = 0.05
"""Longest time that looks for runs take before the agent's own work goes on; who did not get a turn is first next."""
EARLY = 0.9
"""A read that comes so early, as a share of its pause, is not put off."""


class Shop(Struct, frozen=True):
    """What the runs share with the agent."""

    meter: Meter
    ledger: Ledger
    taps: Taps
    table: ProcessTable
    procfs: ProcFs
    clock: Clock
    max_gap_s: float
    calibrations: Mapping[str, Calibration]
    user_of: Callable[[int], str]
    """How a user is shown, by number."""
    unavailable: Callable[[], Sequence[Unavailable]]
    """What cannot be measured now."""


class RunState(Struct, frozen=True):
    """A run as its owner may see it while it lasts."""

    run: str
    name: str
    started: bool
    energy_uj: Mapping[str, int]
    """By device, up to the agent's last windows; an ended run's record knows more."""
    labels: Mapping[str, str]
    """Kind and index of each device, by its id."""


class RefusedError(AipowerError):
    """The agent does not do what was asked; the message says why."""


class RunDesk:
    """Measures the runs of others. `run_of` tells the agent's own meter whose process is whose."""

    def __init__(self, most_runs: int = MOST_RUNS) -> None:
        self._most_runs = most_runs
        self._runs: dict[str, MeteredRun] = {}
        self._members = Members()
        self._turn = 0
        self._read_s = self._scanned_s = -math.inf
        self._allowance = Allowance(RUNS_PER_S, RUNS_AT_ONCE)
        self._bursts = Allowance(BURSTS_PER_S, BURSTS_AT_ONCE)
        self._shop: Shop | None = None

    def open_shop(self, shop: Shop) -> None:
        """The meter, which needed `run_of` first, is ready."""
        self._shop = shop

    def run_of(self, process: ProcessId) -> str:
        """The run that `process` belongs to; empty for none."""
        return self._members.run_of(process)

    def open(self, run_id: str, owner: Owner, name: str) -> None:
        """Get ready to measure a command that `owner` is about to start, as `run_id`.

        Raises:
            RefusedError: There are too many runs already.
        """
        shop = self._ready()
        self._admit(owner, shop.clock.monotonic_s())
        listener = replace(shop.taps.listen(), unavailable=shop.unavailable())
        meter = RunMeter(listener, shop.table, shop.clock, shop.max_gap_s, shop.calibrations)
        run = MeteredRun(run_id, name, owner, meter, listener, shop.clock)
        run.dense = not owner.uid or self._bursts.take(owner.uid, shop.clock.monotonic_s())
        run.before = shop.procfs.listing()
        self._runs[run_id] = run
        shop.meter.sample()
        self.advance()

    def start(self, run_id: str, pid: int, started_s: float, ignore: frozenset[int]) -> None:
        """The command of the run has begun as `pid`, a child of the owner's; nothing before counts.

        Raises:
            RefusedError: There is no such child, or it is another user's.
        """
        self._end_windows_of_before()
        shop, run = self._ready(), self._run(run_id)
        child, parent = shop.procfs.stat(pid), shop.procfs.stat(run.owner.pid)
        if parent is None or parent.started_ticks != run.owner.started_ticks:
            raise RefusedError("the process that has connected has gone")
        if child is not None and (child.ppid != parent.pid or not self._may(run.owner, pid)):
            raise RefusedError(f"process {pid} is no child of the one that asks, or another user's")
        supervisor = shop.table.learn(parent)
        tree = RunTree(
            shop.procfs,
            pid,
            supervisor.pid,
            shop.table,
            reaped_s=Reaped(shop.procfs, supervisor),
            ignore=ignore,
            admits=partial(self._may, run.owner),
            before={} if pid in run.before else run.before,  # a caller may name whom it has started before
        )
        run.before = {}
        run.start(tree, supervisor, min(started_s, shop.clock.monotonic_s()), shop.procfs)
        shop.ledger.register_run(run_id, run.name, shop.user_of(run.owner.uid))
        self._meet(run)

    def mark(self, run_id: str, lines: bytes) -> None:
        """What the run's programs tell of their phases.

        Raises:
            RefusedError: There is no such run.
        """
        self._run(run_id).meter.story.feed(lines)

    def end(self, run_id: str, ended_s: float) -> Future[Measured]:
        """The command has ended; its books come when the last publications are in.

        Raises:
            RefusedError: It never began.
        """
        shop, run = self._ready(), self._run(run_id)
        if not run.running:
            raise RefusedError("the command has not begun")
        shop.meter.sample()
        self.advance()
        books = run.end(min(ended_s, shop.clock.monotonic_s()))
        if run.settled():
            self._close(run)
        return books

    def drop(self, run_id: str) -> None:
        """The owner has left without asking for the books. Does nothing for a run that has ended."""
        run = self._runs.pop(run_id, None)
        if run is not None and self._shop is not None:
            self._shop.taps.leave(run.listener)
            self._shop.ledger.end_run(run_id, self._shop.clock.monotonic_s())

    def runs(self, caller: Owner) -> list[RunState]:
        """The runs of `caller` that are being measured; for root, those of all."""
        shop = self._ready()
        return [_state(run, shop.ledger) for run in self._runs.values() if caller.uid in {0, run.owner.uid}]

    def read(self, caller: Owner, run_id: str) -> RunState:
        """One run of `caller`.

        Raises:
            RefusedError: It has none of this name, whatever others have.
        """
        for state in self.runs(caller):
            if state.run == run_id:
                return state
        raise RefusedError("there is no such run")

    def settle(self) -> None:
        """Close all windows of the agent now."""
        meter = self._ready().meter
        meter.sample()
        self.advance()
        meter.attribute()

    def user_of(self, uid: int) -> str:
        """How the user with this number is shown."""
        return self._ready().user_of(uid)

    def tapped(self, found: SensorSet) -> SensorSet:
        """Sensors that the agent has found later, for the runs to listen to."""
        return self._ready().taps.wrap(found)

    def suspended(self, now_s: float, slept_s: float, *, read: bool) -> None:
        """The machine slept: no counter is believed over it, nor, with `read`, what was read since the last window."""
        for run in tuple(self._runs.values()):
            self._guarded(run, run.advance)
            self._guarded(run, partial(run.meter.meter.resume_after_sleep, now_s, slept_s, read=read))

    def advance(self) -> None:
        """Hand on what the agent has just read."""
        self._read_s = self._ready().clock.monotonic_s() if self._runs else self._read_s
        for run in tuple(self._runs.values()):
            self._guarded(run, run.advance)

    def window(self) -> None:
        """The agent has just closed a window of its GPUs: so do the runs, as far as there is time."""
        for run, share in self._turns():
            if run.running:
                self._guarded(run, partial(run.look, share))
                self._guarded(run, partial(self._meet, run))
        self._members.forget(self._ready().clock.monotonic_s())

    def work(self) -> None:
        """What is due now: reads for those who want them more often, new processes, books to close."""
        if not self._runs:
            return
        self._end_windows_of_before()
        shop = self._ready()
        since_s = shop.clock.monotonic_s() - self._read_s
        wanted = [run.wanted() for run in self._runs.values()]
        due = frozenset[str]().union(*(devices for devices, pause_s in wanted if since_s >= EARLY * pause_s))
        if due:
            shop.meter.sample([channel for channel in shop.meter.channels if channel.sensor.device.id in due])
            self.advance()
        for run, share in self._turns():
            self._guarded(run, partial(run.look_around, share))
        for run in tuple(self._runs.values()):
            if run.done is not None and run.settled():
                self._close(run)
            elif run.running and not self._lives(run.owner):
                self.drop(run.id)

    def pause_s(self) -> float:
        """Seconds until there is work; infinite without runs."""
        if not self._runs:
            return math.inf
        since_s = self._ready().clock.monotonic_s() - self._read_s
        pauses = [pause_s for devices, pause_s in (run.wanted() for run in self._runs.values()) if devices]
        looks_s = LOOK_S if self.running() else math.inf
        ends_s = 0.005 if any(run.done is not None for run in self._runs.values()) else math.inf
        return max(0.0, min(min(pauses, default=math.inf) - since_s, looks_s, ends_s))

    def running(self) -> bool:
        """True while a command runs that is measured."""
        return any(run.running for run in self._runs.values())

    def _end_windows_of_before(self) -> None:
        """What GPUs did until now is none of the new runs' doing.

        To ask them takes some milliseconds, so a caller is answered first: this is done while the command starts, and
        until one works on a GPU that takes far longer.
        """
        new = [run for run in self._runs.values() if not run.primed]
        if new:
            self._ready().meter.attribute(("gpu",))
            for run in new:
                self._guarded(run, run.prime)

    def _close(self, run: MeteredRun) -> None:
        self._guarded(run, partial(self._ready().meter.attribute, ("gpu",)))
        self._guarded(run, partial(self._count_cpu_time, run))
        self._guarded(run, lambda: run.tell(run.close()))
        self.drop(run.id)

    def _count_cpu_time(self, run: MeteredRun) -> None:
        """Close the agent's own CPU window while the run's supervisor still waits for its books."""
        shop = self._ready()
        now_s = shop.clock.monotonic_s()
        if run.wall_s >= WORTH_S and now_s - self._scanned_s >= SCAN_S:
            self._scanned_s = now_s
            shop.meter.attribute(("cpu", "dram"))

    def _meet(self, run: MeteredRun) -> None:
        if run.tree is None or run.supervisor is None:
            return
        own = [process for process in (run.supervisor, run.tree.root, *run.tree.living()) if process in run.tree]
        now_s = self._ready().clock.monotonic_s()
        self._members.meet(run.id, (run.supervisor, *own), now_s, self._runs)

    def _turns(self) -> Iterator[tuple[MeteredRun, float]]:
        """The runs, beginning where the last call ended, until the time for looks is over; with each one's share."""
        runs, clock = tuple(self._runs.values()), self._ready().clock
        until_s = clock.monotonic_s() + TURNS_S
        for _ in runs:
            self._turn += 1
            yield runs[self._turn % len(runs)], LOOKS_SHARE / len(runs)
            if clock.monotonic_s() > until_s:
                return

    def _admit(self, owner: Owner, now_s: float) -> None:
        """Refuse what would be too much."""
        if len(self._runs) >= self._most_runs:
            raise RefusedError(f"{self._most_runs} runs are being measured already")
        own = sum(run.owner.uid == owner.uid for run in self._runs.values())
        if owner.uid and own >= max(1, self._most_runs // 4):
            raise RefusedError(f"{own} runs of yours are being measured already")
        if owner.uid and not self._allowance.take(owner.uid, now_s):
            raise RefusedError(f"more than {RUNS_PER_S:.0f} runs a second")

    def _may(self, owner: Owner, pid: int) -> bool:
        """Whether `owner` may have `pid` measured: root any process, others their own, not what `su` has started."""
        return owner.uid == 0 or self._ready().procfs.uid(pid) == owner.uid

    def _lives(self, owner: Owner) -> bool:
        row = self._ready().procfs.stat(owner.pid)
        return row is not None and row.started_ticks == owner.started_ticks

    def _guarded(self, run: MeteredRun, step: Callable[[], None]) -> None:
        """A run that breaks is given up, and its owner told."""
        try:
            step()
        except Exception as error:
            log.exception("run %s cannot be measured", run.id)
            run.tell(error)
            self.drop(run.id)

    def _run(self, run_id: str) -> MeteredRun:
        run = self._runs.get(run_id)
        if run is None:
            raise RefusedError("there is no such run")
        return run

    def _ready(self) -> Shop:
        if self._shop is None:
            raise RefusedError("the agent is still starting")
        return self._shop


def _state(run: MeteredRun, ledger: Ledger) -> RunState:
    devices = [channel.sensor.device for channel in run.meter.meter.channels]
    energy_uj = {device.id: ledger.run_part(run.id, device.id).energy_uj for device in devices}
    labels = {device.id: f"{device.kind.upper()} {device.index}" for device in devices}
    return RunState(run.id, run.name, run.tree is not None, energy_uj, labels)


class Reaped:
    """CPU seconds of all that a process of somebody else has waited for; once it has gone, what was seen last."""

    def __init__(self, procfs: ProcFs, process: ProcessId) -> None:
        self._procfs = procfs
        self._process = process
        self._seen_s = 0.0

    def __call__(self) -> float:
        """The seconds so far."""
        row = self._procfs.stat(self._process.pid)
        if row is not None and row.started_ticks == self._process.started_ticks:
            self._seen_s = row.reaped_ticks / self._procfs.ticks_per_s
        return self._seen_s
