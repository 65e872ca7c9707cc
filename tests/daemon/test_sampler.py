"""The sampler goes on after a bug, gives up when nothing works, and tells when it is late."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from aipower.daemon.sampling.tick import Tick
from aipower.errors import SensorGoneError
from aipower.seams import SensorSet, SystemClock
from daemon.rigs import DEADLINE_S, Rig, Sensor, Source
from fakes import CPU, GPU, FakeClock

FAST_S = 0.02


def wait_for(fact: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def failing(times: int) -> Callable[[], None]:
    """An action that fails as a bug does, so many times."""
    left = iter(range(times))

    def act() -> None:
        if next(left, None) is not None:
            raise ZeroDivisionError("a bug")

    return act


def rig_with_a_bug(times: int) -> Rig:
    clock = SystemClock()
    return Rig(clock, [Sensor(clock)], {GPU.id: Source(clock, failing(times))}, FAST_S)


def test_a_bug_costs_its_ticks_and_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = rig_with_a_bug(5)
    with caplog.at_level(logging.ERROR):
        rig.sampler.start()
        wait_for(lambda: rig.sampler.snapshot() is not None)
        rig.sampler.stop()
    assert rig.faults()["", "internal"] == 5
    assert not rig.gave_up.is_set()
    assert not rig.sampler.stale()
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_when_nothing_works_any_more_it_gives_up() -> None:
    rig = rig_with_a_bug(10**9)
    rig.sampler.start()
    assert rig.gave_up.wait(DEADLINE_S)
    assert rig.faults()["", "internal"] >= 10
    wait_for(lambda: not rig.sampler.running())


def test_a_tick_that_fails_does_not_hide_behind_reads_that_work() -> None:
    """Reads come five times as often as windows end; a window that cannot be closed is tried at each of them."""
    clock = FakeClock(100.0)
    rig = Rig(clock, [Sensor(clock)], {GPU.id: Source(clock, failing(3))}, 0.2)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            rig.tick()
        clock.sleep(0.2)
    rig.tick()
    assert rig.sampler.snapshot() is not None


def test_it_is_stale_when_ticks_stop_coming_and_the_time_without_is_one_fault() -> None:
    clock = FakeClock(100.0)
    rig = Rig(clock, [Sensor(clock)])
    assert not rig.sampler.stale()
    assert rig.sampler.age_s() is None
    for _ in range(3):
        rig.tick()
        clock.sleep(1)
    assert rig.faults().get(("", "late")) is None
    clock.sleep(30)
    assert rig.sampler.stale()
    rig.tick()
    assert not rig.sampler.stale()
    rig.tick()
    assert rig.faults()["", "late"] == 1


def test_a_tick_that_is_late_in_the_end_is_one_fault() -> None:
    clock, pauses_s = FakeClock(100.0), [0.0, 20.0, 0.0]
    rig = Rig(clock, [Sensor(clock, lambda: clock.sleep(pauses_s.pop(0)))])
    counts = []
    while pauses_s:
        rig.tick()
        clock.sleep(1)
        newest = rig.sampler.snapshot()
        assert newest is not None
        counts.append(newest.fault_counts.get(("", "late"), 0))
    assert counts == [0, 1, 1]


def test_a_first_read_that_hangs_makes_it_stale_too() -> None:
    clock = FakeClock(100.0)
    rig = Rig(clock, [Sensor(clock)])
    clock.sleep(11)
    assert rig.sampler.stale()


def test_newcomers_are_queued_until_the_meter_has_them() -> None:
    clock = FakeClock(100.0)
    rig = Rig(clock, [Sensor(clock)])
    rig.sampler.add(SensorSet([Sensor(clock, device=CPU)]))
    assert rig.sampler.has_newcomers()
    rig.tick()
    assert not rig.sampler.has_newcomers()
    assert [channel.sensor.device for channel in rig.meter.channels] == [GPU, CPU]


def test_stop_leaves_a_sensor_behind_that_hangs() -> None:
    entered, release = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        release.wait(DEADLINE_S)

    clock = SystemClock()
    rig = Rig(clock, [Sensor(clock, hang)], interval_s=FAST_S)
    rig.sampler.start()
    assert entered.wait(DEADLINE_S)
    rig.sampler.stop(0.1)
    assert rig.sampler.running()
    release.set()
    wait_for(lambda: not rig.sampler.running())


def test_stop_without_start_is_nothing() -> None:
    rig = Rig(FakeClock(), [])
    rig.sampler.stop()
    assert not rig.sampler.running()


def test_a_sensor_that_fails_and_comes_back_is_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    lost = {"now": False}

    def act() -> None:
        if lost["now"]:
            raise SensorGoneError("gone")

    clock = FakeClock(100.0)
    rig = Rig(clock, [Sensor(clock, act)])
    with caplog.at_level(logging.WARNING):
        for now in (False, True, True, False, False):
            lost["now"] = now
            rig.tick()
            clock.sleep(2)
    texts = [record.getMessage() for record in caplog.records if record.name == Tick.__module__]
    assert [text.split(") ")[1] for text in texts] == ["cannot be read", "is back"]


def test_its_own_figures_are_published() -> None:
    clock = SystemClock()
    rig = Rig(clock, [Sensor(clock)], interval_s=FAST_S)
    rig.sampler.start()
    wait_for(lambda: (taken := rig.sampler.snapshot()) is not None and taken.agent.ticks > 0)
    rig.sampler.stop()
    snapshot = rig.sampler.snapshot()
    assert snapshot is not None
    assert snapshot.agent.resident_bytes > 1_000_000
    assert snapshot.agent.cpu_s > 0
    assert snapshot.agent.tick_s > 0
