"""In which phases a process was."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from aipower.record.phases.lines import Mark
from aipower.record.phases.teller import MAX_DEPTH, MAX_OPEN, MAX_STRETCHES, Stretch, Teller, Visit, around

TRAIN, STEP = ("train",), ("train", "step")


def begin(at_s: float, id_: int, name: str, parent: int = 0) -> Mark:
    return Mark("B", at_s, 7, id_, parent, name)


def end(at_s: float, id_: int) -> Mark:
    return Mark("E", at_s, 7, id_)


def test_before_and_after_a_phase_it_is_in_none() -> None:
    teller = Teller(0.0)
    assert teller.begin(begin(1.0, 1, "train")) == TRAIN
    assert teller.end(end(2.0, 1)) == Visit(TRAIN, 1.0, 2.0)
    assert teller.stretches(0.5, 3.0) == [Stretch(0.5, 1.0, ()), Stretch(1.0, 2.0, (TRAIN,)), Stretch(2.0, 3.0, ())]


def test_the_innermost_phase_counts() -> None:
    teller = Teller(0.0)
    teller.begin(begin(1.0, 1, "train"))
    assert teller.begin(begin(2.0, 2, "step", parent=1)) == STEP
    teller.end(end(3.0, 2))
    assert [one.leaves for one in teller.stretches(1.0, 4.0)] == [(TRAIN,), (STEP,), (TRAIN,)]


def test_threads_are_in_phases_of_their_own_at_once() -> None:
    teller = Teller(0.0)
    teller.begin(begin(1.0, 1, "train"))
    teller.begin(begin(1.5, 2, "copy"))
    assert teller.stretches(2.0, 3.0) == [Stretch(2.0, 3.0, (("copy",), TRAIN))]


def test_one_phase_in_two_threads_is_one_leaf_until_both_have_left_it() -> None:
    teller = Teller(0.0)
    teller.begin(begin(1.0, 1, "train"))
    teller.begin(begin(1.0, 2, "train"))
    teller.end(end(2.0, 1))
    assert teller.stretches(2.0, 3.0) == [Stretch(2.0, 3.0, (TRAIN,))]
    teller.end(end(3.0, 2))
    assert teller.stretches(3.0, 4.0) == [Stretch(3.0, 4.0, ())]


def test_an_outer_phase_that_ends_first_leaves_the_inner_one_as_it_is() -> None:
    teller = Teller(0.0)
    teller.begin(begin(1.0, 1, "train"))
    teller.begin(begin(1.0, 2, "step", parent=1))
    teller.end(end(2.0, 1))
    assert teller.stretches(2.0, 3.0) == [Stretch(2.0, 3.0, (STEP,))]
    assert teller.end(end(3.0, 2)) == Visit(STEP, 1.0, 3.0)
    assert teller.stretches(3.0, 4.0) == [Stretch(3.0, 4.0, ())]


def test_what_never_began_or_begins_twice_is_left_out() -> None:
    teller = Teller(0.0)
    assert teller.end(end(1.0, 5)) is None
    assert teller.begin(begin(1.0, 1, "train")) == TRAIN
    assert teller.begin(begin(1.0, 1, "train")) is None
    assert not teller.begins_again(begin(1.0, 1, "train"))
    assert teller.begins_again(begin(2.0, 1, "train"))


def test_time_never_goes_back() -> None:
    teller = Teller(0.0)
    teller.begin(begin(5.0, 1, "train"))
    assert teller.end(end(3.0, 1)) == Visit(TRAIN, 5.0, 5.0)
    assert teller.stretches(0.0, 6.0) == [Stretch(0.0, 5.0, ()), Stretch(5.0, 6.0, ())]


def test_a_phase_that_is_too_deep_goes_for_the_one_around_it() -> None:
    teller = Teller(0.0)
    path: tuple[str, ...] = ()
    for depth in range(MAX_DEPTH):
        path = teller.begin(begin(1.0, depth + 1, "in", parent=depth)) or path
    assert len(path) == MAX_DEPTH
    assert teller.begin(begin(1.0, 100, "deeper", parent=MAX_DEPTH)) is None
    assert teller.path_of(100) == path
    assert teller.stretches(2.0, 3.0) == [Stretch(2.0, 3.0, (path,))]
    assert teller.end(end(2.0, 100)) is None


def test_what_is_never_ended_is_bounded() -> None:
    teller = Teller(0.0)
    for number in range(2 * MAX_OPEN):
        teller.begin(begin(float(number), number + 1, "train"))
    assert len(teller._open) == MAX_OPEN
    assert len(teller.close(1e6)) == MAX_OPEN


def test_stretches_are_bounded() -> None:
    teller = Teller(0.0)
    for number in range(MAX_STRETCHES):
        teller.begin(begin(number + 0.2, number + 1, "train"))
        teller.end(end(number + 0.8, number + 1))
    assert len(teller._done) == MAX_STRETCHES
    teller.forget(1e9)
    assert len(teller._done) == 0


def test_around_tells_all_outer_phases() -> None:
    assert list(around(STEP)) == [TRAIN, STEP]
    assert list(around(())) == [()]


messages = st.lists(
    st.tuples(st.booleans(), st.floats(0, 100), st.integers(0, 9), st.integers(0, 9), st.sampled_from("abc"))
)


@given(messages, st.floats(0, 50), st.floats(0.001, 60))
def test_stretches_leave_no_hole_whatever_is_told(
    told: list[tuple[bool, float, int, int, str]], start_s: float, span_s: float
) -> None:
    teller = Teller(0.0)
    for begins, at_s, id_, parent, name in told:
        if begins:
            teller.begin(begin(at_s, id_, name, parent))
        else:
            teller.end(end(at_s, id_))
        assert set(teller._leaves) == {one.path for one in teller._open.values() if not one.inner and one.path}
    found = teller.stretches(start_s, start_s + span_s)
    assert found[0].start_s == start_s
    assert found[-1].end_s == start_s + span_s
    assert all(before.end_s == after.start_s for before, after in itertools.pairwise(found))
