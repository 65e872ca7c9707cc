"""How often a user may ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aipower.daemon.runs.allowance import MOST_USERS, Allowance


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    allowance = Allowance(10.0, 3.0)
    assert [allowance.take(1, 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert not allowance.take(1, 0.05)
    assert allowance.take(1, 0.11)
    assert allowance.take(2, 0.11)


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_never_more_than_the_rate_and_one_burst(pauses_s: list[float]) -> None:
    allowance, now_s, taken = Allowance(10.0, 32.0), 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        taken += allowance.take(1, now_s)
    assert taken <= 32 + 10 * now_s + 1e-6


def test_users_who_went_away_are_forgotten() -> None:
    allowance = Allowance(10.0, 3.0)
    for user in range(3 * MOST_USERS):
        assert allowance.take(user, float(user))
    assert len(allowance._left) <= MOST_USERS
