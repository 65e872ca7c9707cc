"""The schedule: lateness is how late ticks began, not how long they took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.daemon.sampling.pace import JITTER, Schedule
from fakes import FakeClock


def tick(schedule: Schedule, clock: FakeClock, takes_s: float, wakes_late_s: float = 0.0) -> None:
    schedule.begin()
    clock.sleep(takes_s)
    schedule.end()
    clock.sleep(schedule.pause_s())
    clock.sleep(wakes_late_s)


def test_punctual_ticks_are_not_late_however_long_they_take() -> None:
    clock = FakeClock(5.0)
    schedule = Schedule(1.0, clock)
    for _ in range(10):
        tick(schedule, clock, 0.9)
    assert schedule.late_s == pytest.approx(0, abs=1e-6)
    assert (schedule.ticks, schedule.missed) == (10, 0)
    assert schedule.busy_s == pytest.approx(9)


def test_a_thread_that_wakes_late_is_late() -> None:
    clock = FakeClock(5.0)
    schedule = Schedule(1.0, clock)
    for _ in range(10):
        tick(schedule, clock, 0.1, wakes_late_s=0.2)
    schedule.begin()
    assert schedule.late_s == pytest.approx(10 * 0.2, abs=1e-6)


def test_a_tick_that_takes_too_long_makes_the_next_one_late() -> None:
    clock = FakeClock(5.0)
    schedule = Schedule(1.0, clock)
    tick(schedule, clock, 1.5)
    assert schedule.pause_s() == 0
    schedule.begin()
    assert 0.5 - JITTER <= schedule.late_s <= 0.5
    assert schedule.missed == 0


def test_what_was_missed_is_counted_and_not_made_up_for() -> None:
    clock = FakeClock(5.0)
    schedule = Schedule(1.0, clock)
    tick(schedule, clock, 7.25)
    assert schedule.missed == 6
    tick(schedule, clock, 0.1)
    assert clock.now_s == pytest.approx(5 + 8, abs=JITTER + 1e-9)


def test_a_restart_forgives_what_came_before() -> None:
    clock = FakeClock(5.0)
    schedule = Schedule(1.0, clock)
    clock.sleep(30)
    schedule.restart()
    schedule.begin()
    assert schedule.late_s == 0


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 3)), max_size=30))
def test_any_course_stays_on_the_grid(course: list[tuple[float, float]]) -> None:
    clock = FakeClock(0.0)
    schedule = Schedule(1.0, clock)
    for takes_s, late_s in course:
        tick(schedule, clock, takes_s, late_s)
    assert schedule.ticks == len(course)
    assert schedule.late_s >= 0
    assert schedule.busy_s == pytest.approx(sum(takes_s for takes_s, _ in course))
    assert schedule.ticks + schedule.missed <= clock.now_s + 1
