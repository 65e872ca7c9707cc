"""A calibration on the way from the sensor to the accounts: applied once, before anything is shared out."""

from __future__ import annotations

import pytest

from aipower.books.ledger import Ledger
from aipower.calibration.default import default_calibration
from aipower.channel import Channel
from aipower.errors import SensorFailedError
from aipower.meter import Meter
from aipower.model import Calibration, Usage
from aipower.seams import SensorSet
from fakes import GPU, FakeClock, FakeDirectory, ScriptedSensor, ScriptedUsage, process

SHOWN_W = 290.6
"""What a card that reads 1.044 times its power less 22.6 W shows of 300 W."""
METER = Calibration(1 / 1.044, 22.6 / 1.044, 0.001, 0.2, 0.0, "a meter")
WORKER = process(1)


def counting(watts: float, at_s: float) -> tuple[int, float]:
    """A counter that moves every 100 ms."""
    return int(at_s * 10 + 1e-6) * round(watts * 1e5), watts


def channel_of(clock: FakeClock, watts: float, calibration: Calibration | None) -> Channel:
    return Channel(ScriptedSensor(clock, lambda at_s: counting(watts, at_s)), None, 5.0, clock, calibration)


def sample(channel: Channel, clock: FakeClock, until_s: float) -> None:
    while clock.now_s < until_s:
        channel.sample()
        clock.sleep(0.02)


def test_energy_and_power_are_the_true_ones() -> None:
    clock = FakeClock(1.0)
    channel = channel_of(clock, SHOWN_W, METER)
    sample(channel, clock, 6.0)
    taken = channel.take()
    assert taken is not None
    assert taken[0].mean_w == pytest.approx(300.0, rel=1e-3)
    assert channel.power.latest_w == pytest.approx(300.0)
    assert channel.power.peak_w == pytest.approx(300.0)
    assert channel.edge_uj == METER.gain * channel.energy.se_uj


def test_without_a_calibration_the_sensor_is_believed() -> None:
    clock = FakeClock(1.0)
    channel = channel_of(clock, SHOWN_W, None)
    sample(channel, clock, 6.0)
    taken = channel.take()
    assert taken is not None
    assert taken[0].mean_w == pytest.approx(SHOWN_W, rel=1e-3)
    assert channel.calibration == default_calibration("gpu")


def test_an_offset_larger_than_the_reading_leaves_nothing_and_no_debt() -> None:
    clock = FakeClock(1.0)
    watts = [5.0, 100.0]
    counted = 0

    def reading(at_s: float) -> tuple[int, float]:
        nonlocal counted
        counted = int(at_s * 10 + 1e-6)
        before = min(counted, 60)
        return round((before * watts[0] + (counted - before) * watts[1]) * 1e5), watts[counted > 60]

    channel = Channel(ScriptedSensor(clock, reading), None, 5.0, clock, Calibration(1.0, -10.0, source="a meter"))
    sample(channel, clock, 6.0)
    first = channel.take()
    assert first is not None
    assert first[0].energy_uj == 0
    assert channel.power.latest_w == 0.0
    sample(channel, clock, 11.0)
    second = channel.take()
    assert second is not None
    assert second[0].mean_w == pytest.approx(90.0, rel=0.05)


def test_the_offset_counts_only_while_there_is_energy() -> None:
    """The sensor fails for ten of twenty seconds, longer than a gap that may be bridged."""
    clock = FakeClock(1.0)

    def reading(at_s: float) -> tuple[None, float]:
        if 6.0 < at_s < 16.0:
            raise SensorFailedError("read_failed")
        return None, 100.0

    channel = Channel(ScriptedSensor(clock, reading), None, 5.0, clock, Calibration(1.0, 20.0, source="a meter"))
    sample(channel, clock, 21.0)
    taken = channel.take()
    assert taken is not None
    assert channel.covered_s == pytest.approx(10.0, abs=0.5)
    assert taken[0].energy_uj == pytest.approx(120e6 * channel.covered_s, rel=0.01)


@pytest.mark.parametrize("calibrations", [{}, {GPU.id: METER}, {"GPU-other": METER}])
def test_all_parts_add_up_to_the_corrected_whole(calibrations: dict[str, Calibration]) -> None:
    clock = FakeClock(1.0)
    sensor = ScriptedSensor(clock, lambda at_s: counting(SHOWN_W if at_s > 4 else 3.5, at_s))
    source = ScriptedUsage(
        clock, lambda a, b: Usage(a, b, {WORKER: b - a} if b > 4 and b > a else {}, holders=frozenset())
    )
    ledger = Ledger(FakeDirectory())
    meter = Meter(SensorSet([sensor], {GPU.id: source}), ledger, clock, calibrations=calibrations)
    for tick in range(500):
        meter.sample()
        if tick % 50 == 49:
            meter.attribute()
        clock.sleep(0.02)
    meter.settle()
    (state,) = ledger.draft(0.0, "", meter.powers_w()).snapshot().devices
    assert state.energy_uj == state.idle_uj + state.context_uj + state.active_uj + state.unattributed_uj
    applies = GPU.id in calibrations
    expected_j = 25.0 * 3 + 300.0 * 7 if applies else 3.5 * 3 + SHOWN_W * 7
    assert state.energy_uj / 1e6 == pytest.approx(expected_j, rel=0.02)
    assert state.power_w == pytest.approx(300.0 if applies else SHOWN_W)
    assert ledger.scale(GPU).scope == (GPU.id if applies else "gpu")


def test_a_device_that_comes_back_is_still_calibrated() -> None:
    clock = FakeClock(1.0)
    sensors = [ScriptedSensor(clock, lambda at_s: counting(SHOWN_W, at_s)) for _ in range(2)]
    meter = Meter(SensorSet(sensors[:1]), Ledger(FakeDirectory()), clock, calibrations={GPU.id: METER})
    meter.adopt(SensorSet(sensors[1:]))
    assert [channel.calibration for channel in meter.channels] == [METER]
