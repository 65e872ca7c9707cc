"""Pieces of energy are cut at the edges of phases."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import EnergyDelta
from aipower.record.phases.cut import Around, Cut, Learned, cut
from aipower.record.phases.levels import by_level
from aipower.record.phases.teller import OUTSIDE, Path, Stretch
from aipower.record.phases.usual import Timing
from fakes import GPU

TRAIN, EVAL, STEP = ("train",), ("eval",), ("train", "step")
PIECE_S = 0.1


def pieces(powers_w: Sequence[float], start_s: float = 0.0) -> list[EnergyDelta]:
    """Pieces of a tenth of a second."""
    return [
        EnergyDelta(GPU, start_s + k * PIECE_S, start_s + (k + 1) * PIECE_S, round(power_w * PIECE_S * 1e6))
        for k, power_w in enumerate(powers_w)
    ]


def cuts(
    given_pieces: list[EnergyDelta],
    stretches: Sequence[Stretch],
    timing_se_s: float = 0.001,
    learned: dict[int, Learned] | None = None,
) -> dict[Path, Cut]:
    around = Around(given_pieces, 0, len(given_pieces), Timing(), timing_se_s)
    return cut(around, by_level(stretches), {} if learned is None else learned)


def test_without_a_phase_all_is_outside() -> None:
    found = cuts(pieces([100.0] * 10), [Stretch(0.0, 1.0, ())])
    assert found.keys() == {OUTSIDE}
    assert found[OUTSIDE].energy_uj == 100e6
    assert found[OUTSIDE].time_s == pytest.approx(1.0)


def test_an_edge_inside_a_piece_is_found_by_the_levels_beside_it() -> None:
    powers_w = [300.0] * 5 + [0.3 * 300 + 0.7 * 100] + [100.0] * 4
    found = cuts(pieces(powers_w), [Stretch(0.0, 0.53, (TRAIN,)), Stretch(0.53, 1.0, (EVAL,))])
    assert found[TRAIN].energy_uj == pytest.approx(0.53 * 300e6, rel=0.002)
    assert found[EVAL].energy_uj == pytest.approx(0.47 * 100e6, rel=0.006)
    assert found[TRAIN].variance_uj2 ** 0.5 < 0.5e6
    assert found[TRAIN].blurred_s == 0.0


def test_the_moment_between_two_phases_does_not_blur_them() -> None:
    powers_w = [300.0] * 5 + [0.3 * 300 + 0.7 * 100] + [100.0] * 4
    stretches = [Stretch(0.0, 0.529, (TRAIN,)), Stretch(0.529, 0.531, ()), Stretch(0.531, 1.0, (EVAL,))]
    found = cuts(pieces(powers_w), stretches)
    assert found[TRAIN].energy_uj == pytest.approx(0.529 * 300e6, rel=0.003)
    assert found[TRAIN].blurred_s == 0.0


def test_an_edge_within_a_phase_is_none_of_it() -> None:
    stretches = [Stretch(-1.0, 0.55, (STEP,)), Stretch(0.55, 2.0, (TRAIN,))]
    found = cuts(pieces([200.0] * 10), stretches)
    assert found[TRAIN].energy_uj == 200e6
    assert found[TRAIN].variance_uj2 < 1e-3
    assert found[STEP].energy_uj == pytest.approx(110e6, rel=0.02)


def test_phases_too_fast_to_see_are_shared_by_time_and_marked() -> None:
    stretches = [Stretch(k * 0.005, k * 0.005 + 0.005, (TRAIN if k % 2 else EVAL,)) for k in range(200)]
    found = cuts(pieces([200.0] * 10), stretches)
    assert found[TRAIN].energy_uj == pytest.approx(found[EVAL].energy_uj, rel=0.1)
    assert found[TRAIN].blurred_s == pytest.approx(0.5)
    assert found[TRAIN].systematic_uj > 0.1 * found[TRAIN].energy_uj


def test_two_threads_halve_what_both_are_in() -> None:
    found = cuts(pieces([200.0] * 10), [Stretch(0.0, 1.0, (EVAL, TRAIN))])
    assert found[EVAL].energy_uj == found[TRAIN].energy_uj == 100e6


def test_a_phase_that_is_known_helps_where_no_piece_is_beside() -> None:
    learned: dict[int, Learned] = {}
    cuts(pieces([300.0] * 10), [Stretch(0.0, 1.0, (TRAIN,))], learned=learned)
    cuts(pieces([100.0] * 10, 1.0), [Stretch(1.0, 2.0, (EVAL,))], learned=learned)
    stretches = [Stretch(2.0, 2.02, (TRAIN,)), Stretch(2.02, 2.05, (EVAL,)), Stretch(2.05, 2.1, (TRAIN,))]
    found = cuts(pieces([240.0], 2.0), stretches, learned=learned)
    assert found[TRAIN].energy_uj == pytest.approx(21e6, rel=0.01)
    assert found[EVAL].energy_uj == pytest.approx(3e6, rel=0.05)


def test_zero_energy_is_shared_as_zero() -> None:
    found = cuts(pieces([0.0] * 3), [Stretch(0.0, 0.15, (TRAIN,)), Stretch(0.15, 0.3, (EVAL,))])
    assert {path: one.energy_uj for path, one in found.items()} == {TRAIN: 0.0, EVAL: 0.0}


leaves = st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(tuple), max_size=2).map(
    lambda all_: tuple(sorted(set(all_)))
)


@given(
    st.lists(st.floats(0, 500), min_size=1, max_size=15),
    st.lists(st.tuples(st.floats(0.0005, 0.4), leaves), min_size=1, max_size=15),
    st.floats(0, 0.03),
)
def test_the_outermost_phases_sum_to_the_pieces_and_inner_ones_never_exceed_theirs(
    powers_w: list[float], told: list[tuple[float, tuple[Path, ...]]], timing_se_s: float
) -> None:
    stretches, at_s = [], 0.0
    for span_s, inside in told:
        stretches.append(Stretch(at_s, at_s + span_s, inside))
        at_s += span_s
    end_s = len(powers_w) * PIECE_S
    if at_s < end_s:
        stretches.append(Stretch(at_s, end_s, ()))
    whole = pieces(powers_w)
    found = cuts(whole, stretches, timing_se_s)
    top_uj = sum(one.energy_uj for path, one in found.items() if len(path) <= 1)
    assert top_uj == pytest.approx(sum(piece.energy_uj for piece in whole), rel=1e-6, abs=1)
    for path, one in found.items():
        inner_uj = sum(other.energy_uj for deeper, other in found.items() if deeper[:-1] == path and len(deeper) > 1)
        assert inner_uj <= one.energy_uj * (1 + 1e-6) + 1 or path == OUTSIDE
        assert one.variance_uj2 >= 0
        assert one.systematic_uj >= 0
