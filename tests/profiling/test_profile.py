"""What the profile makes of what its tools tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.profiling.calls import collected
from benchmarks.profiling.stacks import Stack, by_function, parse
from benchmarks.profiling.tables import call_table, function_table, thread_table

RAW = """\
thread (7): aipower-gpus;run (threading.py:1002);collect (aipower/usage.py:67);read (aipower/direct.py:12) 5
thread (7): aipower-gpus;run (threading.py:1002);collect (aipower/usage.py:64) 3
thread (0x9);walk (aipower/tree.py:1);walk (aipower/tree.py:1) 2
py-spy says something
"""


def test_the_lines_of_py_spy_are_read() -> None:
    stacks = list(parse(RAW.splitlines(keepends=True)))
    assert [(stack.thread, stack.tid, stack.count) for stack in stacks] == [
        ("aipower-gpus", 7, 5), ("aipower-gpus", 7, 3), ("9", 9, 2),
    ]  # fmt: skip
    assert stacks[0].functions == ["run (threading.py)", "collect (aipower/usage.py)", "read (aipower/direct.py)"]


def test_a_function_counts_once_in_a_stack_however_often_it_is_there() -> None:
    found = by_function(parse(RAW.splitlines()))
    assert found["collect (aipower/usage.py)"] == (3, 8)
    assert found["read (aipower/direct.py)"] == (5, 5)
    assert found["walk (aipower/tree.py)"] == (2, 2)


@given(st.lists(st.text(), max_size=5))
def test_any_lines_can_be_read(lines: list[str]) -> None:
    for stack in parse([*lines, "thread (7a): b;c 1", "thread (007): b;c 1"]):
        assert stack.functions


def test_threads_that_were_never_met_have_their_time() -> None:
    stacks = [Stack("sampler", 7, ["a (aipower/a.py)"], 4)]
    table = thread_table(stacks, {7: 3_000_000, 8: 9_000_000}, 2.0)
    assert table.rows == (("never seen at work", "4.50", "0"), ("sampler", "1.50", "4"), ("all", "6.00", "4"))


def test_shares_are_of_all_looks_and_only_our_functions_are_shown() -> None:
    stacks = list(parse(RAW.splitlines()))
    rows = {name: figures for name, *figures in function_table(stacks).rows}
    assert rows["collect (aipower/usage.py)"] == ["80.0", "30.0"]
    assert "run (threading.py)" not in rows
    assert function_table([]).rows == ()


def test_callgrind_says_how_many() -> None:
    assert collected("==1== Collected : 12345\n==1==") == 12345
    with pytest.raises(RuntimeError, match="no figure"):
        collected("==1== nothing")
    assert call_table({"a": 1234.4}).rows == (("a", "1,234"),)
