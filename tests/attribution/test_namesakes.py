"""Processes of one name, sums of what nothing tells apart, and models that the device does not follow."""

from __future__ import annotations

import random
from collections.abc import Mapping
from statistics import fmean

import pytest

from aipower.attribution.apportion import TOGETHER
from aipower.attribution.choose import apportioner_of
from aipower.attribution.columns import Columns
from aipower.model import Attribution, ProcessId, Usage
from attribution.worlds import SOLO_AND_BOTH, Bill, World, alone, bill_of, delta_of, pair_world, teach_idle
from fakes import GPU, process

SECONDS, IDLE_W = 120, 60.0


def split(world: World, seed: int, *, both_w: float = 1.0, keep: int = 1000) -> tuple[Bill, list[Attribution]]:
    """A world of processes that are all named `python`; where two work they draw `both_w` of the sum."""
    rng = random.Random(seed)
    part = apportioner_of(GPU, lambda _: "python", alone, keep)
    found = teach_idle(part, IDLE_W)
    for at_s in range(SECONDS):
        joules = world.joules(at_s, at_s + 1)
        together = all(value > 0 for value in joules.values())
        watts = IDLE_W + sum(joules.values()) * (both_w if together else 1.0)
        found += part.add(delta_of(watts, at_s), world.sampled(at_s, at_s + 1, rng))
    found += part.settle()
    return bill_of(found), found


def worst_error(bill: Bill, true_j: Mapping[ProcessId, float]) -> float:
    return max(abs(bill.joules(who) / joules - 1) for who, joules in true_j.items())


def test_two_programs_of_one_name_are_told_apart_by_what_they_draw() -> None:
    errors = []
    for seed in range(20):
        world = pair_world(random.Random(seed), SOLO_AND_BOTH, SECONDS)
        errors.append(worst_error(split(world, seed)[0], world.joules(0, SECONDS)))
    assert fmean(errors) < 0.03


def test_of_two_that_never_work_apart_the_sum_is_known_far_better_than_each() -> None:
    world = pair_world(random.Random(1), ([0, 1],), SECONDS)
    bill, found = split(world, 1)
    group = [attribution.run_errors[TOGETHER] for attribution in found if TOGETHER in attribution.run_errors]
    assert group
    group_uj = sum(error.systematic_uj for error in group)
    for who in world.watts:
        assert group_uj < 0.1 * bill.errors[who].systematic_uj


def test_who_worked_apart_is_in_no_such_sum() -> None:
    world = pair_world(random.Random(1), SOLO_AND_BOTH, SECONDS)
    assert not any(TOGETHER in attribution.run_errors for attribution in split(world, 1)[1])


@pytest.mark.parametrize("both_w", [0.7, 0.85])
def test_where_two_draw_less_than_their_sum_the_bars_grow(both_w: float) -> None:
    world = pair_world(random.Random(3), SOLO_AND_BOTH, SECONDS)
    additive, bent = split(world, 3)[0], split(world, 3, both_w=both_w)[0]
    for who in world.watts:
        assert bent.half_95_j(who) > 1.5 * additive.half_95_j(who)


def workers(count: int) -> Usage:
    return Usage(0.0, 1.0, {process(pid): 1 / count for pid in range(1, count + 1)})


def columns_after(windows: int, usage: Usage, name: str = "python") -> set[str]:
    columns = Columns(lambda _: name)
    for _ in range(windows):
        columns.count(usage)
    return set(columns.of(usage).columns.values())


def test_a_process_has_a_column_of_its_own_once_it_is_seasoned() -> None:
    assert columns_after(1, workers(2)) == {"python"}
    assert len(columns_after(20, workers(2))) == 2


def test_the_many_workers_of_one_job_share_a_column() -> None:
    assert columns_after(20, workers(8)) == {"python"}


def test_the_least_of_many_programs_share_a_column() -> None:
    names = Columns(lambda who: f"program {who.pid}")
    usage = Usage(0.0, 1.0, {process(pid): pid / 100 for pid in range(1, 41)})
    names.restart([usage] * 3)
    found = names.of(usage).columns
    assert len(set(found.values())) == 13
    assert found[process(40)] != found[process(39)]
    assert found[process(1)] == found[process(2)]
