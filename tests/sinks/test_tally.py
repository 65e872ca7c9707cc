"""What is counted and told of a sink."""

from __future__ import annotations

import logging

import pytest

from aipower.daemon.sinks.tally import MOST_REASONS, REASONS, Tally, one_line
from fakes import FakeClock


def test_pushes_that_arrive_are_counted_and_timed() -> None:
    clock = FakeClock(100.0)
    tally = Tally("push", 10.0, clock)
    tally.begin()
    clock.sleep(2.5)
    tally.arrived()
    state = tally.state()
    assert (state.name, state.up, state.pushes, state.skipped, state.push_s) == ("push", True, 1, 0, 2.5)
    assert state.pushed_unix_s == clock.unix_s()
    assert dict(state.faults) == dict.fromkeys(REASONS, 0)


def test_a_push_under_way_counts_too_and_nothing_falls_when_it_ends() -> None:
    clock = FakeClock(0.0)
    tally = Tally("push", 10.0, clock)
    tally.begin()
    clock.sleep(35.0)
    before = tally.state()
    assert (before.skipped, before.push_s, before.pushes) == (3, 35.0, 0)
    tally.arrived()
    after = tally.state()
    assert (after.skipped, after.push_s, after.pushes) == (3, 35.0, 1)


def test_a_push_that_hangs_is_one_fault_while_it_is_under_way() -> None:
    clock = FakeClock(0.0)
    tally = Tally("push", 10.0, clock, hung_s=60.0)
    tally.begin()
    clock.sleep(60.0)
    assert tally.state().up
    clock.sleep(1.0)
    assert [tally.state().faults["hung"] for _ in range(3)] == [1, 1, 1]
    assert not tally.state().up
    tally.arrived()
    assert tally.state().up
    assert tally.state().faults["hung"] == 1


def test_one_line_when_it_goes_down_and_one_when_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally("push", 10.0, FakeClock())
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            tally.begin()
            tally.failed("refused", "nobody\nlistens")
        tally.begin()
        tally.arrived()
        tally.begin()
        tally.arrived()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "sink push does not deliver: refused: nobody listens"),
        ("WARNING", "sink push delivers again, after 3 failed pushes"),
    ]
    assert tally.state().faults["refused"] == 3


def test_reasons_of_others_cannot_flood_the_page() -> None:
    tally = Tally("push", 10.0, FakeClock())
    for number in range(100):
        tally.failed(f"reason_{number}", "")
    tally.failed('bad "label"\n', "")
    faults = tally.state().faults
    assert len(faults) == MOST_REASONS
    assert sum(faults.values()) == 101
    assert faults["reason_0"] == 1
    assert 'bad "label"\n' not in faults


def test_a_text_of_others_is_one_line_of_bounded_length() -> None:
    assert one_line("a\n\tb\x1b[31m") == "a b?[31m"
    assert len(one_line("x" * 10_000)) == 300
