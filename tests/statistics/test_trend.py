from __future__ import annotations

import random

import pytest

from aipower.statistics.trend import trend


def test_a_textbook_line() -> None:
    # Least squares of (1, 2), (2, 4), (3, 5), (4, 4), (5, 5): slope 0.6, residual 2.4, t = 0.6 / sqrt(0.8 / 10) = 2.12
    found = trend([(1, 2), (2, 4), (3, 5), (4, 4), (5, 5)])
    assert found is not None
    assert found.slope == pytest.approx(0.6)
    assert found.p == pytest.approx(0.1240, abs=1e-4)


def test_groups_have_a_slope_in_common_but_not_a_level() -> None:
    found = trend([(0, 10), (1, 11), (2, 12)], [(10, 5), (11, 6), (12, 7)])
    assert found is not None
    assert found.slope == pytest.approx(1)
    assert found.p == 0


def test_nothing_to_see() -> None:
    assert trend([(0, 1), (1, 2)]) is None
    assert trend([(3, 1), (3, 2), (3, 3)]) is None
    assert trend([]) is None
    flat = trend([(0, 7), (1, 7), (2, 7)])
    assert flat is not None
    assert flat.p == 1


def test_chance_gives_a_small_p_as_seldom_as_it_says() -> None:
    rng = random.Random(2)
    found = [trend([(n, rng.gauss(0, 1)) for n in range(5)]) for _ in range(2000)]
    small = sum(1 for each in found if each is not None and each.p < 0.05)
    assert 0.035 < small / 2000 < 0.065
