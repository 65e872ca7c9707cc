"""What must hold for any ranks on any nodes: nothing is counted twice or lost, and the order does not matter."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.merge.merge import merge
from aipower.runrecord import DeviceRecord, RunRecord, from_json, to_json
from merge.records import Card, Rank, World

CARDS = (
    Card("GPU-0", others_w=20.0, unattributed_w=5.0),
    Card("GPU-1", idle_w=0.0),
    Card("cpu-0", "cpu", idle_w=40.0, calibration="meter"),
)
powers = st.sampled_from([0.0, 0.3, 40.0, 250.0])


@st.composite
def worlds(draw: st.DrawFn, spread_s: float = 60.0) -> World:
    """Up to three nodes with up to four ranks each, whose starts and ends differ by up to `spread_s`."""
    ranks: list[Rank] = []
    for node in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(1, 4))):
            start_s = draw(st.integers(0, round(4 * spread_s))) / 4
            end_s = start_s + 10.0 + draw(st.integers(0, round(4 * spread_s))) / 4
            drawn_w = {card.device: draw(powers) for card in CARDS}
            ranks.append(Rank(len(ranks), f"n{node}", start_s, end_s, drawn_w, draw(st.booleans())))
    return World(ranks, CARDS)


def sum_of_parts_j(row: DeviceRecord) -> float:
    parts = (row.run_energy_j, row.idle_j, row.other_j, row.unattributed_j)
    assert all(part is not None and part >= 0 for part in parts), row
    return sum(part or 0.0 for part in parts)


@given(worlds())
def test_each_device_is_there_once_and_its_parts_sum_to_it(world: World) -> None:
    merged = merge(world.records())
    nodes = {rank.node for rank in world.ranks}
    assert len({row.device for row in merged.devices}) == len(merged.devices) == len(nodes) * len(CARDS)
    for row in merged.devices:
        assert row.energy_j is not None
        assert row.run_energy_j is not None
        assert sum_of_parts_j(row) == pytest.approx(row.energy_j)
        assert row.run_energy_j <= row.energy_j
        assert row.interval_j is not None
        assert row.run_interval_j is not None
        assert row.interval_j[0] <= row.energy_j <= row.interval_j[1]
        assert row.run_interval_j[0] <= row.run_energy_j <= row.run_interval_j[1] <= row.interval_j[1]


@given(worlds())
def test_the_parts_of_the_run_add_up_over_ranks_devices_and_nodes(world: World) -> None:
    records = world.records()
    merged = merge(records)
    everything_j = math.fsum(record.energy_j.total or 0.0 for record in records)
    assert merged.energy_j.total == pytest.approx(everything_j)
    assert merged.energy_j.total == pytest.approx(sum(row.run_energy_j or 0.0 for row in merged.devices))
    assert merged.energy_j.total == pytest.approx(sum(node.energy_j.total or 0.0 for node in merged.nodes))
    assert merged.energy_j.gpu == pytest.approx(sum(record.energy_j.gpu or 0.0 for record in records))
    assert merged.interval_j.total is not None
    assert merged.interval_j.total[0] <= everything_j <= merged.interval_j.total[1] + 1e-9
    assert sorted(rank for node in merged.nodes for rank in node.ranks) == [rank.number for rank in world.ranks]


@given(worlds())
def test_a_device_has_never_more_than_it_drew_while_ranks_ran(world: World) -> None:
    merged = merge(world.records())
    rows = {row.device: row for row in merged.devices}
    nodes = sorted({rank.node for rank in world.ranks})
    for node in nodes:
        mine = [rank for rank in world.ranks if rank.node == node]
        start_s, end_s = min(rank.start_s for rank in mine), max(rank.end_s for rank in mine)
        for card in CARDS:
            row = rows[f"{node}/{card.device}" if len(nodes) > 1 else card.device]
            most_j = world.energy_j(card, node, start_s, end_s)
            alone_j = max(world.energy_j(card, node, rank.start_s, rank.end_s) for rank in mine)
            assert row.energy_j is not None
            # At least what 95 % of the longest time shows, at most the truth.
            assert 0.5 * alone_j <= row.energy_j <= most_j + 1e-6
            assert row.interval_j is not None
            gaps_s = (end_s - start_s) - world.lasts_s(node)
            base_w = card.idle_w + card.others_w + card.unattributed_w
            assert row.interval_j[1] >= most_j - base_w * gaps_s - 1e-6, "what nobody watched is in the interval"


@given(worlds(), st.integers())
def test_the_order_of_the_records_does_not_matter(world: World, seed: int) -> None:
    records = world.records()
    shuffled = [*records, *records[:2]]
    random.Random(seed).shuffle(shuffled)
    assert merge(shuffled) == merge(records)


@given(worlds(spread_s=0.0))
def test_ranks_that_run_together_give_the_whole_truth(world: World) -> None:
    merged = merge(world.records())
    rows = {row.device: row for row in merged.devices}
    nodes = sorted({rank.node for rank in world.ranks})
    assert merged.complete
    assert not merged.faults
    for node in nodes:
        for card in CARDS:
            row = rows[f"{node}/{card.device}" if len(nodes) > 1 else card.device]
            assert row.energy_j == pytest.approx(world.energy_j(card, node, 0.0, 10.0))
            assert row.run_energy_j == pytest.approx(world.run_j(card, node))
            assert row.idle_j == pytest.approx(card.idle_w * 10.0)
            assert row.other_j == pytest.approx(card.others_w * 10.0, abs=1e-6)
            assert row.unattributed_j == pytest.approx(card.unattributed_w * 10.0)


@given(worlds())
def test_a_run_by_itself_keeps_its_figures(world: World) -> None:
    record = world.records()[0]
    merged = merge([record])
    assert merged.energy_j.total == pytest.approx(record.energy_j.total)
    for ours, its in zip(merged.devices, record.devices, strict=True):
        assert_like(ours, its)
    assert merged.processes == [replace(process, host="n0") for process in record.processes]
    assert (merged.wall_s, merged.started_unix_s, merged.command) == (
        record.wall_s, record.started_unix_s, record.command,
    )  # fmt: skip
    assert merged.merged_from == [record.run_id]
    for curve, its_curve in zip(merged.power, record.power, strict=True):
        assert curve.power_w == pytest.approx(its_curve.power_w)
        assert curve.run_power_w == pytest.approx(its_curve.run_power_w)


def assert_like(ours: DeviceRecord, its: DeviceRecord) -> None:
    for name in DeviceRecord.__struct_fields__:
        mine, other = getattr(ours, name), getattr(its, name)
        same = mine == (other if isinstance(other, str) or other is None else pytest.approx(other, abs=1e-6))
        assert same, f"{name}: {mine} is not {other}"


@given(worlds(spread_s=0.0), st.data())
def test_merging_in_steps_is_merging_at_once(world: World, data: st.DataObject) -> None:
    records = world.records()
    cut = data.draw(st.integers(1, len(records)))
    head, tail = merge(records[:cut]), records[cut:]
    at_once, in_steps = merge(records), merge([head, *tail])
    assert in_steps.merged_from == at_once.merged_from
    assert in_steps.energy_j.total == pytest.approx(at_once.energy_j.total)
    rows = {row.device: row for row in at_once.devices}
    for row in in_steps.devices:
        assert row.energy_j == pytest.approx(rows[row.device].energy_j)
        assert row.run_energy_j == pytest.approx(rows[row.device].run_energy_j)
        assert row.index == rows[row.device].index
    assert [node.ranks for node in in_steps.nodes] == [node.ranks for node in at_once.nodes]
    assert merge([at_once, *records]) == at_once, "a merged run gives way to its parts"


@given(worlds())
def test_what_is_merged_is_a_record_like_others(world: World) -> None:
    merged = merge(world.records())
    back: RunRecord = from_json(to_json(merged))
    assert back == merged
