"""When a phase lasted: a union in a bounded number of pieces."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from aipower.record.phases.spans import MAX_SPANS, Spans

stretches = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)).map(lambda one: (one[0], one[0] + one[1])))


def test_what_comes_later_is_apart() -> None:
    spans = Spans()
    spans.add(1.0, 2.0)
    spans.add(3.0, 4.0)
    assert spans.listed() == [(1.0, 2.0), (3.0, 4.0)]


def test_what_overlaps_is_one() -> None:
    spans = Spans()
    spans.add(1.0, 3.0)
    spans.add(2.0, 2.5)
    spans.add(2.5, 5.0)
    spans.add(0.5, 1.5)
    assert spans.listed() == [(0.5, 5.0)]


@given(stretches)
def test_the_union_holds_all_in_order_without_overlap(added: list[tuple[float, float]]) -> None:
    spans = Spans()
    for one in added:
        spans.add(*one)
    listed = spans.listed()
    assert all(before[1] < after[0] for before, after in itertools.pairwise(listed))
    assert all(any(low <= start and end <= high for low, high in listed) for start, end in added)


def test_many_become_few_by_closing_the_smallest_holes() -> None:
    spans, at_s = Spans(), 0.0
    chance = random.Random(1)
    for _ in range(100_000):
        end_s = at_s + 0.05
        spans.add(at_s, end_s)
        at_s = end_s + chance.uniform(0.01, 0.1)
    listed = spans.listed()
    assert len(listed) == MAX_SPANS
    assert len(spans._spans) <= 2 * MAX_SPANS
    assert listed[0][0] == 0.0
    assert listed[-1][1] == end_s
