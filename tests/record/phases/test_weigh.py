"""A piece's energy is shared by what its phases draw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.energy.levels import Level
from aipower.model import EnergyDelta
from aipower.record.phases.weigh import Item, weigh
from fakes import GPU

ONE, OTHER = (("one",),), (("other",),)


def piece(energy_j: float, span_s: float = 0.1) -> EnergyDelta:
    return EnergyDelta(GPU, 0.0, span_s, round(energy_j * 1e6))


def test_levels_that_fit_are_believed() -> None:
    parts = weigh(piece(18.0), [Item(ONE, 0.04, Level(300, 1)), Item(OTHER, 0.06, Level(100, 1))], 0.0)
    assert parts[ONE].energy_uj == pytest.approx(12e6, rel=1e-6)
    assert parts[OTHER].energy_uj == pytest.approx(6e6, rel=1e-6)


def test_the_rest_goes_to_what_is_known_least() -> None:
    parts = weigh(piece(20.0), [Item(ONE, 0.04, Level(300, 40)), Item(OTHER, 0.06, Level(100, 1))], 0.0)
    assert parts[ONE].energy_uj == pytest.approx(14e6, rel=0.01)
    assert parts[ONE].variance_uj2 == pytest.approx(parts[OTHER].variance_uj2)


def test_a_single_unknown_phase_has_what_the_others_leave() -> None:
    parts = weigh(piece(18.0), [Item(ONE, 0.04, None), Item(OTHER, 0.06, Level(100, 1))], 0.001)
    assert parts[ONE].energy_uj == pytest.approx(12e6, rel=0.01)
    assert parts[ONE].variance_uj2 ** 0.5 + parts[ONE].systematic_uj < 0.3e6


def test_unknown_phases_share_by_time_and_may_be_off_the_same_way_each_time() -> None:
    parts = weigh(piece(20.0), [Item(ONE, 0.05, None), Item(OTHER, 0.05, None)], 0.0)
    assert parts[ONE].energy_uj == pytest.approx(10e6, rel=1e-3)
    assert parts[ONE].systematic_uj == pytest.approx(0.25 * 20e6, rel=0.02)


def test_power_that_changed_elsewhere_goes_by_time_and_is_doubtful() -> None:
    parts = weigh(piece(40.0), [Item(ONE, 0.05, Level(100, 1)), Item(OTHER, 0.05, Level(100, 1))], 0.0)
    assert parts[ONE].energy_uj == pytest.approx(20e6, rel=0.01)
    assert parts[ONE].variance_uj2 ** 0.5 > 10e6


def test_a_part_time_sensor_makes_its_edges_doubtful() -> None:
    items = [Item(ONE, 0.05, Level(300, 1)), Item(OTHER, 0.05, Level(100, 1))]
    all_seen, part_seen = weigh(piece(20.0), items, 0.0), weigh(piece(20.0), items, 0.0, 0.075)
    assert part_seen[ONE].variance_uj2 > 100 * all_seen[ONE].variance_uj2
    assert part_seen[ONE].systematic_uj > 0


items_ = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.floats(1e-4, 0.1),
        st.none() | st.builds(Level, st.floats(0, 1000), st.floats(0.5, 200)),
        st.floats(0, 50),
        st.integers(0, 2),
    ),
    min_size=2,
    max_size=6,
)


@given(items_, st.integers(0, 10**8), st.floats(0, 0.05), st.sampled_from([0.0, 0.075]))
def test_parts_sum_to_the_piece_and_none_is_negative(
    given_items: list[tuple[str, float, Level | None, float, int]], energy_uj: int, timing_se_s: float, unseen_s: float
) -> None:
    items = [Item(((name,),), span, level, common, borders) for name, span, level, common, borders in given_items]
    whole = EnergyDelta(GPU, 0.0, sum(item.span_s for item in items), energy_uj)
    parts = weigh(whole, items, timing_se_s, unseen_s)
    assert sum(part.energy_uj for part in parts.values()) == pytest.approx(energy_uj, rel=1e-6, abs=1)
    assert all(
        part.energy_uj >= 0 and part.variance_uj2 >= -1e-6 and part.systematic_uj >= 0 for part in parts.values()
    )
    assert sum(part.span_s for part in parts.values()) == pytest.approx(whole.span_s)
