"""Whose process is whose, as long as somebody may ask."""

from __future__ import annotations

from aipower.daemon.runs.members import REMEMBER_S, Members
from fakes import process

FIRST, SECOND, THIRD = process(1), process(2), process(3)


def test_a_process_stays_with_the_run_that_met_it_first_while_that_lasts() -> None:
    members = Members()
    members.meet("inner", [FIRST], 0.0, {"inner", "outer"})
    members.meet("outer", [FIRST, SECOND], 1.0, {"inner", "outer"})
    assert [members.run_of(p) for p in (FIRST, SECOND, THIRD)] == ["inner", "outer", ""]
    members.meet("outer", [FIRST], 2.0, {"outer"})
    assert members.run_of(FIRST) == "outer"


def test_who_was_not_seen_for_a_while_is_forgotten() -> None:
    members = Members()
    for number in range(1000):
        members.meet("run", [process(1), process(number + 2)], float(number), {"run"})
        members.forget(float(number))
    assert members.run_of(process(1)) == "run"
    assert len(members) <= REMEMBER_S + 2
