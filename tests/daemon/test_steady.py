"""Periodic work while the wall clock is set."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from aipower.daemon.finding.steady import JUMP_S, SteadyScheduler

DEADLINE_S = 60.0


@pytest.mark.parametrize(("jump_s", "planned_anew"), [(-3600.0, True), (3600.0, True), (0.5 * JUMP_S, False)])
def test_jobs_are_planned_anew_where_the_wall_clock_jumps(jump_s: float, planned_anew: bool) -> None:
    """A job that is due in an hour stands for one that was due before the clock was set back."""
    ahead, ran = {"s": 1000.0}, threading.Event()
    scheduler = SteadyScheduler(lambda: ahead["s"])
    soon = datetime.now(UTC) + timedelta(hours=1)
    scheduler.add_job(ran.set, "interval", seconds=5, next_run_time=soon)
    scheduler.start()
    try:
        ahead["s"] += jump_s
        scheduler.wakeup()
        if planned_anew:
            assert ran.wait(DEADLINE_S)
        else:
            assert not ran.wait(0.3)
    finally:
        scheduler.shutdown(wait=False)


def test_it_looks_often_enough_to_notice() -> None:
    scheduler = SteadyScheduler()
    assert scheduler._process_jobs() is None
    scheduler.add_job(print, "interval", hours=1)
    scheduler.start(paused=True)
    scheduler.resume()
    try:
        wait_s = scheduler._process_jobs()
        assert wait_s is not None
        assert 0 < wait_s <= 5
    finally:
        scheduler.shutdown(wait=False)
