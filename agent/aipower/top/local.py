"""Measures in this process: the agent's own pipeline, without its pages, its journal and the runs of others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from aipower.books.drafts import Draft
from aipower.books.ledger import Ledger
from aipower.daemon.finding.finder import Finder
from aipower.daemon.finding.looks import sources_of
from aipower.daemon.sampling.sampler import Pace, Sampler
from aipower.errors import AipowerError, SensorError
from aipower.meter import Meter
from aipower.model import Fault, JournalState, ProcessId, Snapshot
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.shared import SharedProcessTable
from aipower.run.scales import load_scales
from aipower.seams import Clock, Conditioned, SensorSet
from aipower.sensors.select import Found, Machine, Selection, discover
from aipower.top.look import Look, Origin

MOST_PROCESSES = 1000
"""That have rows of their own; the rest is `other`."""
RETENTION_S = 10.0
"""How long a process that has ended keeps its row; then it is in `ended`."""
READ_S = 0.25
"""Between two reads of the sensors."""
PATIENCE_S = 1.0
"""What is found by then is there from the first look on; the rest joins."""
LIMITS_S = 30.0
"""Power limits change rarely."""
MOST_LOOKS = 16
"""Kept for whoever does not take them."""
TITLE = "measured by this program"


class _Parts(Struct, frozen=True):
    meter: Meter
    sampler: Sampler
    finder: Finder


class LocalSource:
    """Reads the sensors of this machine. It is told of each snapshot on the sampler's thread, as a `Keeper`."""

    def __init__(
        self, selection: Selection, interval_s: float, clock: Clock, environ: Mapping[str, str], note: str = ""
    ) -> None:
        self.origin = Origin("self", TITLE, "by itself", note)
        self.failure: AipowerError | None = None
        self._scales = load_scales(environ)
        self.trouble = self._scales.problem
        self._selection = selection
        self._pace = Pace(READ_S, interval_s)
        self._clock = clock
        self._environ = environ
        self._looks: deque[Look] = deque(maxlen=MOST_LOOKS)
        self._limits_w: dict[str, float] = {}
        self._limits_due_s = 0.0
        self._parts: _Parts | None = None
        self._stopped = self._begun = False
        self._turn = threading.Lock()
        """Of whoever begins or ends: what was not started cannot be stopped."""
        self._wake: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._begin, name="aipower-top-start", daemon=True)

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to look for sensors; returns at once."""
        self._wake = wake
        self._thread.start()

    def take(self) -> Sequence[Look]:
        """The looks since the last call."""
        return [self._looks.popleft() for _ in range(len(self._looks))]

    def stop(self) -> None:
        """End; a sensor that hangs is left behind with its daemon thread."""
        with self._turn:
            self._stopped = True
            parts = self._parts if self._begun else None
        if parts is not None:
            parts.finder.stop()
            parts.sampler.stop()

    def take_faults(self) -> Sequence[Fault]:
        """None of its own."""
        return ()

    def state(self) -> JournalState:
        """Nothing is kept on disk."""
        return JournalState(up=False)

    def offer(self, draft: Draft) -> None:
        """Make a look of it; called on the sampler's thread, just after the counters were taken."""
        if self._parts is None:
            return
        now_s, meter, snapshot = self._clock.monotonic_s(), self._parts.meter, draft.snapshot()
        if now_s >= self._limits_due_s:
            self._limits_due_s = now_s + LIMITS_S
            self._limits_w = limits_w(meter)
        look = Look(
            now_s,
            snapshot,
            indistinct=_indistinct(meter, snapshot),
            limits_w=self._limits_w,
            unavailable=tuple(self._parts.finder.unavailable()),
        )
        waiting = self._parts.finder.waiting()
        self.trouble = f"{waiting} has not answered yet" if waiting else self._scales.problem
        self._looks.append(look)
        self._wake()

    def _begin(self) -> None:
        try:
            self._parts = parts = self._wire()
        except AipowerError as error:
            self._fail(error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be told and not leave the screen waiting
            self._fail(AipowerError(f"internal error: {type(error).__name__}: {error}"))
            return
        with self._turn:
            if not self._stopped:
                parts.sampler.start()
                parts.finder.start()
                self._begun = True

    def _fail(self, error: AipowerError) -> None:
        self.failure = error
        self._wake()

    def _wire(self) -> _Parts:
        table = SharedProcessTable(procfs := ProcFs(), self._clock)
        try:
            cpu_usage = MachineCpuUsage(procfs, table, self._clock)
        except SensorError as error:
            raise AipowerError(f"{error}; aipower top needs /proc") from error
        machine = Machine(table, self._clock, self._environ)
        simulated = bool(self._selection.fake_gpus)
        found = discover(self._selection, machine, cpu_usage) if simulated else Found(SensorSet(), table)
        since_unix_s = self._clock.unix_s()
        ledger = Ledger(found.directory, MOST_PROCESSES, RETENTION_S, boot=table.boot, since_unix_s=since_unix_s)
        max_gap_s = max(5.0, 3 * self._pace.process_interval_s)
        meter = Meter(found.sensors, ledger, self._clock, max_gap_s, calibrations=self._scales.calibrations)
        sampler = Sampler(meter, ledger, self._pace, self._clock, self._give_up, keeper=self)
        sources = () if simulated else sources_of(self._selection, machine, cpu_usage, self._fail)
        finder = Finder(meter, sampler, sources, self._clock)
        meter.adopt(finder.first_look(PATIENCE_S))
        return _Parts(meter, sampler, finder)

    def _give_up(self) -> None:
        self._fail(AipowerError("the sensors can no longer be sampled; see `aipower doctor`"))


def limits_w(meter: Meter) -> dict[str, float]:
    """The power limits of the devices that have one and answer."""
    found: dict[str, float] = {}
    for channel in meter.channels:
        sensor = channel.sensor
        if not isinstance(sensor, Conditioned):
            continue
        try:
            limit_w = sensor.conditions().power_limit_w
        except SensorError:
            continue
        if limit_w:
            found[sensor.device.id] = limit_w
    return found


def _indistinct(meter: Meter, snapshot: Snapshot) -> frozenset[tuple[ProcessId, str]]:
    users: dict[str, list[ProcessId]] = {}
    for row in snapshot.processes:
        if row.info is not None and row.ended_s is None and row.context_uj + row.active_uj > 0:
            users.setdefault(row.device.id, []).append(row.info.id)
    found: set[tuple[ProcessId, str]] = set()
    for device, processes in users.items():
        group = meter.indistinct(device, processes)
        if len(group) > 1:
            found.update((process, device) for process in group)
    return frozenset(found)
