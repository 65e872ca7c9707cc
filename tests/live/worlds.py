"""A machine with an agent on it: the real pipeline, history and pages, over simulated sensors and a time of our own.

A world has hours behind it when it is made, and then moves by `advance`, or along with the real clock by `running`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from aipower.books.ledger import Ledger
from aipower.daemon.health import Health
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.tick import NoErrands, Outside, Tick
from aipower.daemon.sites.chronicle import Chronicle
from aipower.daemon.sites.load import load_sites
from aipower.daemon.sites.sources import Views, make_sources
from aipower.errors import SensorError
from aipower.history.book import HistoryBook
from aipower.meter import Meter
from aipower.model import JournalState, Snapshot
from aipower.settings.config import AgentConfig
from aipower.site.resource import Resource
from aipower.site.sources import Shelf
from aipower.web.access import Access
from live.machine import BOOT, Machine, build
from live.plan import Plan

MAX_GAP_S = 200.0
PROCESS_S = 5.0
FAR_S = 10.0
"""Who is further behind the real clock takes longer steps to come up with it."""
WELL = Health(ok=True, sample_age_s=0.0)


class Agent:
    """One life of an agent on a machine."""

    def __init__(self, plan: Plan, machine: Machine) -> None:
        self.plan = plan
        self.machine = machine
        self.health = WELL
        self.snapshot: Snapshot | None = None
        self.history = HistoryBook(AgentConfig().history_s)
        clock = machine.clock
        self.ledger = Ledger(
            machine.directory, plan.max_processes, boot=BOOT, naming="name", since_unix_s=clock.unix_s()
        )
        meter = Meter(machine.found(), self.ledger, clock, MAX_GAP_S, machine.run_of, jobs=True)
        self.history.describe_with(machine.directory.describe)
        meter.tell(Chronicle(self.history, {}))
        outside = Outside()
        outside.unavailable = lambda: plan.missing
        outside.sinks = lambda: tuple(replace(sink, pushed_unix_s=clock.unix_s() - 5) for sink in plan.sinks)
        pace = Pace(plan.interval_s, PROCESS_S)
        self.on_time()
        self._tick = Tick(
            meter, self.ledger, pace, clock, NoErrands(), None, outside, self.history, asleep_s=lambda: 0.0
        )

    def on_time(self) -> None:
        """Forget that ticks were missed while hours were made in a moment."""
        self._schedule = Schedule(self.plan.interval_s, self.machine.clock)

    def tick(self) -> None:
        """Read, attribute, publish."""
        for worker in self.machine.runs.values():
            if worker.run:
                self.ledger.register_run(worker.run, worker.run_name, worker.user)
        self._schedule.begin()
        found = self._tick.run(self._schedule, late=lambda: False)
        self._schedule.end()
        if found is not None:
            now_s = self.machine.clock.unix_s()
            self.snapshot = replace(found.snapshot(), journal=JournalState(True, 12, 0.02, 40_000, now_s - 3))

    def ticks(self) -> int:
        """How often it has ticked since it was on time."""
        return self._schedule.ticks

    def sites(self, shelf: Shelf) -> Sequence[Resource]:
        """Its pages."""
        views = Views(lambda: self.snapshot, lambda: self.health, Access)
        clock, plan = self.machine.clock, self.plan
        return load_sites(make_sources(views, self.history, shelf, plan.footprint, AgentConfig(), clock))


class World:
    """A machine, and the agent that lives on it now."""

    def __init__(self, plan: Plan, shelf: Shelf) -> None:
        self.plan = plan
        self.shelf = shelf
        self.machine = build(plan, time.time() - plan.past_s)
        self.agent = Agent(plan, self.machine)
        self._moving = threading.RLock()
        self._pass(plan.past_s - plan.fine_s, plan.coarse_s)
        self._pass(self.machine.clock.behind_s(), plan.interval_s)
        self.agent.on_time()

    def advance(self, seconds: float) -> None:
        """Let so much time pass, at the agent's pace; the last tick is exactly then."""
        with self._moving:
            self._pass(seconds, self.plan.interval_s)

    def catch_up(self) -> None:
        """Let time pass until now."""
        with self._moving:
            behind_s = self.machine.clock.behind_s()
            self._pass(behind_s, max(self.plan.interval_s, behind_s / FAR_S))

    @contextmanager
    def running(self) -> Iterator[None]:
        """The agent lives along with the real clock, on a thread of its own, as a real one does."""
        stop = threading.Event()

        def live() -> None:
            while not stop.wait(self.plan.interval_s / 4):
                with self._moving:
                    if self.machine.clock.behind_s() >= self.plan.interval_s:
                        self.catch_up()

        thread = threading.Thread(target=live, name="live-world")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def break_sensor(self, device: str, error: SensorError) -> None:
        """It cannot be read from now on."""
        self.machine.sensor(device).broken = error

    def mend_sensor(self, device: str) -> None:
        """It can be read again."""
        self.machine.sensor(device).broken = None

    def restart_agent(self) -> None:
        """The agent ends, and another begins with nothing behind it."""
        with self._moving:
            self.agent = Agent(self.plan, self.machine)
            self.agent.tick()

    def _pass(self, seconds: float, step_s: float) -> None:
        clock = self.machine.clock
        end_s = clock.now_s + seconds
        if self.agent.snapshot is None:
            self.agent.tick()
        while clock.now_s + 1e-6 < end_s:
            clock.now_s = min(clock.now_s + step_s, end_s)
            self.agent.tick()
