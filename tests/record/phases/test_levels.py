"""Stretches by level, made once for the windows of all devices."""

from __future__ import annotations

from aipower.record.phases.levels import ANYBODY, LevelsOf, by_level, is_in_phases
from aipower.record.phases.teller import Stretch
from record.phases.told import PID, begin, end, marks

TRAIN, STEP = ("train",), ("train", "step")


def test_an_outer_level_does_not_see_inner_edges() -> None:
    told = [Stretch(0, 1, (TRAIN,)), Stretch(1, 2, (STEP,)), Stretch(2, 3, (TRAIN,)), Stretch(3, 4, ())]
    assert by_level(told) == [[Stretch(0, 3, (TRAIN,)), Stretch(3, 4, ())], told]


def test_threads_in_one_outer_phase_are_one_there() -> None:
    told = [Stretch(0, 1, (STEP, ("train", "wait")))]
    assert by_level(told)[0] == [Stretch(0, 1, (TRAIN,))]


def test_without_phases_there_is_one_empty_level() -> None:
    assert by_level([Stretch(0, 1, ())]) == [[Stretch(0, 1, ())]]
    assert by_level([]) == [[]]
    assert not is_in_phases(by_level([Stretch(0, 1, ())]))
    assert not is_in_phases([])


def test_levels_are_made_again_when_something_was_told() -> None:
    heard = marks(begin(11, 1, "train"))
    levels = LevelsOf(heard)
    first = levels.between(PID, 11.0, 12.0)
    assert levels.between(PID, 11.2, 12.2) is first
    heard.feed(end(12, 1))
    assert levels.between(PID, 11.0, 13.0)[0][1].leaves == (TRAIN,)
    assert levels.between(ANYBODY, 11.0, 13.0) == levels.between(PID, 11.0, 13.0)
