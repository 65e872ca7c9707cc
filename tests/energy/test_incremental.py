"""What is followed from reading to reading equals what the plain definitions say of all readings together."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.energy.average import HISTORY_SE, UNREST, UnfoldedAverage
from aipower.energy.part import Part
from aipower.energy.publications import Publications
from aipower.energy.shadow import Shadow
from aipower.energy.window import within_uj
from aipower.model import EnergyDelta
from fakes import GPU

PERIOD_S, WINDOW_S, MAX_GAP_S = 0.1, 1.0, 5.0
READINGS = st.lists(
    st.tuples(st.floats(0.005, 2.5), st.one_of(st.floats(0, 700), st.sampled_from([60.0, 400.0]))),
    min_size=2,
    max_size=40,
)
SPANS = st.lists(st.tuples(st.floats(0.001, 2), st.integers(0, 2**40)), min_size=1, max_size=30)


def stamped(readings: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """`(pause, watts)` as `(instant, watts)`."""
    at_s, found = 100.0, list[tuple[float, float]]()
    for pause_s, power_w in readings:
        at_s += pause_s
        found.append((at_s, power_w))
    return found


def plainly_unfolded(readings: Sequence[tuple[float, float]]) -> list[float]:
    """G at each publication, by looking G one window earlier up among all that is known."""
    publications = Publications(PERIOD_S)
    (first_s, first_w), *_ = publications.read(*readings[0])
    times_s, energies_j = [first_s - 2 * WINDOW_S, first_s], [-2 * first_w * WINDOW_S, 0.0]
    for at_s, power_w in readings[1:]:
        for value_s, value_w in publications.read(at_s, power_w):
            earlier_s = value_s - WINDOW_S
            right = bisect.bisect_right(times_s, earlier_s)
            if right == len(times_s):
                before_j = energies_j[-1]
            else:
                share = (earlier_s - times_s[right - 1]) / (times_s[right] - times_s[right - 1])
                before_j = energies_j[right - 1] + (energies_j[right] - energies_j[right - 1]) * share
            times_s.append(value_s)
            energies_j.append(before_j + value_w * WINDOW_S)
    return energies_j[2:]


@settings(max_examples=150, deadline=None)
@given(READINGS)
def test_a_running_average_is_unfolded_as_if_all_were_remembered(pauses: list[tuple[float, float]]) -> None:
    readings = stamped(pauses)
    average = UnfoldedAverage(PERIOD_S, WINDOW_S, MAX_GAP_S)
    parts = [part for at_s, power_w in readings for part in average.advance(at_s, power_w)]
    expected_uj, highest_uj = list[int](), 0
    for energy_j in plainly_unfolded(readings):
        # Energy that was handed out is not taken back.
        highest_uj = max(highest_uj, round(energy_j * 1e6))
        expected_uj.append(highest_uj)
    found_uj = [sum(part.energy_uj for part in parts[: number + 1]) for number in range(len(parts))]
    assert found_uj == pytest.approx(expected_uj, abs=len(parts) + 1)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.02, 0.09), st.floats(0, 700)), min_size=2, max_size=80))
def test_the_unrest_of_a_running_average_is_the_median_of_its_latest_steps(pauses: list[tuple[float, float]]) -> None:
    """Reads so dense miss no value, so that nothing but the unrest counts."""
    average, means_w = UnfoldedAverage(PERIOD_S, WINDOW_S, MAX_GAP_S), list[float]()
    for at_s, power_w in stamped(pauses):
        means_w += [part.energy_uj / 1e6 / (part.end_s - part.start_s) for part in average.advance(at_s, power_w)]
        steps_w = [abs(later - earlier) for earlier, later in itertools.pairwise(means_w)][-UNREST:]
        unrest_w = sorted(steps_w)[len(steps_w) // 2] if steps_w else 0.0
        assert average.variance_uj2 == (HISTORY_SE * unrest_w * WINDOW_S * 1e6) ** 2


@settings(max_examples=150, deadline=None)
@given(SPANS, st.lists(st.floats(0, 40), max_size=8))
def test_the_shadow_keeps_exactly_what_lies_after_the_counter(
    spans: list[tuple[float, int]], instants: list[float]
) -> None:
    """Whatever was added and dropped: the kept energy is that of the parts after the last drop, cut by time."""
    shadow, start_s = Shadow(), 0.0
    parts = list[Part]()
    for length_s, energy_uj in spans:
        parts.append(Part(start_s, start_s + length_s, energy_uj))
        start_s += length_s
    drops = sorted(instants)
    for part in parts:
        while drops and drops[0] <= part.start_s:
            shadow.drop_before(drops.pop(0))
        shadow.add(part)
    for at_s in drops:
        shadow.drop_before(at_s)
    from_s = max(instants, default=0.0)
    deltas = [EnergyDelta(GPU, part.start_s, part.end_s, part.energy_uj, "integrated") for part in parts]
    kept_uj = shadow.energy_uj
    assert kept_uj == sum(part.energy_uj for part in shadow.take())
    # A part that is cut more than once is rounded each time.
    assert kept_uj == pytest.approx(within_uj(deltas, from_s, start_s), abs=1 + len(instants), rel=1e-9)
    assert shadow.take() == []
    assert shadow.energy_uj == 0
