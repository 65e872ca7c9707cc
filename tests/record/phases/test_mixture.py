"""Powers of phases that no piece holds alone."""

from __future__ import annotations

import random

import pytest

from aipower.record.phases.mixture import MOST, PRIOR_SE, Mixture

ONE, OTHER = (("one",),), (("other",),)


def test_changing_shares_tell_phases_apart() -> None:
    mixture, chance = Mixture(), random.Random(1)
    for _ in range(300):
        share = chance.uniform(0.2, 0.8)
        mixture.see({ONE: share, OTHER: 1 - share}, 300.0 * share + 100.0 * (1 - share) + chance.gauss(0, 1.0))
    one, other = mixture.power_w(ONE), mixture.power_w(OTHER)
    assert one is not None
    assert other is not None
    assert abs(one[0] - 300.0) < 3 * one[1]
    assert abs(other[0] - 100.0) < 3 * other[1]
    assert one[1] < 15.0
    assert mixture.noise_w == pytest.approx(1.0, rel=0.5)


def test_equal_shares_tell_nothing_apart() -> None:
    mixture, chance = Mixture(), random.Random(1)
    for _ in range(300):
        mixture.see({ONE: 0.5, OTHER: 0.5}, 200.0 + chance.gauss(0, 1.0))
    one = mixture.power_w(ONE)
    assert one is not None
    assert one[1] > 0.5 * PRIOR_SE * 200.0


def test_a_new_phase_may_draw_anything() -> None:
    mixture = Mixture()
    assert mixture.power_w(ONE) is None
    mixture.see({ONE: 1.0}, 0.0)
    assert mixture.power_w(ONE) is not None


def test_no_more_than_some_are_told_apart() -> None:
    mixture = Mixture()
    for number in range(3 * MOST):
        mixture.see({((str(number),),): 1.0}, 100.0)
    assert len(mixture._powers_w) == MOST
