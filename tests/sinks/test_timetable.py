"""When pushes are due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aipower.daemon.sinks.timetable import JITTER, LONGEST_PAUSE_S, Timetable


def latest(_low: float, high: float) -> float:
    return high


def earliest(low: float, _high: float) -> float:
    return low


def test_the_first_push_is_due_at_once_and_the_next_after_the_interval() -> None:
    table = Timetable(10.0, 100.0, latest)
    assert table.pause_s(100.0) == 0
    table.arrived(101.0)
    assert table.pause_s(101.0) == 10.0
    table.arrived(111.5)
    assert table.pause_s(111.5) == 9.5


def test_agents_that_were_started_together_spread_out() -> None:
    table = Timetable(10.0, 100.0, earliest)
    table.arrived(100.0)
    assert table.pause_s(100.0) == 5.0


def test_pushes_that_were_missed_are_not_made_up_for() -> None:
    table = Timetable(10.0, 0.0, latest)
    table.arrived(0.0)
    table.arrived(47.0)
    assert table.pause_s(47.0) == 3.0


def test_pauses_double_after_failures_up_to_a_minute_and_no_longer() -> None:
    table = Timetable(5.0, 0.0, latest)
    pauses_s = []
    for _ in range(40):
        table.failed(0.0)
        pauses_s.append(table.pause_s(0.0))
    assert pauses_s[:5] == [5.0, 10.0, 20.0, 40.0, 60.0]
    assert set(pauses_s[5:]) == {60.0}
    assert table.failures == 40


def test_after_failures_the_old_rhythm_comes_back() -> None:
    table = Timetable(5.0, 0.0, latest)
    for _ in range(9):
        table.failed(0.0)
    table.arrived(100.0)
    assert table.failures == 0
    assert table.pause_s(100.0) == 5.0
    table.failed(105.0)
    assert table.pause_s(105.0) == 5.0


def test_a_long_interval_is_never_shortened_to_a_minute() -> None:
    table = Timetable(600.0, 0.0, latest)
    table.failed(0.0)
    table.failed(0.0)
    assert table.pause_s(0.0) == 600.0


@given(
    st.floats(1.0, 3600.0),
    st.lists(st.tuples(st.booleans(), st.floats(0, 1000.0)), max_size=30),
    st.sampled_from((earliest, latest)),
)
def test_a_pause_is_within_its_bounds(interval_s: float, pushes: list[tuple[bool, float]], dice: object) -> None:
    table = Timetable(interval_s, 0.0, dice)  # type: ignore[arg-type]
    now_s = 0.0
    for well, lasted_s in pushes:
        now_s += table.pause_s(now_s) + lasted_s
        (table.arrived if well else table.failed)(now_s)
        pause_s = table.pause_s(now_s)
        longest_s = interval_s if well else max(LONGEST_PAUSE_S, interval_s)
        assert 0 <= pause_s <= longest_s * (1 + 1e-9)
        if not well:
            assert pause_s >= min(interval_s, LONGEST_PAUSE_S) * (1 - JITTER) * (1 - 1e-9)
