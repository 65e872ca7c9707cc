from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain, count

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.wrapping.turns import by_turns, rounds

wishes = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12), min_size=1)


@given(wishes, st.integers())
def test_each_has_as_many_turns_as_it_wants(repeats: Mapping[str, int], seed: int) -> None:
    played = list(rounds(repeats, seed))
    assert Counter(chain.from_iterable(played)) == Counter(repeats)
    assert all(len(set(present)) == len(present) for present in played)


@given(wishes, st.integers())
def test_everybody_is_in_the_first_round(repeats: Mapping[str, int], seed: int) -> None:
    first = next(rounds(repeats, seed), [])
    assert set(first) == {name for name, wanted in repeats.items() if wanted}


def test_order_differs_by_round_and_not_by_run() -> None:
    repeats = dict.fromkeys("abcdefgh", 6)
    played = list(rounds(repeats, 1))
    assert played == list(rounds(repeats, 1))
    assert len({tuple(present) for present in played}) > 1


@given(wishes, st.integers(0, 60))
def test_time_is_kept_but_everybody_comes_once(repeats: Mapping[str, int], longest_s: int) -> None:
    clock = count()  # a second passes each time that it is looked at
    results = by_turns(repeats, str.upper, seed=3, longest_s=longest_s, now_s=lambda: next(clock))
    starting = sum(1 for wanted in repeats.values() if wanted)
    assert all(len(results[name]) >= min(wanted, 1) for name, wanted in repeats.items())
    assert sum(map(len, results.values())) <= starting + max(0, longest_s)
    assert all(set(found) <= {name.upper()} for name, found in results.items())


def test_all_turns_where_there_is_time() -> None:
    repeats = {"quick": 9, "slow": 2}
    results = by_turns(repeats, len, seed=3, longest_s=1e9)
    assert {name: len(found) for name, found in results.items()} == repeats
