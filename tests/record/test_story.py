"""Whose phases a process is in, and how a run's story ends."""

from __future__ import annotations

import pytest

from aipower.channel import Channel
from aipower.model import Attribution, EnergyDelta, ProcessId
from aipower.processes.procfs import StatRow
from aipower.record.phases.book import NOBODY
from aipower.record.phases.levels import ANYBODY
from aipower.record.story import MAX_PARENTS, Story
from fakes import GPU, FakeClock, ScriptedSensor, process
from record.phases.told import begin, end

TRAIN = ("train",)
MINE = frozenset(process(pid) for pid in (1, 2, 3, 4))


def row(pid: int, ppid: int, started_ticks: int = 100) -> StatRow:
    return StatRow(pid, ppid, "python", "S", 0, 0, 0, 0, 1, started_ticks, 0)


def story(*rows: StatRow) -> Story:
    told = Story(lambda who: who in MINE)
    told.start(10.0)
    told.meet(rows)
    return told


def test_a_child_is_in_the_phases_of_its_parent() -> None:
    told = story(row(1, 0), row(2, 1), row(3, 2))
    told.feed(begin(11, 1, "train", pid=1))
    assert [told._teller(pid) for pid in (1, 2, 3)] == [1, 1, 1]


def test_the_nearest_that_tells_counts() -> None:
    told = story(row(1, 0), row(2, 1), row(3, 2))
    told.feed(begin(11, 1, "train", pid=1) + begin(11, 1, "load", pid=2))
    assert told._teller(3) == 2


def test_who_has_no_such_parent_is_in_none() -> None:
    told = story(row(1, 0), row(2, 0))
    told.feed(begin(11, 1, "train", pid=1))
    assert told._teller(2) == NOBODY


def test_without_phases_nobody_tells() -> None:
    assert story(row(1, 0))._teller(1) == NOBODY


def test_pids_of_another_namespace_stand_for_anybody() -> None:
    told = story(row(4001, 4000))
    told.feed(begin(11, 1, "train", pid=1))
    assert told._teller(4001) == ANYBODY


def test_a_pid_that_is_used_again_has_its_new_parent() -> None:
    told = story(row(1, 0), row(2, 1))
    told.feed(begin(11, 1, "train", pid=1))
    told.meet([row(1, 0), row(2, 0, started_ticks=900)])
    assert told._teller(2) == NOBODY


def test_an_orphan_keeps_its_parent() -> None:
    told = story(row(1, 0), row(2, 1))
    told.feed(begin(11, 1, "train", pid=1))
    told.meet([row(1, 0), row(2, 999)])
    assert told._teller(2) == 1


def test_parents_that_point_at_each_other_are_no_loop() -> None:
    told = story(row(1, 2), row(2, 1))
    told.feed(begin(11, 1, "train", pid=3))
    told.meet([row(1, 2), row(2, 1), row(3, 0)])
    assert told._teller(1) == NOBODY


def test_parents_are_bounded() -> None:
    told = story(*(row(pid, 1) for pid in range(1, MAX_PARENTS + 100)))
    assert len(told._parents) == MAX_PARENTS


def test_who_died_in_a_phase_left_it() -> None:
    told = story(row(1, 0), row(2, 1))
    told.feed(begin(11, 1, "train", pid=2) + begin(12, 1, "eval", pid=1))
    told.meet([row(1, 0)])
    told.feed(end(13, 1, pid=1))
    assert told.marks.tallies[TRAIN].count == 0  # its last message may be on its way
    told.meet([row(1, 0)])
    told.end(20.0)
    told.close()
    assert told.marks.tallies[TRAIN].wall_s == 2.0


def test_a_window_goes_to_the_phase_of_those_who_used_it() -> None:
    told = story(row(1, 0), row(2, 1))
    told.feed(begin(10, 1, "train", pid=1))
    clock = FakeClock()
    channel = Channel(ScriptedSensor(clock, lambda _: (0, None)), None, 5.0, clock)
    delta = EnergyDelta(GPU, 10.0, 11.0, 200_000_000)
    channel.taken = [delta]
    told.taken(channel, delta, None)
    told.end(11.0)
    told.close()
    stranger = ProcessId("boot", 77, 1)
    told.posted(Attribution(delta, 20, {process(2): 30}, {process(1): 100_000_000, stranger: 99_999_950}, 0))
    assert told.phases.parts["GPU-0", TRAIN].own_uj == 100_000_030
    assert told.timeline.totals_j() == {"GPU-0": pytest.approx(200.0)}
