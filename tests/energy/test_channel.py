"""One device's channel: a bug in its sensor costs that device alone, and it says how long it covered."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import pytest

from aipower.channel import Channel
from aipower.model import Fault
from aipower.record.runmeter import hungriest
from aipower.seams import SensorTraits
from fakes import FakeClock, ScriptedSensor

ReadingAt = Callable[[float], tuple[int | None, float | None]]


def channel_over(reading_at: ReadingAt, clock: FakeClock) -> Channel:
    return Channel(ScriptedSensor(clock, reading_at), None, 5.0, clock)


def sampled(channel: Channel, clock: FakeClock, until_s: float) -> list[Fault]:
    faults: list[Fault] = []
    while clock.now_s < until_s:
        faults.extend(channel.sample())
        clock.sleep(0.1)
    return faults


@pytest.mark.parametrize(
    "error", [KeyError("name"), ValueError("not a number"), ZeroDivisionError(), OSError(5, "io")]
)
def test_a_bug_of_a_sensor_is_a_fault_that_may_pass(error: Exception) -> None:
    clock = FakeClock(1.0)

    def reading(at_s: float) -> tuple[int, float]:
        if 2.05 < at_s < 3:
            raise error
        return int(at_s * 10) * 10_000_000, 100.0

    channel = channel_over(reading, clock)
    assert sampled(channel, clock, 2.05) == []
    faults = sampled(channel, clock, 2.95)
    assert {(fault.reason, fault.retry) for fault in faults} == {("internal", True)}
    assert type(error).__name__ in faults[0].detail
    assert not channel.up
    assert channel.power.latest_w is None
    sampled(channel, clock, 4.0)
    assert channel.up
    taken = channel.take()
    assert taken is not None
    assert taken[0].energy_uj == pytest.approx(290e6, rel=0.05)


def test_a_traceback_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock(1.0)

    def reading(_: float) -> tuple[int, float]:
        raise KeyError("name")

    channel = channel_over(reading, clock)
    with caplog.at_level(logging.DEBUG, "aipower.channel"):
        sampled(channel, clock, 2.0)
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.DEBUG]


def test_an_interrupt_is_not_swallowed() -> None:
    def reading(_: float) -> tuple[int, float]:
        raise KeyboardInterrupt

    clock = FakeClock(1.0)
    with pytest.raises(KeyboardInterrupt):
        channel_over(reading, clock).sample()


def test_covered_time_leaves_out_gaps() -> None:
    """Power for 2 s, nothing for 10 s, power for 2 s: 4 of 14 s are covered."""
    clock = FakeClock(0.0)
    channel = channel_over(lambda _: (None, 100.0), clock)
    for at_s in (0.0, 1.0, 2.0, 12.0, 13.0, 14.0):
        clock.wait_until(at_s)
        channel.sample()
    assert channel.covered_s == 0.0
    taken = channel.take()
    assert taken is not None
    assert taken[0].energy_uj == 400_000_000
    assert channel.covered_s == pytest.approx(4.0)
    assert channel.take() is None
    assert channel.covered_s == pytest.approx(4.0)


def test_power_over_a_hole_in_the_counter_is_not_an_average_with_nothing() -> None:
    """A counter that is published each second begins anew at 4.5 s; half a second of its energy is lost."""
    clock = FakeClock(1.0)

    def reading(at_s: float) -> tuple[int, None]:
        return int(at_s if at_s < 4.5 else at_s - 4) * 100_000_000, None

    channel = channel_over(reading, clock)
    powers_w = []
    while clock.now_s < 12:
        channel.sample()
        powers_w.append(channel.power.latest_w)
        clock.sleep(0.1)
    assert min(power_w for power_w in powers_w if power_w is not None) == pytest.approx(100, rel=0.12)


def test_sensors_of_which_each_value_counts_are_read_as_often_as_they_publish() -> None:
    """A card without a counter each 80 ms, never more often than each 20 ms; one with a counter when there is time."""
    clock = FakeClock(1.0)
    counted = channel_over(lambda at_s: (int(at_s * 10) * 10_000_000, 100.0), clock)
    integrated = channel_over(lambda _: (None, 100.0), clock)
    traits = SensorTraits(power_period_s=0.02)
    fast = Channel(ScriptedSensor(clock, lambda _: (None, 100.0), traits=traits), None, 5.0, clock)
    for channel in (counted, integrated, fast):
        sampled(channel, clock, clock.now_s + 0.5)
    assert hungriest([counted])[1] == math.inf
    hungry, pause_s = hungriest([counted, integrated])
    assert list(hungry) == [integrated]
    assert pause_s == pytest.approx(0.08)
    assert hungriest([counted, integrated, fast])[1] == 0.02
