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

from aipower.daemon.finder import LATEST_S, SOONEST_S, Finder, Missing, missing, rest_s
from aipower.errors import SensorGoneError, UsageError
from aipower.seams import SensorSet
from daemon.rigs import DEADLINE_S, Rig, Sensor
from fakes import CPU, GPU, FakeClock

BOTH = ("nvml", "rapl")


def gone() -> None:
    raise SensorGoneError("gone")


class Hunt:
    """A finder, driven by hand, and what it looked for."""

    def __init__(self, *sensors: Sensor, clock: FakeClock, sources: Sequence[str] = BOTH) -> None:
        self.clock = clock
        self.rig = Rig(clock, sensors)
        self.looks: list[tuple[float, tuple[str, ...]]] = []
        self.answer: Callable[[], SensorSet] = SensorSet
        self.finder = Finder(self.rig.meter, self.rig.sampler, sources, self._look, clock)

    def _look(self, sources: tuple[str, ...]) -> SensorSet:
        self.looks.append((self.clock.monotonic_s(), sources))
        return self.answer()

    def trigger(self) -> None:
        self.finder.trigger()
        deadline_s = time.monotonic() + DEADLINE_S
        while self.finder.looking():
            assert time.monotonic() < deadline_s
            time.sleep(0.001)

    def run(self, seconds: float) -> None:
        """Triggers as the scheduler would."""
        for _ in range(round(seconds / SOONEST_S)):
            self.clock.sleep(SOONEST_S)
            self.trigger()


@pytest.mark.parametrize(
    ("devices", "sources", "wanted"),
    [
        ((), BOTH, BOTH),
        ((GPU,), BOTH, ("rapl",)),
        ((CPU,), BOTH, ("nvml",)),
        ((CPU,), ("rapl",), ()),
        ((GPU, CPU), BOTH, ()),
        ((), (), ()),
    ],
)
def test_only_what_was_selected_and_has_no_sensor_is_missing(
    devices: Sequence[object], sources: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    clock = FakeClock(1.0)
    rig = Rig(clock, [Sensor(clock, device=device) for device in (GPU, CPU) if device in devices])
    assert missing(sources, rig.meter.channels) == Missing(wanted)


def test_a_device_that_has_left_is_missing_beside_others_that_are_well() -> None:
    clock = FakeClock(1.0)
    rig = Rig(clock, [Sensor(clock, gone), Sensor(clock, device=CPU)])
    rig.tick()
    assert missing(BOTH, rig.meter.channels) == Missing(("nvml",), frozenset({GPU.id}))
    assert missing((), rig.meter.channels).sources == ()


def test_a_machine_with_all_its_sensors_is_left_in_peace() -> None:
    clock = FakeClock(1.0)
    hunt = Hunt(Sensor(clock), clock=clock, sources=("nvml",))
    hunt.run(600)
    assert hunt.looks == []


def test_looks_become_rare_while_nothing_changes() -> None:
    hunt = Hunt(clock=FakeClock(0.0), sources=("nvml",))
    hunt.run(7200)
    times_s = [at_s for at_s, _ in hunt.looks]
    pauses_s = [after - before for before, after in itertools.pairwise(times_s)]
    assert max(pause for pause, at_s in zip(pauses_s, times_s, strict=False) if at_s < 180) <= 10
    assert pauses_s[0] == SOONEST_S
    assert pauses_s[-1] == LATEST_S
    assert len(times_s) < 200


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_the_rest_grows_with_the_time_and_is_bounded(one_s: float, other_s: float) -> None:
    sooner, later = sorted((one_s, other_s))
    assert SOONEST_S <= rest_s(sooner) <= rest_s(later) <= LATEST_S


def test_a_device_that_leaves_late_is_looked_for_at_once() -> None:
    clock = FakeClock(0.0)
    well = Sensor(clock)
    hunt = Hunt(well, clock=clock)
    hunt.run(3600)
    well.act = gone
    hunt.rig.tick()
    before = len(hunt.looks)
    hunt.run(30)
    assert len(hunt.looks) - before >= 5
    assert hunt.looks[-1][1] == BOTH


def test_what_is_new_is_handed_over_and_what_is_known_is_closed() -> None:
    clock = FakeClock(0.0)
    hunt = Hunt(Sensor(clock), clock=clock)
    again, new = Sensor(clock), Sensor(clock, device=CPU)
    hunt.answer = lambda: SensorSet([again, new])
    hunt.run(5)
    assert (again.closed, new.closed) == (1, 0)
    hunt.run(60)
    assert len(hunt.looks) == 1, "nobody looks while newcomers wait"
    hunt.rig.tick()
    assert {channel.sensor.device for channel in hunt.rig.meter.channels} == {GPU, CPU}
    hunt.run(60)
    assert len(hunt.looks) == 1


def test_two_looks_never_run_at_once_and_the_trigger_returns_although_one_hangs() -> None:
    release = threading.Event()
    hunt = Hunt(clock=FakeClock(0.0))

    def hang() -> SensorSet:
        release.wait(DEADLINE_S)
        return SensorSet()

    hunt.answer = hang
    for _ in range(20):
        hunt.finder.trigger()
        hunt.clock.sleep(60)
    assert hunt.finder.looking()
    release.set()
    deadline_s = time.monotonic() + DEADLINE_S
    while hunt.finder.looking():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    assert len(hunt.looks) == 1


@pytest.mark.parametrize("error", [UsageError("not there"), ZeroDivisionError("a bug")])
def test_a_look_that_fails_is_followed_by_others(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    hunt = Hunt(clock=FakeClock(0.0))

    def fail() -> SensorSet:
        raise error

    hunt.answer = fail
    with caplog.at_level(logging.ERROR):
        hunt.run(20)
    assert len(hunt.looks) == 4
    assert bool(caplog.records) == isinstance(error, ZeroDivisionError)


def test_start_and_stop() -> None:
    hunt = Hunt(clock=FakeClock(0.0))
    hunt.finder.stop()
    hunt.finder.start()
    hunt.finder.stop()
    hunt.finder.stop()
    assert not hunt.finder.looking()
