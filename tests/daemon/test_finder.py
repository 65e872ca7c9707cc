"""When to look for sensors, and what to do with what is found."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.daemon.finding.finder import Finder
from aipower.daemon.finding.looks import GPUS, PROCESSORS
from aipower.daemon.finding.search import CHEAP_S, HANGS_S, LATEST_S, SOONEST_S, Missing, Source, missing, rest_s
from aipower.errors import SensorGoneError, UsageError
from aipower.model import Device, Fault, Unavailable
from aipower.seams import SensorSet
from aipower.sensors.calls import HUNG
from daemon.rigs import DEADLINE_S, Rig, Sensor
from fakes import CPU, GPU, FakeClock

SECOND = Device("GPU-1", "gpu", "H100", "1")
REFUSED = Unavailable("GPU 1", "gpu", "it is lost", "reboot")
COSTLY_S = 10 * CHEAP_S


def gone() -> None:
    raise SensorGoneError("gone")


class Quarry:
    """A source that answers what the test says, and notes when it was looked for."""

    def __init__(self, clock: FakeClock, name: str) -> None:
        self.clock = clock
        self.looks: list[tuple[float, frozenset[str]]] = []
        self.answer: Callable[[], SensorSet] = SensorSet
        self.cost_s = 0.0
        self.signs = 0
        gpus = name == "nvml"
        kinds = GPUS if gpus else PROCESSORS
        self.source = Source(name, kinds, self._look, grows=gpus, signs=lambda: self.signs)

    def _look(self, known: frozenset[str]) -> SensorSet:
        self.looks.append((self.clock.monotonic_s(), known))
        self.clock.sleep(self.cost_s)
        return self.answer()

    @property
    def pauses_s(self) -> list[float]:
        return [after - before for (before, _), (after, _) in itertools.pairwise(self.looks)]


class Hunt:
    """A finder, driven by hand, and what it looked for."""

    def __init__(self, *sensors: Sensor, clock: FakeClock, only: str = "") -> None:
        self.clock = clock
        self.rig = Rig(clock, sensors)
        self.gpus, self.cpus = Quarry(clock, "nvml"), Quarry(clock, "rapl")
        self.faults: list[Fault] = []
        quarries = [quarry for quarry in (self.gpus, self.cpus) if only in {"", quarry.source.name}]
        sources = [quarry.source for quarry in quarries]
        self.finder = Finder(self.rig.meter, self.rig.sampler, sources, clock, self.faults.append)

    def trigger(self) -> None:
        self.finder.trigger()
        until(lambda: not self.finder.looking())

    def run(self, seconds: float) -> None:
        """Triggers as the scheduler would."""
        for _ in range(round(seconds / SOONEST_S)):
            self.clock.sleep(SOONEST_S)
            self.trigger()


def until(fact: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("devices", "gpus", "cpus"),
    [((), True, True), ((GPU,), False, True), ((CPU,), True, False), ((GPU, CPU), False, False)],
)
def test_a_source_without_a_device_is_missing(devices: Sequence[Device], gpus: bool, cpus: bool) -> None:
    clock = FakeClock(1.0)
    hunt = Hunt(*(Sensor(clock, device=device) for device in devices), clock=clock)
    channels = hunt.rig.meter.channels
    assert missing(hunt.gpus.source, channels) == Missing(all=gpus)
    assert missing(hunt.cpus.source, channels) == Missing(all=cpus)
    assert bool(missing(hunt.gpus.source, channels)) == gpus


def test_a_device_that_has_left_is_missing_beside_others_that_are_well() -> None:
    clock = FakeClock(1.0)
    hunt = Hunt(Sensor(clock, gone), Sensor(clock, device=SECOND), Sensor(clock, device=CPU), clock=clock)
    hunt.rig.tick()
    assert missing(hunt.gpus.source, hunt.rig.meter.channels) == Missing(gone=frozenset({GPU.id}))
    assert not missing(hunt.cpus.source, hunt.rig.meter.channels)


def test_processors_that_are_all_there_are_left_in_peace() -> None:
    clock = FakeClock(1.0)
    hunt = Hunt(Sensor(clock, device=CPU), clock=clock, only="rapl")
    hunt.run(600)
    assert hunt.cpus.looks == []


def test_gpus_may_be_added_while_others_are_well() -> None:
    """The look leaves out those that are known; a sign makes it come at once."""
    clock = FakeClock(1.0)
    hunt = Hunt(Sensor(clock), clock=clock, only="nvml")
    hunt.run(3600)
    assert set(hunt.gpus.pauses_s) == {LATEST_S}
    assert {known for _, known in hunt.gpus.looks} == {frozenset({GPU.id})}
    before = len(hunt.gpus.looks)
    hunt.gpus.signs = 1
    hunt.gpus.answer = lambda: SensorSet([Sensor(clock, device=SECOND)])
    hunt.run(SOONEST_S)
    assert len(hunt.gpus.looks) == before + 1
    hunt.rig.tick()
    assert [channel.sensor.device for channel in hunt.rig.meter.channels] == [GPU, SECOND]


def test_one_that_could_not_be_opened_is_tried_again_soon_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock(1.0)
    hunt = Hunt(Sensor(clock), clock=clock, only="nvml")
    hunt.gpus.answer = lambda: SensorSet(unavailable=[REFUSED])
    with caplog.at_level(logging.WARNING):
        hunt.run(3600)
    assert hunt.gpus.pauses_s[-1] == SOONEST_S
    assert [record.getMessage() for record in caplog.records] == ["GPU 1 not measured: it is lost; reboot"]
    assert hunt.faults == []


def test_one_that_hangs_while_it_is_opened_is_a_fault() -> None:
    clock = FakeClock(1.0)
    hunt = Hunt(Sensor(clock), clock=clock, only="nvml")
    hunt.gpus.answer = lambda: SensorSet(unavailable=[Unavailable("GPU 1", "gpu", HUNG, "wait")])
    hunt.run(60)
    assert [(fault.device, fault.reason, fault.detail) for fault in hunt.faults] == [(None, "hung", "GPU 1")]


def test_looks_that_cost_much_become_rare_while_nothing_changes() -> None:
    hunt = Hunt(clock=FakeClock(0.0), only="nvml")
    hunt.gpus.cost_s = COSTLY_S
    hunt.run(7200)
    assert hunt.gpus.pauses_s[0] < SOONEST_S + 1
    assert hunt.gpus.pauses_s[-1] == pytest.approx(LATEST_S, abs=SOONEST_S)
    assert len(hunt.gpus.looks) < 200


def test_looks_that_cost_little_come_soon_after_any_time() -> None:
    """A driver or a GPU that comes back after an hour is found within seconds."""
    hunt = Hunt(clock=FakeClock(0.0))
    hunt.run(3600)
    assert hunt.gpus.pauses_s[-1] == hunt.cpus.pauses_s[-1] == SOONEST_S


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 10))
def test_the_rest_grows_with_the_time_and_is_bounded(one_s: float, other_s: float, cost_s: float) -> None:
    sooner, later = sorted((one_s, other_s))
    assert SOONEST_S <= rest_s(sooner, cost_s) <= rest_s(later, cost_s) <= LATEST_S


def test_a_device_that_leaves_late_is_looked_for_at_once() -> None:
    clock = FakeClock(0.0)
    well = Sensor(clock)
    hunt = Hunt(well, clock=clock, only="nvml")
    hunt.gpus.cost_s = COSTLY_S
    hunt.run(3600)
    well.act = gone
    hunt.rig.tick()
    before = len(hunt.gpus.looks)
    hunt.run(30)
    assert len(hunt.gpus.looks) - before >= 5
    assert hunt.gpus.looks[-1][1] == frozenset(), "one that has left is not known"


def test_what_is_new_is_handed_over_and_what_is_known_is_closed() -> None:
    clock = FakeClock(0.0)
    hunt = Hunt(Sensor(clock, device=CPU), clock=clock)
    again, new = Sensor(clock, device=CPU), Sensor(clock)
    hunt.gpus.answer = lambda: SensorSet([again, new])
    hunt.run(5)
    assert (again.closed, new.closed) == (1, 0)
    hunt.run(60)
    assert len(hunt.gpus.looks) == 1, "nobody looks while newcomers wait"
    hunt.rig.tick()
    assert {channel.sensor.device for channel in hunt.rig.meter.channels} == {GPU, CPU}
    assert hunt.rig.meter.channels[1].sensor is not new, "a thread of its own reads it"
    assert hunt.rig.meter.channels[1].up
    hunt.rig.meter.close()


def test_a_look_that_hangs_is_told_once_and_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    hunt = Hunt(clock=FakeClock(0.0))

    def hang() -> SensorSet:
        release.wait(DEADLINE_S)
        return SensorSet()

    hunt.gpus.answer = hang
    with caplog.at_level(logging.INFO):
        for round_ in range(1, 21):
            hunt.finder.trigger()
            until(lambda count=round_: len(hunt.cpus.looks) == count)  # type: ignore[misc]  # of a lambda's default
            until(lambda: not hunt.finder._searches[1].looking())
            hunt.clock.sleep(HANGS_S)
        assert hunt.finder.looking()
        release.set()
        until(lambda: not hunt.finder.looking())
        hunt.trigger()
    assert len(hunt.gpus.looks) == 2
    assert [(fault.device, fault.reason, fault.detail) for fault in hunt.faults] == [(None, "hung", "nvml")]
    texts = [record.getMessage() for record in caplog.records]
    assert [text.split(":")[0] for text in texts] == ["nvml does not answer", "nvml answers again"]


def test_the_first_look_waits_for_those_that_answer() -> None:
    release = threading.Event()
    hunt = Hunt(clock=FakeClock(0.0))

    def hang() -> SensorSet:
        release.wait(DEADLINE_S)
        return SensorSet([Sensor(hunt.clock)])

    hunt.gpus.answer = hang
    hunt.cpus.answer = lambda: SensorSet([Sensor(hunt.clock, device=CPU)])
    assert hunt.finder.waiting() == "nvml and rapl"
    found = hunt.finder.first_look(0.2)
    assert [sensor.device for sensor in found.sensors] == [CPU]
    assert hunt.finder.waiting() == "nvml"
    hunt.rig.meter.adopt(found)
    assert hunt.finder.waiting() == "", "something is measured, and no GPU was asked for by name"
    release.set()
    until(lambda: not hunt.finder.looking())
    hunt.rig.tick()
    assert {channel.sensor.device for channel in hunt.rig.meter.channels} == {CPU, GPU}
    hunt.rig.meter.close()


@pytest.mark.parametrize("error", [UsageError("not there"), ZeroDivisionError("a bug")])
def test_a_look_that_fails_is_followed_by_others(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    hunt = Hunt(clock=FakeClock(0.0))

    def fail() -> SensorSet:
        raise error

    hunt.gpus.answer = fail
    with caplog.at_level(logging.ERROR):
        hunt.run(20)
    assert len(hunt.gpus.looks) == 4
    assert bool(caplog.records) == isinstance(error, ZeroDivisionError)


def test_start_and_stop() -> None:
    hunt = Hunt(clock=FakeClock(0.0))
    hunt.finder.stop()
    hunt.finder.start()
    hunt.finder.stop()
    hunt.finder.stop()
    assert not hunt.finder.looking()
