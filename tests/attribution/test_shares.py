"""Who gets which part of a window, and how that hangs on intensities and samples."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.attribution.baseline import Floor
from aipower.attribution.doubts import Basis
from aipower.attribution.evidence import Solution
from aipower.attribution.leverage import NO_SLOPES, Owner, doubted
from aipower.attribution.samples import Covariance, covariance_s2
from aipower.attribution.shares import Shares, shares_of, stakes_of
from aipower.attribution.window import Window
from aipower.attribution.work import UNKNOWN, Work
from aipower.model import ProcessId, Usage
from attribution.worlds import LOOKS_PER_S, name_of, window_of, worked
from fakes import process

PROGRAMS = 3
PROCESSES = st.integers(1, 7).map(process)


def program_of(who: ProcessId) -> str:
    """Some processes run the same program."""
    return f"program {who.pid % PROGRAMS}"


USAGES = st.builds(
    lambda busy, unknown_s, holders, samples: Usage(
        0.0, 1.0, busy, unknown_s, holders, samples=LOOKS_PER_S if samples else 0.0
    ),
    st.dictionaries(PROCESSES, st.floats(0.01, 1), max_size=5),
    st.sampled_from([0.0, 0.2]),
    st.frozensets(PROCESSES, max_size=4),
    st.booleans(),
)
WATTS = st.lists(st.floats(10, 500), min_size=PROGRAMS, max_size=PROGRAMS)


def solution_of(watts: Mapping[str, float], se_w: float = 20.0) -> Solution:
    """Intensities that are known by so much, independently."""
    columns = list(watts)
    covariance = [[se_w**2 * (one == other) for other in columns] for one in columns]
    return Solution(columns, list(watts.values()), covariance, place={c: k for k, c in enumerate(columns)})


def noise_of(work: Work, usage: Usage) -> Covariance | None:
    usual = dict.fromkeys({**work.seconds, **work.present}, 1 / PROGRAMS)
    return covariance_s2(tuple(usual), work.seconds, usual, 1.0, usage.samples)


@dataclass(frozen=True)
class Split:
    """A window that is split."""

    window: Window
    shares: Shares
    known: Solution

    def doubt(self, *members: ProcessId) -> tuple[float, dict[str, float]]:
        """Of the share of `members`: its variance for the samples' sake, and how it moves per watt of each column."""
        groups: dict[Owner, tuple[ProcessId, ...]] = {} if len(members) == 1 else {"run": members}
        alone = () if groups else members
        found, (variance_uj2,) = doubted(self.window, Floor(0), self.shares, self.known, alone, groups)
        energy_uj = self.window.delta.energy_uj
        (_, kind, part, _), *_ = found.rows()
        if kind == NO_SLOPES:
            return variance_uj2 / energy_uj**2, {}
        slopes = Basis(found.columns).images(found.columns, found.seconds, found.directions)[kind].slopes_uj
        per_watt = {column: part * slope / energy_uj for column, slope in zip(found.columns, slopes, strict=True)}
        return variance_uj2 / energy_uj**2, per_watt


def split_of(usage: Usage, watts: list[float], energy_j: float = 200.0) -> Split:
    work = worked(usage, program_of)
    known = solution_of({f"program {k}": watt for k, watt in enumerate(watts)})
    window = window_of(usage, work, noise_of(work, usage), energy_j)
    return Split(window, shares_of(window, known, energy_j, 100.0), known)


def split(usage: Usage, watts: list[float], energy_j: float = 200.0) -> Shares:
    return split_of(usage, watts, energy_j).shares


def share_of(shares: Shares, *members: ProcessId) -> float:
    """The part of the energy of work that `members` get together."""
    return sum(shares.weights.get(who, 0.0) for who in members) / shares.total_j if shares.total_j > 0 else 0.0


def sampling_variance(usage: Usage, watts: list[float], *members: ProcessId, energy_j: float = 200.0) -> float:
    return split_of(usage, watts, energy_j).doubt(*members)[0]


@given(USAGES, WATTS, st.floats(0, 1000))
def test_all_shares_make_one(usage: Usage, watts: list[float], energy_j: float) -> None:
    shares = split(usage, watts, energy_j)
    assert all(weight > 0 for weight in shares.weights.values())
    own = [share_of(shares, who) for who in shares.weights if who is not None]
    assert all(0 <= share <= 1 + 1e-9 for share in own)
    if shares.total_j > 0:
        assert sum(own) + shares.weights.get(None, 0.0) / shares.total_j == pytest.approx(1)
        assert sum(shares.joules) == pytest.approx(shares.total_j)
    assert set(shares.weights) <= {*usage.busy_s, *usage.holders, None}


@settings(max_examples=40, deadline=None)
@given(USAGES, WATTS, st.floats(1, 1000))
def test_doubts_are_those_of_the_definition(usage: Usage, watts: list[float], energy_j: float) -> None:
    """For each process and for all pairs, with all elements written out."""
    found = split_of(usage, watts, energy_j)
    shares, stakes = found.shares, stakes_of(found.window.work, found.shares.columns)
    size = range(len(shares.columns))
    several = len(shares.columns) > 1 and shares.total_j > 0
    everyone = sorted({*usage.busy_s, *usage.holders}, key=lambda who: who.pid)
    units = [[float(k == j) for k in size] for j in size]
    for members in [*zip(everyone), *itertools.combinations(everyone, 2)]:
        inside = [sum(part for who in members for j, part in stakes.get(who, ()) if j == k) for k in size]
        own = share_of(shares, *members)
        lean = [inside[k] - own for k in size]
        counted = len(size) if shares.better.gains else len(found.window.work.seconds)
        steps = [shares.watts[k] * lean[k] / shares.total_j if several and k < counted else 0.0 for k in size]
        columns = [shares.better.times(unit) for unit in units]
        variance = max(0.0, sum(steps[i] * steps[j] * columns[i][j] for i in size for j in size))
        for k in size:
            whole = shares.joules[k] / shares.total_j if shares.total_j > 0 else 0.0
            looks = max(1.0, shares.looks_per_s * shares.better.seconds[k])
            variance += whole**2 * inside[k] * max(0.0, 1 - inside[k]) / looks if usage.samples else 0.0
        pull = sum(watts * gain * x for watts, gain, x in zip(shares.watts, shares.better.gains, lean, strict=False))
        slopes = (
            {c: shares.better.seconds[k] * (lean[k] - pull) / shares.total_j for k, c in enumerate(shares.columns)}
            if several
            else {}
        )
        doubt = found.doubt(*members)
        assert doubt[0] == pytest.approx(variance, rel=1e-6, abs=1e-9)
        assert {c: x for c, x in doubt[1].items() if x} == pytest.approx(
            {c: x for c, x in slopes.items() if doubt[1].get(c)}, rel=1e-6, abs=1e-9
        )
        assert all(abs(x) < 1e-9 for c, x in slopes.items() if not doubt[1].get(c))


@given(USAGES, WATTS)
def test_all_who_work_together_are_certain(usage: Usage, watts: list[float]) -> None:
    known = {*usage.busy_s, *usage.holders}
    if known and not usage.unknown_busy_s:
        assert sampling_variance(usage, watts, *known) == pytest.approx(0, abs=1e-9)
    if not usage.samples:
        assert all(sampling_variance(usage, watts, who) == 0 for who in known)


def test_one_of_two_in_the_samples_is_not_certain() -> None:
    usage = Usage(0.0, 1.0, {process(1): 0.5, process(2): 0.5}, samples=LOOKS_PER_S)
    one, other = (sampling_variance(usage, [100.0, 300.0, 300.0], process(pid)) for pid in (1, 2))
    assert one > 0.001
    assert one == pytest.approx(other)


def test_two_of_one_program_are_told_apart_by_their_samples_alone() -> None:
    """Energy does not help: 3 looks of 6 are as uncertain as a coin thrown six times."""
    usage, watts = Usage(0.0, 1.0, {process(1): 0.5, process(4): 0.5}, samples=LOOKS_PER_S), [100.0, 300.0, 300.0]
    one = sampling_variance(usage, watts, process(1), energy_j=300.0)
    assert one == pytest.approx(0.25 / LOOKS_PER_S, rel=0.2)
    assert sampling_variance(usage, watts, process(1), process(4), energy_j=300.0) == pytest.approx(0, abs=1e-9)


def shifted(usage: Usage, watts: list[float], k: int, step_w: float, energy_j: float, who: ProcessId) -> float:
    moved = [watt + step_w * (number == k) for number, watt in enumerate(watts)]
    return share_of(split(usage, moved, energy_j), who)


@given(st.dictionaries(PROCESSES, st.floats(0.05, 0.4), min_size=1, max_size=4), WATTS, st.booleans())
def test_slopes_are_how_the_split_moves(busy: dict[ProcessId, float], watts: list[float], sampled: bool) -> None:
    """Sampled or not, at the energy that was expected."""
    usage = Usage(0.0, 1.0, busy, samples=LOOKS_PER_S if sampled else 0.0)
    work = worked(usage, program_of)
    energy_j = sum(watts[int(column[-1])] * seconds for column, seconds in work.seconds.items())
    found = split_of(usage, watts, energy_j)
    for who in busy:
        _, slopes = found.doubt(who)
        for k in range(PROGRAMS):
            high, low = (shifted(usage, watts, k, step_w, energy_j, who) for step_w in (1e-3, -1e-3))
            assert slopes.get(f"program {k}", 0.0) == pytest.approx((high - low) / 2e-3, abs=1e-5)


def test_the_error_of_a_split_has_the_errors_of_all_intensities() -> None:
    known = solution_of({"a": 100.0, "b": 200.0}, se_w=10.0)
    basis = Basis(("a", "b", "new"), known, 150.0)
    assert basis.square([3.0, -4.0, 0.0]) == pytest.approx(50.0**2)
    assert basis.square([0.0, 0.0, 2.0]) == pytest.approx((2 * 0.6 * 150) ** 2)


def test_a_holder_that_no_look_caught_gets_what_the_energy_shows_of_it() -> None:
    """All six looks fell on the small one, but the energy is that of both."""
    usage = Usage(0.0, 1.0, {process(1): 1.0}, holders=frozenset({process(1), process(2)}), samples=LOOKS_PER_S)
    watts = [100.0, 100.0, 400.0]
    assert share_of(split(usage, watts, 100.0), process(2)) == pytest.approx(0, abs=0.02)
    assert share_of(split(usage, watts, 220.0), process(2)) > 0.3


def test_unknown_work_is_a_column_of_its_own() -> None:
    work = worked(Usage(0.0, 1.0, {process(1): 0.5}, 0.25))
    assert work.seconds == {name_of(process(1)): 0.5, UNKNOWN: 0.25}


def test_a_second_of_a_shared_core_weighs_less() -> None:
    work = worked(Usage(0.0, 1.0, {process(1): 2.0, process(2): 2.0}, weight={process(1): 0.6}))
    assert work.seconds == {name_of(process(1)): pytest.approx(1.2), name_of(process(2)): 2.0}


def test_where_activity_is_measured_all_share_its_columns() -> None:
    usage = Usage(0.0, 1.0, activity={process(1): (0.5, 0.25), process(2): (0.25, 0.0)})
    assert sorted(worked(usage).seconds.values()) == [0.25, 0.75]


def test_unknown_work_keeps_its_part_where_activity_is_measured() -> None:
    """Half of the activity is that of processes that nobody can name; the known one must not get their energy."""
    usage = Usage(0.0, 1.0, {process(1): 0.25}, 0.25, activity={process(1): (0.25, 0.25)})
    work = worked(usage)
    shares = shares_of(window_of(usage, work, None, 100.0), Solution(), 100.0, 100.0)
    assert share_of(shares, process(1)) < 0.9
