"""What all programs of a run have told, together."""

from __future__ import annotations

import math
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aipower.record.phases.marks import AHEAD_S, MAX_PATHS, MAX_TELLERS, MAX_UNITS
from aipower.record.phases.teller import Stretch
from record.phases.told import begin, end, marks, work

TRAIN, STEP = ("train",), ("train", "step")


def test_visits_are_counted_and_timed() -> None:
    told = marks(begin(11, 1, "train"), end(12, 1), begin(13, 2, "train"), end(15, 2))
    tally = told.tallies[TRAIN]
    assert (tally.count, tally.wall_s) == (2, 3.0)
    assert tally.spans.listed() == [(1.0, 2.0), (3.0, 5.0)]
    assert told.inside_s == 3.0


def test_an_inner_phase_is_in_its_outer_one() -> None:
    told = marks(begin(11, 1, "train"), begin(12, 2, "step", parent=1), end(13, 2), end(15, 1))
    assert {path: tally.wall_s for path, tally in told.tallies.items()} == {TRAIN: 4.0, STEP: 1.0}
    assert told.inside_s == 4.0


def test_work_counts_for_its_phase_those_around_it_and_the_run() -> None:
    told = marks(
        begin(11, 1, "train"), begin(11, 2, "step", parent=1), work(12, 2, "tokens", 5), work(12, 0, "tokens", 1)
    )
    assert told.work == {"tokens": 6.0}
    assert told.tallies[TRAIN].work == told.tallies[STEP].work == {"tokens": 5.0}


def test_sums_of_work_stay_numbers() -> None:
    told = marks(
        *[work(11, 0, "tokens", 1e300) for _ in range(10)], *[work(11, 0, "tokens", -1e300) for _ in range(10)]
    )
    assert math.isfinite(told.work["tokens"])


def test_the_last_value_of_a_metric_counts() -> None:
    told = marks(b"M 11000000000 7 0 loss 2.5\n", b"M 12000000000 7 0 loss 1.5\n")
    assert told.metrics == {"loss": 1.5}


def test_lost_messages_are_the_last_word_of_each_process_and_those_that_were_none() -> None:
    told = marks(
        b"L 11000000000 7 0 lost 2\n", b"L 12000000000 7 0 lost 5\n", b"L 12000000000 8 0 lost 1\n", b"nonsense\n"
    )
    assert told.lost == 7


def test_ranks_in_several_phases_are_told_together() -> None:
    told = marks(begin(11, 1, "train"), begin(12, 1, "eval", pid=8), end(13, 1), end(14, 1, pid=8))
    assert told.stretches(10.5, 15.0) == [
        Stretch(10.5, 11.0, ()),
        Stretch(11.0, 12.0, (TRAIN,)),
        Stretch(12.0, 13.0, (("eval",), TRAIN)),
        Stretch(13.0, 14.0, (("eval",),)),
        Stretch(14.0, 15.0, ()),
    ]
    assert told.inside_s == 3.0


def test_what_began_before_the_run_was_heard_counts_from_its_start() -> None:
    told = marks(begin(2, 1, "train"), end(12, 1))
    assert told.tallies[TRAIN].wall_s == 2.0
    assert told.inside_s == 2.0


def test_what_is_open_at_the_end_ends_with_the_run() -> None:
    told = marks(begin(11, 1, "train"))
    told.end(14.0)
    told.close()
    assert told.tallies[TRAIN].wall_s == 3.0


def test_what_is_told_after_the_end_is_cut_there() -> None:
    told = marks(begin(11, 1, "train"))
    told.end(12.0)
    for line in (end(13, 1), begin(14, 2, "train"), end(15, 2)):
        told.feed(line)
    told.close()
    assert (told.tallies[TRAIN].count, told.tallies[TRAIN].wall_s) == (1, 1.0)


def test_a_run_whose_end_nobody_told_ends_with_the_last_message() -> None:
    told = marks(begin(11, 1, "train"), begin(13, 2, "step", parent=1))
    told.close()
    assert told.tallies[TRAIN].wall_s == 2.0


def test_a_pid_that_has_a_new_owner_begins_anew() -> None:
    told = marks(begin(11, 1, "train"), begin(12, 2, "step", parent=1), begin(14, 1, "eval"), end(15, 1))
    assert told.tallies[TRAIN].wall_s == 3.0
    assert told.tallies[STEP].wall_s == 2.0
    assert told.tallies["eval",].wall_s == 1.0
    assert told.inside_s == 4.0


def test_a_message_that_comes_twice_is_one() -> None:
    told = marks(begin(11, 1, "train"), begin(11, 1, "train"), end(12, 1), end(12, 1))
    assert (told.tallies[TRAIN].count, told.tallies[TRAIN].wall_s) == (1, 1.0)


def test_a_time_that_cannot_be_is_no_time() -> None:
    told = marks(begin(11, 1, "train"), end(11 + 2 * AHEAD_S, 1), end(12, 1))
    assert told.tallies[TRAIN].wall_s == 1.0
    assert told.lost == 1


def test_further_names_go_for_the_phase_around_them() -> None:
    told = marks(begin(11, 1, "train"))
    for number in range(2 * MAX_PATHS):
        told.feed(
            begin(12, number + 2, f"step-{number}", parent=1) + begin(12.5, 10_000 + number, "in", parent=number + 2)
        )
        told.feed(end(13, 10_000 + number) + end(13, number + 2))
    told.feed(end(14, 1))
    assert len(told.tallies) <= MAX_PATHS
    assert {path[0] for path in told.tallies} == {"train"}
    assert (told.tallies[TRAIN].count, told.tallies[TRAIN].wall_s) == (1, 3.0)


def test_hostile_programs_take_bounded_memory() -> None:
    tracemalloc.start()
    told = marks()
    for number in range(1, 20_000):
        pid = number
        told.feed(
            begin(11, 1, f"n{number}", pid=pid) + b"L 1 %d 0 lost 5\n" % pid + work(11, 0, f"u{number}", 1.0, pid=pid)
        )
        told.feed(b"M 1 %d 0 m%d 1.0\n" % (pid, number))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(told.tellers) == MAX_TELLERS
    assert len(told._lost) == MAX_TELLERS
    assert len(told.work) == len(told.metrics) == MAX_UNITS
    assert size < 4_000_000


lines = st.one_of(
    st.binary(max_size=60),
    st.tuples(
        st.sampled_from("BEWML"),
        st.integers(-5, 30_000_000_000),
        st.integers(-1, 4),
        st.integers(-1, 5),
        st.integers(-1, 5),
        st.sampled_from(["a", "b", "%20", "1e9"]),
    ).map(lambda one: " ".join(map(str, one)).encode() + b"\n"),
    st.tuples(st.sampled_from("BE"), st.integers(0, 30_000_000_000), st.integers(1, 3), st.integers(1, 5)).map(
        lambda one: f"{one[0]} {one[1]} {one[2]} {one[3]}{' 0 a' if one[0] == 'B' else ''}\n".encode()
    ),
)


@given(st.lists(lines, max_size=60))
@example([b"B 0 2 1 0 \n", b"B 20000000001 2 1 0 \n"])
def test_anything_may_be_told(told: list[bytes]) -> None:
    heard = marks(*told)
    heard.end(20.0)
    heard.close()
    assert heard.lost >= 0
    assert heard._top_open == 0
    assert heard.inside_s == pytest.approx(min(10.0, heard.inside_s), abs=1e-9)
    for tally in heard.tallies.values():
        assert 0 <= tally.wall_s < math.inf
        assert all(0 <= low <= high <= 10.0 for low, high in tally.spans.listed())
