"""Merged runs by example."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import fields, replace

from aipower.merge.merge import merge
from aipower.runrecord import (
    CarbonRecord,
    CostRecord,
    DeviceRecord,
    Energies,
    FaultLine,
    GroupRecord,
    Intervals,
    Missing,
    PhasePart,
    PhaseRecord,
    RunRecord,
    SeriesRecord,
)
from merge.records import GAIN_95, OWN_95, Card, Rank, World

NODE = tuple(Rank(number, powers_w={"GPU-0": 50.0 * (number + 1)}, leader=number == 0) for number in range(4))
"""Four ranks that share a GPU: 50, 100, 150 and 200 W beside 60 W of idle power, for 100 s."""


def half_j(interval_j: tuple[float, float] | None) -> float:
    assert interval_j is not None
    return (interval_j[1] - interval_j[0]) / 2


def only(run: RunRecord) -> DeviceRecord:
    (row,) = run.devices
    return row


def reasons(run: RunRecord) -> list[str]:
    return [fault.reason for fault in run.faults]


def test_four_ranks_of_one_node_count_it_once() -> None:
    records = World(NODE).records()
    assert sum(record.devices[0].energy_j or 0.0 for record in records) == 4 * 56_000.0, "as rivals do"
    merged = merge(records)
    row = only(merged)
    assert (row.device, row.energy_j, row.run_energy_j, row.idle_j) == ("GPU-0", 56_000.0, 50_000.0, 6_000.0)
    assert (row.other_j, row.mean_w, row.covered_s) == (0.0, 560.0, 100.0)
    assert (merged.host, merged.exit_code, merged.wall_s, merged.max_rss_bytes) == ("n1", 0, 100.0, 1003)
    assert merged.command == ["python", "train.py", "--rank=0"]
    assert [process.pid for process in merged.processes] == [103, 102, 101, 100]
    assert merged.cpu_time_s == 40.0
    (node,) = merged.nodes
    assert (node.host, node.ranks, node.energy_j.gpu) == ("n1", [0, 1, 2, 3], 50_000.0)
    assert merged.merged_from == node.run_ids == sorted(record.run_id for record in records)
    assert merged.job is not None
    assert (merged.job.id, merged.job.rank, merged.job.ranks, merged.job.node) == ("4711", None, 4, "n1")
    assert merged.job.variables == {"SLURM_JOB_ID": "4711"}


@pytest.mark.parametrize("leaders", [(), (2,), (0, 1, 2, 3)])
def test_it_does_not_take_exactly_one_leader(leaders: tuple[int, ...]) -> None:
    ranks = [replace(rank, leader=rank.number in leaders) for rank in NODE]
    merged = merge(World(ranks).records())
    assert only(merged).energy_j == 56_000.0
    assert merged.complete


def test_a_leader_that_saw_nearly_all_is_preferred_and_one_that_died_early_is_not() -> None:
    def whole_j(leader_end_s: float) -> float | None:
        ranks = [Rank(0, end_s=leader_end_s), Rank(1, leader=False)]
        return only(merge(World(ranks).records())).energy_j

    assert whole_j(96.0) == pytest.approx(260.0 * 96)
    assert whole_j(50.0) == pytest.approx(260.0 * 50 + 160.0 * 50)


def test_a_restarted_rank_goes_on_where_it_left_off() -> None:
    ranks = [Rank(0, end_s=40.0), Rank(0, start_s=45.0, end_s=100.0)]
    merged = merge(World(ranks).records())
    row = only(merged)
    assert (row.energy_j, row.covered_s, merged.wall_s) == (160.0 * 95, 95.0, 100.0)
    assert row.run_energy_j == 9_500.0
    assert not merged.faults


def test_nodes_are_told_apart_and_their_clocks_are_taken_as_one() -> None:
    ranks = [Rank(0, "n1"), Rank(1, "n2", start_s=1.0, end_s=101.0, powers_w={"GPU-0": 300.0})]
    merged = merge(World(ranks).records())
    rows = {row.device: row for row in merged.devices}
    assert {name: (row.index, row.energy_j) for name, row in rows.items()} == {
        "n1/GPU-0": ("n1:0", 16_000.0),
        "n2/GPU-0": ("n2:0", 36_000.0),
    }
    assert (merged.host, merged.wall_s) == ("n1, n2", 101.0)
    assert [(node.host, node.ranks, node.energy_j.total) for node in merged.nodes] == [
        ("n1", [0], 10_000.0),
        ("n2", [1], 30_000.0),
    ]
    assert [(process.pid, process.host) for process in merged.processes] == [(101, "n2"), (100, "n1")]
    assert merge([merged]).processes == merged.processes
    many = merge(World([Rank(number, f"n{number}") for number in range(9)]).records())
    assert many.host == "9 nodes"


def test_what_nobody_watched_is_told_and_bounded() -> None:
    ranks = [Rank(0, end_s=60.0), Rank(1, start_s=40.0, end_s=100.0, powers_w={"GPU-0": 20.0}, leader=False)]
    merged = merge(World(ranks).records())
    row = only(merged)
    assert row.energy_j == pytest.approx(60 * 160.0 + 20 * 20.0)
    assert row.run_energy_j == 7_200.0
    assert row.interval_j is not None
    assert row.interval_j[1] >= 10_000.0 + 40 * 180.0, "the peak of 180 W for as long as it was not watched"
    assert reasons(merged) == ["partial"]
    assert "60.0 of the 100.0 s" in merged.faults[0].detail
    assert not merged.complete


def test_what_a_nodes_devices_fall_short_of_together_is_one_fault() -> None:
    ranks = [Rank(0, end_s=60.0), Rank(1, start_s=50.0, end_s=110.0, leader=False), Rank(2, "n2")]
    (fault,) = merge(World(ranks, (Card(), Card("GPU-1"), Card("cpu-0", "cpu"))).records()).faults
    assert (fault.device, fault.reason) == (None, "partial")
    assert fault.detail.startswith("3 devices of n1: watched for 60.0 of the 110.0 s")


def test_parts_from_outside_the_time_watched_are_not_lost() -> None:
    ranks = [Rank(0, end_s=60.0), Rank(1, start_s=50.0, end_s=110.0, leader=False)]
    world = World(ranks, (Card(idle_w=1.0),))
    merged = merge(world.records())
    row = only(merged)
    assert world.energy_j(world.cards[0], "n1", 0.0, 60.0) == 7_060.0, "what the leader saw"
    assert row.run_energy_j == row.energy_j == 12_000.0
    assert (row.idle_j, row.other_j, row.unattributed_j) == (0.0, 0.0, 0.0)
    assert row.mean_w == pytest.approx(7_060.0 / 60), "of the time that was watched"
    assert reasons(merged) == ["partial"]


def test_the_same_processes_measured_twice_are_told_and_cut() -> None:
    first = World([Rank(0)]).record(Rank(0))
    again = replace(first, run_id="20261118T100640Z-ffffffff")
    merged = merge([first, again])
    row = only(merged)
    assert row.energy_j == row.run_energy_j == 16_000.0
    assert (row.idle_j, row.other_j, row.unattributed_j) == (0.0, 0.0, 0.0)
    assert "overlap" in reasons(merged)
    assert not merged.complete


def test_small_disagreement_of_the_ranks_readings_takes_from_what_is_nobodys() -> None:
    card = Card(unattributed_w=2.0)
    world = World(NODE, (card,))
    records = [
        world.record(rank, devices=[replace(row, run_energy_j=(row.run_energy_j or 0.0) * 1.005)])
        for rank in NODE
        for row in world.record(rank).devices
    ]
    row = only(merge(records))
    assert row.energy_j == 56_200.0
    assert row.run_energy_j == pytest.approx(50_250.0)
    assert row.idle_j == pytest.approx(5_950.0)
    assert (row.other_j, row.unattributed_j) == (0.0, 0.0)


def test_where_a_rank_does_not_know_its_part_nobody_knows_the_sum() -> None:
    ranks = [Rank(0), Rank(1, leader=False, blind=True)]
    cards = (Card(), Card("cpu-0", "cpu"))
    merged = merge(World([replace(rank, powers_w={"cpu-0": 10.0}) for rank in ranks], cards).records())
    gpu, cpu = merged.devices
    assert (gpu.energy_j, gpu.run_energy_j, gpu.run_unknown) == (6_000.0, None, "the driver does not say")
    assert (gpu.idle_j, gpu.other_j) == (6_000.0, 0.0)
    assert cpu.run_energy_j == 2_000.0
    assert (merged.energy_j.gpu, merged.energy_j.total) == (None, 2_000.0)


def test_a_device_that_some_ranks_cannot_see_is_taken_from_those_who_can() -> None:
    ranks = [Rank(0), Rank(1, leader=False, powers_w={"GPU-1": 70.0})]
    world = World(ranks, (Card(), Card("GPU-1")))
    records = [
        world.record(rank, devices=[row for row in world.record(rank).devices if row.device == f"GPU-{rank.number}"])
        for rank in ranks
    ]
    merged = merge(records)
    assert {row.device: row.energy_j for row in merged.devices} == {"GPU-0": 16_000.0, "GPU-1": 13_000.0}
    assert merged.complete


def test_containers_that_share_a_gpu_are_on_one_machine() -> None:
    uuid, other = "GPU-0a1b2c3d-0000-1111-2222-333344445555", "GPU-0a1b2c3d-0000-1111-2222-333344449999"
    cards = (Card(uuid), Card("package-0", "cpu", idle_w=40.0))
    ranks = [Rank(number, f"pod-{name}", powers_w={uuid: 30.0}) for number, name in enumerate("cab")]
    world = World(ranks, cards)
    part = replace(phase(["train"], 1, 100.0, (0.0, 9.0)), devices=[PhasePart(uuid, 500.0, 100.0, (90.0, 110.0))])
    fault = FaultLine(uuid, "gap", 5.0, 8.0, 2, "read late")
    records = [world.record(rank, phases=[part], faults=[fault]) for rank in ranks]
    merged = merge(records)
    assert [(node.host, node.ranks) for node in merged.nodes] == [("pod-a", [0, 1, 2])]
    assert [(one.device, one.energy_j, one.run_energy_j) for one in merged.phases[0].devices] == [(uuid, 500.0, 300.0)]
    assert merged.faults == [fault]
    elsewhere = world.record(replace(ranks[0], node="n9"), run_id="20261118T100640Z-00990000", devices=[])
    apart = merge([*records, elsewhere])
    assert [one.device for one in apart.phases[0].devices] == [f"pod-a/{uuid}"]
    assert {fault.device for fault in apart.faults} == {f"pod-a/{uuid}"}
    assert [(row.device, row.energy_j) for row in merged.devices] == [(uuid, 9_000.0), ("package-0", 4_000.0)]
    two = replace(records[1], devices=[replace(records[1].devices[0], device=other), records[1].devices[1]])
    assert [node.host for node in merge([records[0], two, records[2]]).nodes] == ["pod-a", "pod-b"]
    both = replace(two, devices=[*two.devices, replace(records[1].devices[0], device=uuid)])
    assert [node.host for node in merge([records[0], both, records[2]]).nodes] == ["pod-a"]


def test_no_energy_stays_no_energy() -> None:
    rank = Rank(0)
    record = World([rank]).record(rank)
    nothing = replace(record.devices[0], energy_j=None, interval_j=None, run_energy_j=None, idle_j=None, other_j=None)
    merged = merge([replace(record, devices=[nothing])])
    assert only(merged).energy_j is None
    assert merged.energy_j.total is None
    assert merged.nodes[0].energy_j == Energies()
    bare = merge([replace(record, devices=[], power=[])])
    assert (bare.devices, bare.energy_j, bare.power, bare.per) == ([], Energies(), [], [])


def test_missing_ranks_are_told() -> None:
    records = World(NODE).records()
    merged = merge([records[0], records[2]])
    assert reasons(merged) == ["missing_ranks"]
    assert "ranks 1, 3 of 4" in merged.faults[0].detail
    assert not merged.complete
    again = merge([merged, records[1]])
    assert "rank 3 of 4" in again.faults[0].detail
    assert reasons(merge([again, records[3]])) == []


def test_a_scale_that_nodes_share_adds_up_linearly_and_calibrated_ones_do_not() -> None:
    def relative_of_cpu(calibration: str, own: bool) -> float:
        ranks = [Rank(number, f"n{number}", powers_w={"cpu-0": 50.0}) for number in range(4)]
        merged = merge(World(ranks, (Card("cpu-0", "cpu", calibration=calibration),)).records())
        found_j = merged.repeatable_interval_j.total if own else merged.interval_j.total
        assert merged.energy_j.total is not None
        return half_j(found_j) / merged.energy_j.total

    assert relative_of_cpu("", own=True) == pytest.approx(OWN_95 / 2), "four devices: squares"
    assert relative_of_cpu("", own=False) == pytest.approx(math.hypot(GAIN_95, OWN_95 / 2))
    assert relative_of_cpu("meter of 2026", own=False) == pytest.approx(math.hypot(GAIN_95, OWN_95) / 2)


def test_ranks_that_share_a_device_share_its_errors() -> None:
    ranks = [Rank(number, powers_w={"cpu-0": 50.0}) for number in range(4)]
    merged = merge(World(ranks, (Card("cpu-0", "cpu"),)).records())
    assert half_j(merged.repeatable_interval_j.total) == pytest.approx(20_000.0 * OWN_95)


def test_bounds_add_up_and_no_part_exceeds_the_whole() -> None:
    rank = Rank(0)
    record = World([rank]).record(rank)
    lopsided = replace(
        record.devices[0],
        run_energy_j=5_000.0, repeatable_run_interval_j=(4_900.0, 8_100.0), run_interval_j=(4_800.0, 8_200.0),
    )  # fmt: skip
    other = replace(record, run_id="20261118T100640Z-00010000")
    merged = merge([replace(record, devices=[lopsided]), replace(other, devices=[lopsided])])
    row = only(merged)
    assert row.run_energy_j == 10_000.0
    assert row.repeatable_run_interval_j == pytest.approx(
        (9_800.0, min(16_200.0, (row.repeatable_interval_j or (0, 0))[1]))
    )
    assert row.run_interval_j is not None
    assert row.interval_j is not None
    assert row.run_interval_j[1] == pytest.approx(min(16_400.0, row.interval_j[1]))
    nothing = replace(lopsided, run_energy_j=10.0, repeatable_run_interval_j=(0.0, 40.0), run_interval_j=(0.0, 41.0))
    row = only(merge([replace(record, devices=[nothing]), replace(other, devices=[nothing])]))
    assert row.run_interval_j is not None
    assert row.run_interval_j == pytest.approx((0.0, 82.0), abs=0.5)
    elsewhere = replace(other, job=replace(other.job, node="n2") if other.job else None)
    merged = merge([replace(record, devices=[nothing]), replace(elsewhere, devices=[nothing])])
    assert merged.interval_j.total is not None
    assert merged.interval_j.total[0] == 0.0, "each may be nothing, and so may their sum"


def test_power_is_the_nodes_and_the_ranks_sum() -> None:
    ranks = [Rank(0, end_s=4.0), Rank(1, start_s=1.5, end_s=4.0, powers_w={"GPU-0": 40.0}, leader=False)]
    merged = merge(World(ranks).records())
    (curve,) = merged.power
    assert (curve.device, curve.step_s) == ("GPU-0", 1.0)
    assert curve.power_w == pytest.approx([160.0, 180.0, 200.0, 200.0])
    assert curve.run_power_w == pytest.approx([100.0, 120.0, 140.0, 140.0])


def test_power_that_one_rank_does_not_know_is_not_known() -> None:
    ranks = [Rank(0, end_s=3.0), Rank(1, end_s=3.0, leader=False)]
    first, second = World(ranks).records()
    gap = replace(second.power[0], run_power_w=[100.0, None, 100.0])
    (curve,) = merge([first, replace(second, power=[gap])]).power
    assert curve.run_power_w == pytest.approx([200.0, None, 200.0])
    assert curve.power_w == pytest.approx([260.0, 260.0, 260.0])


def test_a_long_job_of_short_steps_has_a_curve_of_bounded_length() -> None:
    ranks = [Rank(0, start_s=5_000.0 * number, end_s=5_000.0 * number + 2) for number in range(3)]
    (curve,) = merge(World(ranks).records()).power
    assert len(curve.power_w) == len(curve.run_power_w) == 1000
    assert curve.power_w[400] is None, "nobody watched"


def phase(path: list[str], count: int, energy_j: float, span: tuple[float, float]) -> PhaseRecord:
    interval_j = (energy_j * 0.9, energy_j * 1.1)
    part = PhasePart("GPU-0", 2 * energy_j, energy_j, interval_j)
    both = Intervals(interval_j, interval_j)
    return PhaseRecord(
        path, count, span[1] - span[0], Energies(energy_j, energy_j), both, both,
        work={"tokens": 10.0}, spans=[span], devices=[part],
    )  # fmt: skip


def test_phases_of_all_ranks_are_one_by_path() -> None:
    ranks = [Rank(0, "n1"), Rank(1, "n2", start_s=2.0, end_s=102.0), Rank(2, "n2", leader=False)]
    world = World(ranks)
    phases = [
        [phase(["train"], 1, 400.0, (10.0, 20.0)), phase(["train", "step"], 5, 100.0, (11.0, 12.0))],
        [phase(["train"], 2, 600.0, (10.0, 20.0))],
        [phase(["train"], 1, 500.0, (50.0, 60.0))],
    ]
    merged = merge([world.record(rank, phases=of_rank) for rank, of_rank in zip(ranks, phases, strict=True)])
    train, step = merged.phases
    assert (train.path, train.count, train.wall_s, train.energy_j.gpu) == (["train"], 4, 30.0, 1_500.0)
    assert train.spans == [(10.0, 22.0), (50.0, 60.0)], "in seconds of the merged run"
    assert train.work == {"tokens": 30.0}
    assert [(part.device, part.energy_j, part.run_energy_j) for part in train.devices] == [
        ("n1/GPU-0", 800.0, 400.0),
        ("n2/GPU-0", 1_200.0, 1_100.0),
    ]
    assert train.interval_j.total == pytest.approx((1_350.0, 1_650.0))
    assert (step.path, step.count, step.spans) == (["train", "step"], 5, [(11.0, 12.0)])


def test_work_adds_up_and_figures_of_merit_do_not() -> None:
    world = World(NODE)
    records = [world.record(rank, metrics={"loss": 0.1 * (rank.number + 1)}, work={"tokens": 1000.0}) for rank in NODE]
    records[3] = replace(records[3], metrics={"accuracy": 0.9})
    merged = merge(records)
    assert merged.metrics == {"accuracy": 0.9, "loss": 0.1}
    assert merged.work == {"tokens": 4000.0}
    (per,) = merged.per
    assert merged.interval_j.total is not None
    assert (per.unit, per.amount, per.energy_j) == ("tokens", 4000.0, 12.5)
    assert per.interval_j == pytest.approx(tuple(end_j / 4000 for end_j in merged.interval_j.total))


def test_carbon_and_cost_follow_the_energy_on_common_terms_only() -> None:
    carbon = CarbonRecord(1.0, (0.9, 1.1), 360.0, "DEU", 2025, "Ember", 1.5)
    cost = CostRecord(1.0, (0.9, 1.1), "EUR", 0.36, 1.5)
    world = World(NODE)
    merged = merge([world.record(rank, carbon=carbon, cost=cost) for rank in NODE])
    assert merged.carbon is not None
    assert merged.cost is not None
    assert merged.carbon.co2e_g == pytest.approx(50_000.0 / 3.6e6 * 360.0 * 1.5)
    assert merged.cost.amount == pytest.approx(50_000.0 / 3.6e6 * 0.36 * 1.5)
    assert (merged.carbon.zone, merged.cost.currency) == ("DEU", "EUR")
    assert merged.equivalents
    elsewhere = [world.record(rank, carbon=replace(carbon, zone=f"Z{rank.number}"), cost=cost) for rank in NODE]
    assert merge(elsewhere).carbon is None
    assert merge([*elsewhere[1:], world.record(NODE[0], carbon=carbon)]).cost is None


def test_faults_are_told_once_for_a_device_and_for_each_node() -> None:
    ranks = [Rank(0, "n1"), Rank(1, "n1", start_s=1.0, leader=False), Rank(2, "n2")]
    faults = [
        [FaultLine("GPU-0", "gap", 5.0, 8.0, 2, "read late"), FaultLine(None, "hung", 9.0, 9.0, 1, "a sensor")],
        [FaultLine("GPU-0", "gap", 4.0, 6.0, 1, "read late")],
        [FaultLine(None, "hung", 9.0, 9.0, 1, "a sensor")],
    ]
    world = World(ranks)
    merged = merge([world.record(rank, faults=of_rank) for rank, of_rank in zip(ranks, faults, strict=True)])
    assert merged.faults == [
        FaultLine("n1/GPU-0", "gap", 5.0, 8.0, 2, "read late"),
        FaultLine(None, "hung", 9.0, 9.0, 1, "n1: a sensor"),
        FaultLine(None, "hung", 9.0, 9.0, 1, "n2: a sensor"),
    ]
    assert merge([merged]).faults == merged.faults, "the nodes are not named again"


def test_what_was_not_measured_is_told_once_and_estimates_add_up() -> None:
    missing = Missing("CPU (RAPL)", "cpu", "not readable", "aipower doctor")
    guess = {"estimated_j": Energies(10.0, cpu=10.0), "estimated_interval_j": Intervals((5.0, 20.0), cpu=(5.0, 20.0))}
    world = World(NODE)
    merged = merge([world.record(rank, not_measured=[missing], **guess) for rank in NODE])
    assert merged.not_measured == [missing]
    assert merged.estimated_j == Energies(40.0, cpu=40.0)
    assert merged.estimated_interval_j == Intervals((20.0, 80.0), cpu=(20.0, 80.0))


def test_the_worst_end_and_any_hole_are_kept() -> None:
    world = World(NODE)
    records = world.records()
    records[2] = replace(records[2], exit_code=137, complete=False, surviving_processes=1)
    merged = merge(records)
    assert (merged.exit_code, merged.complete, merged.surviving_processes) == (137, False, 1)


def test_the_id_is_that_of_the_parts_and_sorts_by_time() -> None:
    records = World(NODE).records()
    assert merge(records).run_id == merge(records[::-1]).run_id
    assert merge(records[:3]).run_id != merge(records).run_id
    assert merge(records).run_id.startswith("20261118T")


def test_no_field_of_a_record_is_forgotten() -> None:
    both = Intervals((1.0, 3.0), (1.0, 3.0))
    group = GroupRecord("GPU-0", [1, 2], 2.0, (1.0, 3.0), (1.0, 3.0))
    full = World([Rank(0)]).record(
        Rank(0),
        estimated_j=Energies(2.0, cpu=2.0), estimated_interval_j=both, exit_code=3, surviving_processes=2,
        faults=[FaultLine("GPU-0", "gap", 1.0, 2.0, 1, "")], not_measured=[Missing("CPU", "cpu", "why", "do")],
        indistinct=[group], phases=[phase(["train"], 1, 100.0, (0.0, 9.0))], metrics={"loss": 1.0},
        work={"tokens": 1.0}, carbon=CarbonRecord(1.0, (0.9, 1.1), 360.0, "DEU", 2025, "Ember", 1.5),
        cost=CostRecord(1.0, (0.9, 1.1), "EUR", 0.36, 1.5), series=SeriesRecord("s", 1, 5), measured_by="agent",
    )  # fmt: skip
    merged = merge([full])
    for field in fields(RunRecord):
        kept = getattr(merged, field.name)
        assert kept not in (None, [], {}, "", Energies(), Intervals()), field.name
        same = ("command", "exit_code", "faults", "not_measured", "indistinct", "metrics", "work", "series")
        if field.name in same:
            assert kept == getattr(full, field.name)
    assert merged.measured_by == "agent"
