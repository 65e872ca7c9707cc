"""Reports of the simulated nodes, whose agents are the real ones, are what these had in their accounts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from aipower.runrecord import RunRecord
from fleet.fixture import Fleet
from fleet.plan import HOUR_S, HOURS
from fleet.story import VLLM_POD
from fleet_report.user import User, parts_are_exact, within

UJ = 2e-6
"""Sums of a few numbers that are each rounded to a microjoule."""


def of(user: User, fleet: Fleet, *words: str) -> RunRecord:
    record = user.record(fleet.url, *words, "--until", str(fleet.end_unix_s))
    parts_are_exact(record)
    return record


def nodes_j(record: RunRecord) -> dict[str, float | None]:
    return {node.host: node.energy_j.total for node in record.nodes}


@pytest.mark.parametrize("job", ["1001", "1002", "1005", "1006", "1007"])
def test_jobs(user: User, fleet: Fleet, job: str) -> None:
    record = of(user, fleet, "--job", job)
    truth_j = fleet.truth.jobs_j["slurm", job]
    assert record.energy_j.total == pytest.approx(truth_j, rel=1e-9, abs=UJ)
    assert within(truth_j, record.interval_j.total)
    assert within(fleet.truth.drawn_j["slurm", job], record.interval_j.total)
    rows_j = fleet.truth.by(
        lambda row: (row.instance.partition(":")[0], row.device.id) if row.owner.job == job else None
    )
    many = len(record.nodes) > 1
    for row in record.devices:
        node, _, device = row.device.rpartition("/")
        known_j = rows_j.get((node or record.host, device), 0.0)
        assert row.run_energy_j == pytest.approx(known_j, rel=1e-9, abs=UJ)
    assert nodes_j(record) == pytest.approx(
        {node: sum(one for (host, _), one in rows_j.items() if host == node) for node in nodes_j(record)}
    )
    assert many == (job == "1001")


def test_its_processes(user: User, fleet: Fleet) -> None:
    record = of(user, fleet, "--job", "1001")
    assert [(one.command, one.host) for one in record.processes] == [("python", "node-a"), ("python", "node-b")]
    assert sum(one.energy_j for one in record.processes) == pytest.approx(record.energy_j.total, rel=1e-6)
    assert all(within(one.energy_j, one.interval_j) for one in record.processes)


def test_when_it_ran(user: User, fleet: Fleet) -> None:
    record = of(user, fleet, "--job", "1001")
    off_s = record.metrics["resolution_s"]
    assert record.started_unix_s == pytest.approx(fleet.start_unix_s + 1 * HOUR_S, abs=off_s)
    assert record.wall_s == pytest.approx(8 * HOUR_S, abs=2 * off_s)


def test_a_gpu_that_is_held_without_use(user: User, fleet: Fleet) -> None:
    record = of(user, fleet, "--job", "1005")
    assert record.metrics["gpu_held_s"] == record.metrics["gpu_unused_s"]
    assert record.metrics["gpu_held_s"] == pytest.approx(6 * HOUR_S, abs=300)


def test_a_pod_by_its_name_with_a_hole_in_its_curve(user: User, fleet: Fleet) -> None:
    record = of(user, fleet, "--job", "vllm-llama-0")
    assert record.job is not None
    assert record.job.id == VLLM_POD
    assert record.energy_j.total == pytest.approx(fleet.truth.jobs_j["kubernetes", VLLM_POD], rel=1e-9)
    assert record.complete
    (fault,) = [fault for fault in record.faults if fault.reason == "unscraped"]
    assert fault.first_s == pytest.approx(13.5 * HOUR_S, abs=400)
    assert fault.last_s - fault.first_s == pytest.approx(2 * HOUR_S, abs=400)
    for series in record.power:
        dark_s = sum(power_w is None for power_w in series.power_w) * series.step_s
        assert dark_s == pytest.approx(2 * HOUR_S, abs=800)
    assert [missing.source for missing in record.not_measured] == ["DRAM (RAPL)"]


def test_a_service_over_a_restart_of_its_agent(user: User, fleet: Fleet) -> None:
    record = of(user, fleet, "--job", "embedder.service")
    assert record.energy_j.total == pytest.approx(fleet.truth.jobs_j["systemd", "embedder.service"], rel=1e-9)
    assert record.complete
    assert "counter_reset" not in {fault.reason for fault in record.faults}


def test_a_broken_sensor_makes_a_hole_and_no_peak(user: User, fleet: Fleet) -> None:
    record = of(user, fleet, "--user", "alice", "--since", str(fleet.start_unix_s))
    series = next(one for one in record.power if one.device == "node-b/GPU-bbbbbbbb-0000-0000-0000-000000000001")
    dark_s = sum(power_w is None for power_w in series.power_w) * series.step_s
    assert dark_s == pytest.approx(HOUR_S, abs=900)
    assert max(power_w for power_w in series.power_w if power_w is not None) < 800
    assert "read_failed" in {fault.reason for fault in record.faults}


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "serve"])
def test_users_over_the_whole_day(user: User, fleet: Fleet, name: str) -> None:
    record = of(user, fleet, "--user", name, "--since", str(fleet.start_unix_s))
    assert record.energy_j.total == pytest.approx(fleet.truth.users_j[name], rel=1e-9, abs=UJ)
    assert within(fleet.truth.users_j[name], record.interval_j.total)
    truth_j = {
        i.partition(":")[0]: one for (i, user_), one in fleet.truth.users_by_instance_j.items() if user_ == name
    }
    assert nodes_j(record) == pytest.approx({node: one for node, one in truth_j.items() if one > 0}, rel=1e-9)


def test_days_of_a_user_make_the_whole(user: User, fleet: Fleet) -> None:
    edges_s = [fleet.start_unix_s, fleet.start_unix_s + 5.01 * HOUR_S, fleet.end_unix_s]
    parts = [
        user.record(fleet.url, "--user", "alice", "--since", str(since_s), "--until", str(until_s))
        for since_s, until_s in pairwise(edges_s)
    ]
    assert sum(part.energy_j.total or 0.0 for part in parts) == pytest.approx(fleet.truth.users_j["alice"], rel=1e-9)


def test_everything_is_all_that_the_devices_used(user: User, fleet: Fleet) -> None:
    words = ("--since", str(fleet.start_unix_s), "--until", str(fleet.end_unix_s))
    told = user.summary(fleet.url, *words)
    assert told["energy_j"] == pytest.approx(sum(fleet.truth.devices_j.values()), rel=1e-9)
    assert sum(row["energy_j"] for row in told["rows"]) == pytest.approx(told["energy_j"], rel=1e-9)
    rows_j = {(row["system"], row["job"]): row["energy_j"] for row in told["rows"] if row["job"]}
    assert rows_j == pytest.approx(fleet.truth.jobs_j, rel=1e-9)
    idle_j = sum(row["energy_j"] for row in told["rows"] if row["system"] == "idle")
    assert idle_j == pytest.approx(sum(fleet.truth.idle_j.values()), rel=1e-9)
    held = {row["job"]: (row["held_s"], row["unused_s"]) for row in told["rows"] if row["held_s"]}
    assert held["1005"][0] == held["1005"][1] == pytest.approx(6 * HOUR_S, abs=300)


def test_a_job_that_is_looked_for_where_it_was_not(user: User, fleet: Fleet) -> None:
    early = ("--until", str(fleet.start_unix_s + (HOURS - 22) * HOUR_S))
    assert "no such job" in user.mistake(fleet.url, "--job", "1002", *early).err
