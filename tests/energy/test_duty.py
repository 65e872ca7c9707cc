"""Whether a counter sees all of the time shows where power changes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from aipower.energy.duty import DutyCheck
from energy.simulator import Truth

PERIOD_S, WINDOW_S = 0.1, 0.025


def checked(truth: Truth, count: int, *, part: bool) -> DutyCheck:
    """`count` periods from 1 s on."""
    check = DutyCheck()
    check.begin(truth.between_j(0.9, 1.0) / 0.1)
    for number in range(1, count):
        end_s = 1 + number * PERIOD_S
        reading_w = truth.between_j(end_s - WINDOW_S, end_s) / WINDOW_S
        step_w = reading_w if part else truth.between_j(end_s - PERIOD_S, end_s) / PERIOD_S
        check.see(step_w, reading_w)
    return check


def switching(seed: int, count: int) -> Truth:
    """60 or 400 W, in turn, for 30 to 400 ms each."""
    rng = random.Random(seed)
    edges, at_s = [(0.0, 60.0)], 1.0
    for number in range(count):
        at_s += rng.uniform(0.03, 0.4)
        edges.append((at_s, 60.0 if number % 2 else 400.0))
    return Truth(edges)


@given(st.integers(0, 10**6))
def test_a_load_that_switches_tells_the_two_apart(seed: int) -> None:
    truth = switching(seed, 60)
    assert checked(truth, 100, part=True).verdict == "part"
    assert checked(truth, 100, part=False).verdict == "full"


def test_a_steady_load_tells_nothing() -> None:
    truth = Truth([(0.0, 300.0)])
    assert checked(truth, 100, part=True).verdict == "unknown"
    assert checked(truth, 100, part=False).verdict == "unknown"


def test_readings_that_stand_beside_the_counter_show_a_counter_that_sees_more() -> None:
    """A square wave in step with the sensor: it reads 400 W, the counter rises by 230 W."""
    check = DutyCheck()
    for _ in range(5):
        check.see(230.0, 400.0)
    assert check.verdict == "full"


def test_two_updates_that_pass_for_one_are_no_sign() -> None:
    check = DutyCheck()
    for _ in range(5):
        check.see(130.0, 65.0)
    assert check.verdict == "unknown"


def test_a_change_that_shows_in_two_readings_counts_once() -> None:
    """It began while the sensor looked: 60, 142 and 258 W. The second step is all new, whatever the counter sees."""
    check = DutyCheck()
    check.begin(60.0)
    for step_w, reading_w in ((80.0, 142.0), (258.0, 258.0), (258.0, 258.0)):
        check.see(step_w, reading_w)
    assert check.verdict == "unknown"
    check.see(61.0, 60.0)
    assert check.verdict == "unknown"
