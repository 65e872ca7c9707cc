"""Intervals of merged runs hold the truth as often as they say, when the sensors err as they are said to."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from aipower.merge.merge import merge
from aipower.runrecord import Interval, RunRecord
from merge.records import GAIN_95, OWN_95, Card, Rank, World

Z_95 = 1.959964
DRAWS = 400
POWER_W, WALL_S = 50.0, 100.0
"""Of each rank."""


def drawn(dice: random.Random, calibration: str) -> tuple[RunRecord, float]:
    """A merged run of four nodes whose sensors err, and what its ranks truly used, in joules."""
    ranks = [Rank(number, f"n{number}", powers_w={"cpu-0": POWER_W}) for number in range(4)]
    world = World(ranks, (Card("cpu-0", "cpu", calibration=calibration),))
    # What a meter has calibrated is off by itself; what nobody has calibrated may all be off in one direction.
    common = dice.gauss(0, GAIN_95 / Z_95)
    gains = [dice.gauss(0, GAIN_95 / Z_95) if calibration else common for _ in ranks]
    records: list[RunRecord] = []
    for rank in ranks:
        factor = (1 + gains[rank.number]) * (1 + dice.gauss(0, OWN_95 / Z_95))
        shown = World([replace(one, powers_w={"cpu-0": POWER_W * factor}) for one in ranks], world.cards)
        records.append(shown.record(shown.ranks[rank.number]))
    return merge(records), POWER_W * WALL_S * len(ranks)


def holds(interval_j: Interval | None, truth_j: float) -> bool:
    assert interval_j is not None
    return interval_j[0] <= truth_j <= interval_j[1]


@pytest.mark.parametrize("calibration", ["", "meter"])
def test_the_absolute_interval(calibration: str) -> None:
    dice = random.Random(5)
    held = 0
    for _ in range(DRAWS):
        merged, truth_j = drawn(dice, calibration)
        held += holds(merged.interval_j.total, truth_j)
    assert 0.92 <= held / DRAWS <= 0.98
