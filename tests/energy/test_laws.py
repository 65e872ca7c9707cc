"""Whatever a sensor says, energy is never negative, never counted twice and never beyond what power allows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.energy import split
from aipower.energy.counter import POWER_MARGIN
from aipower.energy.device import DeviceEnergy
from aipower.energy.levels import Level
from aipower.energy.split import Split
from aipower.energy.window import ending_at, join, retimed, starting_at
from aipower.model import EnergyDelta, Reading
from aipower.seams import SensorTraits
from fakes import GPU

COUNTERS = st.one_of(
    st.none(),
    st.integers(-10, 10**6),
    st.integers(0, 2**64),
    st.integers(990_000_000, 1_000_000_001),
)
POWERS = st.one_of(st.none(), st.floats(-10, 5000), st.sampled_from([float("nan"), float("inf"), 0.0, 300.0]))
STEPS = st.floats(0, 12, allow_nan=False)
READINGS = st.lists(st.tuples(STEPS, COUNTERS, POWERS), max_size=60)
WRAPPING = SensorTraits(0.1, 1_000_000_000, 1000.0)
ENDLESS = SensorTraits(0.1, None, 1000.0)


def deltas_of(energy: DeviceEnergy, readings: Sequence[tuple[float, int | None, float | None]]) -> list[EnergyDelta]:
    deltas: list[EnergyDelta] = []
    at_s = 100.0
    for step_s, counter_uj, power_w in readings:
        at_s += step_s
        deltas.extend(energy.advance(Reading(at_s, counter_uj, power_w)).deltas)
    return list(energy.close(at_s, deltas))


@settings(max_examples=400, deadline=None)
@given(READINGS, st.sampled_from([WRAPPING, ENDLESS]))
def test_intervals_run_forwards_and_never_overlap(
    readings: list[tuple[float, int | None, float | None]], traits: SensorTraits
) -> None:
    deltas = deltas_of(DeviceEnergy(GPU, traits, 5.0), readings)
    for earlier, later in itertools.pairwise(deltas):
        assert earlier.end_s <= later.start_s
    assert all(delta.energy_uj >= 0 for delta in deltas)


@settings(max_examples=400, deadline=None)
@given(READINGS, st.sampled_from([WRAPPING, ENDLESS]))
def test_no_sequence_of_readings_exceeds_what_power_allows(
    readings: list[tuple[float, int | None, float | None]], traits: SensorTraits
) -> None:
    deltas = deltas_of(DeviceEnergy(GPU, traits, 5.0), readings)
    span_s = sum(step_s for step_s, _, _ in readings)
    news = 1 + len(readings)
    most_uj = traits.max_power_w * POWER_MARGIN * (span_s + 2 * news * traits.update_period_s) * 1e6
    assert sum(delta.energy_uj for delta in deltas) <= most_uj


@settings(max_examples=300, deadline=None)
@given(READINGS, st.floats(100, 400), st.floats(0, 200))
def test_a_run_has_energy_only_between_its_ends(
    readings: list[tuple[float, int | None, float | None]], start_s: float, length_s: float
) -> None:
    energy = DeviceEnergy(GPU, ENDLESS, 5.0)
    energy.open(start_s)
    deltas = energy.close(start_s + length_s, deltas_of(energy, readings))
    assert all(start_s <= delta.start_s < delta.end_s <= start_s + length_s for delta in deltas)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 3), st.integers(0, 2_000_000)), min_size=2, max_size=60))
def test_a_healthy_counter_is_accounted_for_to_the_microjoule(steps: list[tuple[float, int]]) -> None:
    """From the first value to the last, nothing is lost and nothing is doubled, however uneven the reads."""
    energy = DeviceEnergy(GPU, SensorTraits(0.1, None, 1e12), 5.0)
    at_s, counter_uj, deltas = 100.0, 5, list[EnergyDelta]()
    for step_s, rise_uj in steps:
        at_s, counter_uj = at_s + step_s, counter_uj + rise_uj
        deltas.extend(energy.advance(Reading(at_s, counter_uj)).deltas)
    before_close_s = at_s
    deltas.extend(delta for delta in energy.close(before_close_s, ()) if delta.method == "counter")
    assert sum(delta.energy_uj for delta in deltas) == counter_uj - 5 - steps[0][1]


LEVELS = st.one_of(st.none(), st.builds(Level, st.floats(0, 3000), st.floats(0, 500)))


@given(st.integers(0, 2**70), st.floats(0.001, 10), st.floats(0.01, 0.99), LEVELS, LEVELS, st.floats(0, 0.1))
def test_a_cut_loses_nothing(
    energy_uj: int, span_s: float, share: float, before: Level | None, after: Level | None, timing_s: float
) -> None:
    delta = EnergyDelta(GPU, 100.0, 100.0 + span_s, energy_uj)
    cut = Split(delta, 100.0 + span_s * share, before, after, timing_s)
    left, right = split.before(cut), split.after(cut)
    assert left.energy_uj + right.energy_uj == energy_uj
    assert left.end_s == right.start_s
    assert join([left, right]) == delta
    assert cut.se_uj >= 0


@given(st.integers(0, 2**60), st.floats(0.001, 10), st.floats(0.01, 0.99))
def test_a_cut_in_proportion_loses_nothing(energy_uj: int, span_s: float, share: float) -> None:
    delta = EnergyDelta(GPU, 100.0, 100.0 + span_s, energy_uj)
    left, right = ending_at(delta, 100.0 + span_s * share), starting_at(delta, 100.0 + span_s * share)
    assert left is not None
    assert right is not None
    assert join([left, right]) == delta


def test_retiming_moves_inner_edges_and_keeps_energy() -> None:
    deltas = [EnergyDelta(GPU, 0.0, 1.0, 5), EnergyDelta(GPU, 1.0, 2.0, 7), EnergyDelta(GPU, 2.0, 3.0, 9)]
    steps = [EnergyDelta(GPU, 0.9, 1.8, 7), EnergyDelta(GPU, 1.8, 2.9, 9)]
    timed = retimed(deltas, steps)
    assert [(delta.start_s, delta.end_s, delta.energy_uj) for delta in timed] == [
        (0.0, 0.9, 5),
        (0.9, 1.8, 7),
        (1.8, 2.9, 9),
    ]
