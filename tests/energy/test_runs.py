"""Whole runs against simulated counters: the energy between spawn and exit, at any phase of the sensor."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable

import pytest

from aipower.model import ProcessId, Usage
from aipower.seams import SensorTraits
from energy.simulator import (
    SPAWN_S,
    Model,
    Published,
    Run,
    Truth,
    burst,
    errors_percent,
    noisy,
    simulated_run,
    square,
    steady,
)
from fakes import CPU, GPU, FakeClock, ScriptedSensor, ScriptedUsage, process

PHASES = 100
GPU_MODEL = Model()
V100 = Model(period_s=0.02, window_s=0.01, traits=SensorTraits(update_period_s=0.02))
RAPL = Model(
    period_s=0.001,
    jitter_s=0.00005,
    quantum_uj=61,
    has_power=False,
    latency_s=(2e-5, 5e-5),
    traits=SensorTraits(update_period_s=0.001, counter_modulus_uj=262_143_328_850, max_power_w=2000.0),
)

Make = Callable[[float, random.Random], Truth]
TRUTHS: dict[str, Make] = {
    "steady": lambda _, __: steady(),
    "burst": lambda duration_s, _: burst(duration_s),
    "noisy neighbour": noisy,
    "on and off": lambda duration_s, rng: square(duration_s, rng, 0.8),
}


def truths(name: str, duration_s: float, count: int = PHASES) -> list[Truth]:
    return [TRUTHS[name](duration_s, random.Random(1000 + seed)) for seed in range(count)]


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("model", [GPU_MODEL, V100], ids=["100 ms", "20 ms"])
def test_a_run_of_five_seconds_is_within_one_percent_at_every_phase(name: str, model: Model) -> None:
    errors = errors_percent(truths(name, 5.0), model, 5.0)
    assert max(errors) < 1.0
    assert statistics.mean(errors) < 0.3


@pytest.mark.parametrize("name", TRUTHS)
def test_a_run_of_eight_seconds_on_a_loaded_machine(name: str) -> None:
    errors = errors_percent(truths(name, 8.0, 50), GPU_MODEL, 8.0, late_s=0.035)
    assert max(errors) < 1.2
    assert statistics.mean(errors) < 0.3


@pytest.mark.parametrize(
    ("duration_s", "mean_percent", "worst_percent"), [(2.5, 0.15, 1.0), (1.0, 0.4, 2.5), (0.15, 1.5, 8.0)]
)
def test_short_bursts_between_flat_neighbours(duration_s: float, mean_percent: float, worst_percent: float) -> None:
    errors = errors_percent(truths("burst", duration_s, 300), GPU_MODEL, duration_s)
    assert statistics.mean(errors) < mean_percent
    assert max(errors) < worst_percent


@pytest.mark.parametrize("name", TRUTHS)
def test_a_processor_that_counts_each_millisecond(name: str) -> None:
    runs = truths(name, 5.0, 10)
    assert max(errors_percent(runs, RAPL, 5.0)) < 0.3


def test_a_run_shorter_than_one_update_still_has_energy_of_the_right_size() -> None:
    errors = errors_percent(truths("burst", 0.03, 200), GPU_MODEL, 0.03)
    assert statistics.median(errors) < 5
    assert max(errors) < 100


def test_a_wrap_inside_the_run_changes_nothing() -> None:
    """A counter of 1000 J wraps during 1500 J."""
    modulus_uj = 1_000_000_000
    traits = SensorTraits(update_period_s=0.001, counter_modulus_uj=modulus_uj, max_power_w=2000.0)
    rng = random.Random(1)
    clock = FakeClock()
    published = Published(steady(), RAPL, rng, SPAWN_S + 7)
    sensor = ScriptedSensor(clock, lambda at_s: (published.counter_uj(at_s) % modulus_uj, None), CPU, traits)
    run = Run(sensor, clock, rng)
    run.drive(5.0)
    assert run.energy_j == pytest.approx(1500, rel=0.005)
    assert not run.meter.fault_records()


def test_a_constant_counter_gives_way_to_the_integral_of_power() -> None:
    rng = random.Random(2)
    clock = FakeClock()
    published = Published(burst(5.0), GPU_MODEL, rng, SPAWN_S + 7)
    run = Run(ScriptedSensor(clock, lambda at_s: (123_456_000, published.power_w(at_s))), clock, rng)
    run.drive(5.0)
    assert run.energy_j == pytest.approx(2000, rel=0.05)
    assert run.channel.energy.method == "integrated"
    assert [record.reason for record in run.meter.fault_records()] == ["counter_stuck"]


def test_a_short_run_over_a_constant_counter_is_integrated_too() -> None:
    rng = random.Random(3)
    clock = FakeClock()
    run = Run(ScriptedSensor(clock, lambda _: (5_000_000, 200.0)), clock, rng)
    run.drive(0.5)
    assert run.energy_j == pytest.approx(100, rel=0.02)


def test_a_device_without_a_counter_is_integrated() -> None:
    rng = random.Random(4)
    clock = FakeClock()
    run = Run(ScriptedSensor(clock, lambda _: (None, 200.0)), clock, rng)
    run.drive(5.0)
    assert run.energy_j == pytest.approx(1000, rel=0.005)
    assert not run.meter.fault_records()


@pytest.mark.parametrize("seed", range(20))
def test_a_reset_in_the_middle_loses_and_invents_nothing(seed: int) -> None:
    """The driver is reloaded: the counter begins at 0, power readings bridge the hole."""
    rng = random.Random(seed)
    clock = FakeClock()
    published = Published(steady(), GPU_MODEL, rng, SPAWN_S + 10)
    reset_s = SPAWN_S + 3 + rng.random()

    def reading(at_s: float) -> tuple[int, float]:
        counter_uj = published.counter_uj(at_s)
        return counter_uj - (published.counter_uj(reset_s) if at_s > reset_s else 0), published.power_w(at_s)

    run = Run(ScriptedSensor(clock, reading), clock, rng)
    run.drive(8.0)
    assert run.energy_j == pytest.approx(2400, rel=0.02)
    assert [record.reason for record in run.meter.fault_records()] == ["counter_reset"]


def test_a_jump_of_a_megajoule_is_refused() -> None:
    rng = random.Random(6)
    clock = FakeClock()
    published = Published(steady(), GPU_MODEL, rng, SPAWN_S + 10)

    def reading(at_s: float) -> tuple[int, float]:
        jump_uj = 10**12 if at_s > SPAWN_S + 4 else 0
        return published.counter_uj(at_s) + jump_uj, published.power_w(at_s)

    run = Run(ScriptedSensor(clock, reading), clock, rng)
    run.drive(8.0)
    assert run.energy_j == pytest.approx(2400, rel=0.02)
    assert [record.reason for record in run.meter.fault_records()] == ["implausible"]


def test_a_counter_that_sticks_midway_and_comes_back() -> None:
    rng = random.Random(7)
    clock = FakeClock()
    published = Published(steady(), GPU_MODEL, rng, SPAWN_S + 15)

    def reading(at_s: float) -> tuple[int, float]:
        stuck = SPAWN_S + 3 < at_s < SPAWN_S + 7
        return published.counter_uj(SPAWN_S + 3 if stuck else at_s), published.power_w(at_s)

    run = Run(ScriptedSensor(clock, reading), clock, rng)
    run.drive(10.0)
    assert run.energy_j == pytest.approx(3000, rel=0.02)
    assert run.channel.energy.method == "counter"


def test_a_counter_that_is_missing_at_first_and_comes_later() -> None:
    rng = random.Random(8)
    clock = FakeClock()
    published = Published(steady(), GPU_MODEL, rng, SPAWN_S + 10)

    def reading(at_s: float) -> tuple[int | None, float]:
        return published.counter_uj(at_s) if at_s > SPAWN_S + 3 else None, published.power_w(at_s)

    run = Run(ScriptedSensor(clock, reading), clock, rng)
    run.drive(8.0)
    assert run.energy_j == pytest.approx(2400, rel=0.02)
    assert run.channel.energy.method == "counter"


def test_a_counter_that_moves_at_each_read() -> None:
    rng = random.Random(9)
    clock = FakeClock()
    truth = burst(5.0)
    run = Run(ScriptedSensor(clock, lambda at_s: (int(truth.energy_j(at_s) * 1e6), 60.0)), clock, rng)
    run.drive(5.0)
    assert run.energy_j == pytest.approx(2000, rel=0.005)


def test_parts_of_a_run_sum_to_the_device_to_the_microjoule() -> None:
    for seed in range(30):
        rng = random.Random(seed)
        clock = FakeClock()
        published = Published(noisy(3.0, rng), GPU_MODEL, rng, SPAWN_S + 5)
        workers = [process(pid) for pid in range(1, 6)]

        def usage(since_s: float, now_s: float, rng: random.Random = rng, workers: list[ProcessId] = workers) -> Usage:
            busy = {worker: rng.random() for worker in workers if rng.random() < 0.7}
            return Usage(since_s, now_s, busy, rng.random() / 9, frozenset(workers[:3]), rng.randrange(2), samples=6)

        run = Run(ScriptedSensor(clock, published.reading), clock, rng, ScriptedUsage(clock, usage))
        run.drive(3.0)
        totals = run.ledger.totals(GPU.id)
        parts = totals.idle_uj + totals.context_uj + totals.active_uj + totals.unattributed_uj
        assert parts == totals.energy_uj > 0
        shown = run.ledger.draft(0.0, "", {}).snapshot().processes
        assert sum(row.context_uj + row.active_uj for row in shown) == totals.context_uj + totals.active_uj


def test_the_same_run_gives_the_same_figure_whatever_came_before() -> None:
    """Energy before the spawn must not leak in: 1000 W until the spawn, 100 W after it."""
    truth = Truth([(0.0, 1000.0), (SPAWN_S, 100.0)])
    errors = [abs(simulated_run(truth, GPU_MODEL, seed, 5.0).energy_j - 500) / 500 for seed in range(60)]
    assert max(errors) < 0.03
    assert statistics.mean(errors) < 0.01
