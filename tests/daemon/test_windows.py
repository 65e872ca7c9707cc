"""How long the agent's windows are, and when it publishes."""

from __future__ import annotations

from itertools import pairwise

from aipower.books.ledger import Ledger
from aipower.channel import Channel
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.tick import NoErrands, Tick
from aipower.meter import Meter
from aipower.model import Attribution, EnergyDelta, Usage
from aipower.seams import SensorSet
from fakes import CPU, GPU, FakeClock, FakeDirectory, ScriptedSensor


class Runs(NoErrands):
    """Runs that are measured while it is said so."""

    going = False

    def running(self) -> bool:
        return self.going


class Ends:
    """Notes how far the energy of each device is accounted for."""

    def __init__(self) -> None:
        self.at_s: dict[str, list[float]] = {GPU.id: [], CPU.id: []}

    def taken(self, channel: Channel, window: EnergyDelta, usage: Usage | None) -> None:  # noqa: ARG002 - as listeners are told
        self.at_s[channel.sensor.device.id].append(window.end_s)

    def posted(self, attribution: Attribution) -> None:
        """Nothing."""


class Watched:
    """A GPU and a processor that draw 100 W, read each `interval_s`."""

    def __init__(self, interval_s: float, process_interval_s: float = 5.0) -> None:
        self.clock = FakeClock(1.0)
        self.ends, self.runs = Ends(), Runs()
        self.published_s: list[float] = []
        ledger = Ledger(FakeDirectory())
        sensors = [ScriptedSensor(self.clock, lambda at_s: (round(100e6 * at_s), 100.0), one) for one in (GPU, CPU)]
        meter = Meter(SensorSet(sensors), ledger, self.clock)
        meter.tell(self.ends)
        self._interval_s = interval_s
        self._schedule = Schedule(interval_s, self.clock)
        self._tick = Tick(meter, ledger, Pace(interval_s, process_interval_s), self.clock, self.runs, asleep_s=float)

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds / self._interval_s)):
            if self._tick.run(self._schedule, late=lambda: False) is not None:
                self.published_s.append(self.clock.monotonic_s())
            self.clock.sleep(self._interval_s)


def pauses(times_s: list[float]) -> list[float]:
    """Between one and the next, to a tenth of a second."""
    return [round(then_s - time_s, 1) for time_s, then_s in pairwise(times_s)]


def test_gpus_are_accounted_for_each_two_seconds_and_processors_each_five() -> None:
    watched = Watched(1.0)
    watched.live(40)
    assert set(pauses(watched.ends.at_s[GPU.id])[2:]) == {2.0}
    assert set(pauses(watched.ends.at_s[CPU.id])[2:]) == {5.0}


def test_a_run_that_is_measured_has_windows_of_one_second() -> None:
    watched = Watched(1.0)
    watched.live(10)
    watched.runs.going = True
    watched.live(10)
    assert set(pauses(watched.ends.at_s[GPU.id])[-8:]) == {1.0}
    watched.runs.going = False
    watched.live(10)
    assert set(pauses(watched.ends.at_s[GPU.id])[-3:]) == {2.0}


def test_who_asks_for_processes_each_second_has_gpus_each_second() -> None:
    watched = Watched(1.0, 1.0)
    watched.live(20)
    assert set(pauses(watched.ends.at_s[GPU.id])[2:]) == {1.0}


def test_power_is_published_each_second_however_often_it_is_read() -> None:
    for interval_s in (1.0, 0.1):
        watched = Watched(interval_s)
        watched.live(20)
        assert set(pauses(watched.published_s)) == {1.0}


def test_at_a_slow_pace_all_is_done_at_each_tick() -> None:
    watched = Watched(4.0)
    watched.live(60)
    assert set(pauses(watched.published_s)) == {4.0}
    assert set(pauses(watched.ends.at_s[GPU.id])[2:]) == {4.0}
