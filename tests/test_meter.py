"""The pipeline: usage waits for its energy, faults are data, one source serves many devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.books.faultlog import MOST_RECORDS, FaultLog
from aipower.books.ledger import Ledger
from aipower.books.resume import idle_levels_w
from aipower.errors import SensorError, SensorFailedError, SensorGoneError
from aipower.journal.decode import decode
from aipower.journal.encode import encode
from aipower.meter import Meter
from aipower.model import Fault, Usage
from aipower.seams import SensorSet
from fakes import CPU, DRAM, GPU, FakeClock, FakeDirectory, ScriptedSensor, ScriptedUsage, process

WORKER = process(1)


def counting(watts: float = 100.0) -> Callable[[float], tuple[int, float]]:
    return lambda at_s: (int(at_s * 10) * round(watts * 1e5), watts)


def busy(since_s: float, now_s: float) -> Usage:
    return Usage(since_s, now_s, {WORKER: now_s - since_s}, holders=frozenset({WORKER}), capacity_s=now_s - since_s)


def nobody(since_s: float, now_s: float) -> Usage:
    return Usage(since_s, now_s, capacity_s=now_s - since_s)


class Bench:
    """A meter over scripted devices."""

    def __init__(self, *sensors: ScriptedSensor, clock: FakeClock, usage: dict[str, ScriptedUsage]) -> None:
        self.clock = clock
        self.ledger = Ledger(FakeDirectory())
        self.meter = Meter(SensorSet(sensors, usage), self.ledger, clock)

    def run(self, seconds: float, every_s: float = 0.1, attribute_every: int = 10) -> None:
        for number in range(1, round(seconds / every_s) + 1):
            self.clock.sleep(every_s)
            self.meter.sample()
            if number % attribute_every == 0:
                self.meter.attribute()


def gpu_bench(
    reading: Callable[[float], tuple[int | None, float | None]], usage: Callable[[float, float], Usage] = busy
) -> Bench:
    clock = FakeClock(1.0)
    return Bench(ScriptedSensor(clock, reading), clock=clock, usage={GPU.id: ScriptedUsage(clock, usage)})


def test_energy_goes_to_who_worked() -> None:
    bench = gpu_bench(counting())
    bench.run(10)
    totals = bench.ledger.totals(GPU.id)
    assert totals.energy_uj == pytest.approx(1e9, rel=0.05)
    assert bench.ledger.part(WORKER, GPU.id).energy_uj == totals.energy_uj


def test_usage_waits_for_its_energy() -> None:
    """The counter is published every 3 s, windows last 1 s; the worker stopped before the energy was shown."""

    def usage(since_s: float, now_s: float) -> Usage:
        return busy(since_s, now_s) if now_s < 8.5 else nobody(since_s, now_s)

    bench = gpu_bench(lambda at_s: (int(at_s / 3) * 300_000_000, None), usage)
    bench.run(8.4, attribute_every=10)
    already_uj = bench.ledger.part(WORKER, GPU.id).energy_uj
    bench.run(1.5, attribute_every=5)
    assert bench.ledger.part(WORKER, GPU.id).energy_uj > already_uj


def test_priming_forgets_the_work_of_before() -> None:
    stranger = process(9)

    def usage(since_s: float, now_s: float) -> Usage:
        who = stranger if now_s < 5.05 else WORKER
        return Usage(since_s, now_s, {who: 1.0})

    bench = gpu_bench(counting(), usage)
    bench.clock.wait_until(5.0)
    bench.meter.sample()
    bench.meter.prime()
    bench.meter.channels[0].open(5.0)
    bench.run(3)
    assert bench.ledger.part(stranger, GPU.id).energy_uj == 0
    assert bench.ledger.part(WORKER, GPU.id).energy_uj > 0


def test_priming_learns_the_idle_level_of_a_gpu_that_nobody_holds() -> None:
    def usage(since_s: float, now_s: float) -> Usage:
        return nobody(since_s, now_s) if now_s <= 1.0 else busy(since_s, now_s)

    bench = gpu_bench(counting(100.0), usage)
    bench.meter.sample()
    bench.meter.prime()
    bench.run(5)
    totals = bench.ledger.totals(GPU.id)
    assert totals.idle_uj == totals.energy_uj > 0


def test_priming_learns_nothing_from_a_gpu_that_is_held() -> None:
    bench = gpu_bench(counting())
    bench.meter.sample()
    bench.meter.prime()
    bench.run(5)
    assert bench.ledger.totals(GPU.id).idle_uj == 0


def test_processors_and_memories_share_one_question() -> None:
    clock = FakeClock(1.0)
    source = ScriptedUsage(clock, busy)
    sensors = [ScriptedSensor(clock, counting(), device) for device in (CPU, DRAM)]
    bench = Bench(*sensors, clock=clock, usage={CPU.id: source, DRAM.id: source})
    bench.run(10)
    assert source.asked == 10
    assert bench.ledger.part(WORKER, CPU.id).energy_uj > 0
    assert bench.ledger.part(WORKER, DRAM.id).energy_uj > 0
    bench.meter.attribute(("gpu",))
    assert source.asked == 10


def test_what_one_kind_asked_is_kept_for_the_other() -> None:
    clock = FakeClock(1.0)
    source = ScriptedUsage(clock, busy)
    sensors = [ScriptedSensor(clock, counting(), device) for device in (CPU, DRAM)]
    bench = Bench(*sensors, clock=clock, usage={CPU.id: source, DRAM.id: source})
    bench.run(5, attribute_every=1000)
    bench.meter.attribute(("cpu",))
    bench.meter.attribute(("dram",))
    assert bench.ledger.part(WORKER, DRAM.id).energy_uj == bench.ledger.part(WORKER, CPU.id).energy_uj > 0


def flaky(bad: Callable[[float], bool], error: SensorError) -> Callable[[float], tuple[int | None, float | None]]:
    steady = counting()

    def reading(at_s: float) -> tuple[int | None, float | None]:
        if bad(at_s):
            raise error
        return steady(at_s)

    return reading


def test_failed_reads_between_good_ones_lose_nothing() -> None:
    bench = gpu_bench(flaky(lambda at_s: 4 < at_s < 6, SensorFailedError("read_failed", "busy")))
    healthy = gpu_bench(counting())
    bench.run(10)
    healthy.run(10)
    assert bench.ledger.totals(GPU.id).energy_uj == healthy.ledger.totals(GPU.id).energy_uj
    (record,) = bench.meter.fault_records()
    assert (record.device, record.reason, record.detail, record.retry) == (GPU.id, "read_failed", "busy", True)
    assert record.count == bench.ledger.draft(0.0, "", {}).snapshot().fault_counts[GPU.id, "read_failed"] >= 18
    assert 4 < record.first_s < 4.2
    assert 5.8 < record.last_s < 6


def test_power_is_absent_while_a_sensor_is_down() -> None:
    bench = gpu_bench(flaky(lambda at_s: at_s > 3, SensorFailedError("read_failed")))
    bench.run(1.5)
    assert bench.meter.powers_w() == {GPU.id: 100.0}
    bench.run(1)
    assert bench.meter.powers_w() == {}
    assert bench.meter.channels[0].settled(99.0)
    assert bench.meter.channels[0].power.peak_w == 100.0


def test_a_device_that_has_left_is_not_asked_again() -> None:
    bench = gpu_bench(flaky(lambda at_s: at_s > 3, SensorGoneError("gone", "off the bus")))
    bench.run(10)
    (record,) = bench.meter.fault_records()
    assert (record.count, record.retry) == (1, False)
    assert bench.meter.channels[0].gone


def test_a_source_that_fails_leaves_energy_unattributed() -> None:
    def usage(since_s: float, now_s: float) -> Usage:
        raise SensorFailedError("read_failed", f"{since_s}..{now_s}")

    bench = gpu_bench(counting(), usage)
    bench.meter.prime()
    bench.run(5)
    totals = bench.ledger.totals(GPU.id)
    assert totals.unattributed_uj == totals.energy_uj > 0


def test_a_device_without_a_source_is_unattributed() -> None:
    clock = FakeClock(1.0)
    bench = Bench(ScriptedSensor(clock, counting()), clock=clock, usage={})
    bench.run(5)
    totals = bench.ledger.totals(GPU.id)
    assert totals.unattributed_uj == totals.energy_uj > 0


def test_faults_are_bounded() -> None:
    bench = gpu_bench(flaky(lambda _: True, SensorFailedError("read_failed")))
    bench.run(100)
    assert len(bench.meter.faults) == 256
    assert bench.meter.fault_records()[0].count == 1000
    log = FaultLog()
    for number in range(MOST_RECORDS + 50):
        log.add(Fault(None, float(number), f"reason {number}", retry=True))
    assert len(log.records()) == MOST_RECORDS


def test_a_channel_is_settled_once_the_counter_has_passed_the_instant() -> None:
    bench = gpu_bench(counting())
    bench.run(2, every_s=0.01, attribute_every=1000)
    channel = bench.meter.channels[0]
    assert channel.settled(2.5)
    assert not channel.settled(bench.clock.now_s + 0.05)
    bench.run(0.2, every_s=0.01, attribute_every=1000)
    assert channel.settled(bench.clock.now_s - 0.15)
    bench.meter.attribute()
    assert channel.settled(bench.clock.now_s - 0.15), "also when the energy has been taken"


def test_power_of_a_counter_alone_comes_from_its_rise() -> None:
    clock = FakeClock(1.0)
    bench = Bench(ScriptedSensor(clock, lambda at_s: (int(at_s * 5e7), None), CPU), clock=clock, usage={})
    bench.run(2)
    assert bench.meter.powers_w()[CPU.id] == pytest.approx(50)


def test_a_gpu_that_comes_back_keeps_its_idle_level_and_loses_no_energy() -> None:
    """Idle for 5 s, then held and at work; then the device is found anew."""

    def usage(since_s: float, now_s: float) -> Usage:
        return nobody(since_s, now_s) if now_s <= 6.5 else busy(since_s, now_s)

    watts = 100.0
    bench = gpu_bench(counting(watts), usage)
    bench.run(5)
    bench.run(0.55, every_s=0.11, attribute_every=1000)
    before = bench.ledger.totals(GPU.id).energy_uj
    (old,) = bench.meter.channels
    again = ScriptedSensor(bench.clock, counting(watts))
    bench.meter.adopt(SensorSet([again], {GPU.id: ScriptedUsage(bench.clock, usage)}))
    assert bench.ledger.totals(GPU.id).energy_uj > before, "what was pending is posted"
    (channel,) = bench.meter.channels
    assert channel.sensor is again
    assert isinstance(old.sensor, ScriptedSensor)
    assert old.sensor.closed == 1
    bench.clock.wait_until(7.0)
    idle = bench.ledger.totals(GPU.id).idle_uj
    bench.meter.attribute()
    bench.run(3)
    totals = bench.ledger.totals(GPU.id)
    assert totals.idle_uj - idle == pytest.approx(3 * watts * 1e6, rel=0.2), "all of its power is idle power"


def test_adopting_leaves_other_devices_alone() -> None:
    clock = FakeClock(1.0)
    bench = Bench(ScriptedSensor(clock, counting()), clock=clock, usage={})
    kept = bench.meter.channels[0]
    bench.meter.adopt(SensorSet([ScriptedSensor(clock, counting(), CPU)]))
    assert bench.meter.channels[0] is kept
    assert [channel.sensor.device for channel in bench.meter.channels] == [GPU, CPU]


def test_the_method_that_is_shown_is_the_one_in_use() -> None:
    """The counter stands still from 5 s to 15 s while the device draws power."""

    def reading(at_s: float) -> tuple[int, float]:
        moved_s = min(at_s, 5.0) + max(0.0, at_s - 15)
        return int(moved_s * 10) * 10_000_000, 100.0

    def shown(bench: Bench) -> str:
        bench.meter.refresh_methods()
        (device,) = bench.ledger.draft(0.0, "", {}).snapshot().devices
        return device.facts.method

    bench = gpu_bench(reading)
    assert shown(bench) == "counter"
    bench.run(3)
    assert shown(bench) == "counter"
    bench.run(5)
    energy_uj = bench.ledger.totals(GPU.id).energy_uj
    assert shown(bench) == "integrated"
    assert bench.ledger.totals(GPU.id).energy_uj == energy_uj > 0, "the account goes on"
    bench.run(10)
    assert shown(bench) == "counter"


def test_closing_frees_the_sensors() -> None:
    bench = gpu_bench(counting())
    bench.meter.close()
    assert [
        channel.sensor.closed for channel in bench.meter.channels if isinstance(channel.sensor, ScriptedSensor)
    ] == [1]


TICKS = st.lists(
    st.tuples(
        st.sampled_from(["fine", "failed", "no power", "no counter", "reset", "jump"]),
        st.dictionaries(st.tuples(st.integers(1, 4), st.integers(1, 2)), st.floats(0.001, 1), max_size=4),
        st.booleans(),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=150)
@given(TICKS)
def test_energy_is_conserved_over_any_course(
    ticks: list[tuple[str, dict[tuple[int, int], float], bool]],
) -> None:
    clock = FakeClock(1.0)
    counter = {"uj": 0}
    fate = {"what": "fine"}

    def reading(_: float) -> tuple[int | None, float | None]:
        if fate["what"] == "failed":
            raise SensorFailedError("read_failed")
        counter_uj = None if fate["what"] == "no counter" else counter["uj"]
        return counter_uj, None if fate["what"] == "no power" else 100.0

    work: dict[tuple[int, int], float] = {}

    def usage(since_s: float, now_s: float) -> Usage:
        return Usage(since_s, now_s, {process(*who): seconds for who, seconds in work.items()}, samples=6)

    bench = Bench(ScriptedSensor(clock, reading), clock=clock, usage={GPU.id: ScriptedUsage(clock, usage)})
    for what, busy_s, ask in ticks:
        clock.sleep(0.5)
        counter["uj"] = {"reset": 0, "jump": counter["uj"] + 10**13}.get(what, counter["uj"] + 50_000_000)
        fate["what"] = what
        work.clear()
        work.update(busy_s)
        bench.meter.sample()
        if ask:
            bench.meter.attribute()
    totals = bench.ledger.totals(GPU.id)
    shown = bench.ledger.draft(0.0, "", {}).snapshot().processes
    assert sum(row.context_uj + row.active_uj for row in shown) == totals.context_uj + totals.active_uj
    assert totals.energy_uj <= 3000 * 1.5 * (0.5 * len(ticks) + 1 + 0.2 * len(ticks)) * 1e6


def test_an_agent_that_restarts_beside_a_job_keeps_the_idle_level() -> None:
    """70 W idle, then a job that draws 160 W more and never lets the GPU go; the second meter sees only that."""

    def reading(at_s: float) -> tuple[int, float]:
        energy_j = 70 * at_s + 160 * max(0.0, at_s - 6.0)
        return int(energy_j * 1e6), 70.0 if at_s < 6 else 230.0

    def usage(since_s: float, now_s: float) -> Usage:
        return nobody(since_s, now_s) if now_s <= 6.05 else busy(since_s, now_s)

    first = gpu_bench(reading, usage)
    first.run(10)
    first.meter.refresh_methods()
    state = decode(encode(first.ledger.draft(0.0, "", {}).snapshot()))
    assert idle_levels_w(state) == {GPU.id: pytest.approx(70.0, rel=0.02)}

    def idle_w(levels_w: Mapping[str, float]) -> float:
        clock = FakeClock(20.0)
        sensor, ledger = ScriptedSensor(clock, reading), Ledger(FakeDirectory())
        source = {GPU.id: ScriptedUsage(clock, usage)}
        second = Bench(clock=clock, usage={})
        second.ledger, second.meter = ledger, Meter(SensorSet([sensor], source), ledger, clock, idle_levels_w=levels_w)
        second.run(10)
        totals = ledger.totals(GPU.id)
        return 230.0 * totals.idle_uj / totals.energy_uj

    assert idle_w({}) == 0.0
    assert idle_w(idle_levels_w(state)) == pytest.approx(70.0, rel=0.03)
