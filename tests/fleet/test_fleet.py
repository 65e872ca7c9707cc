"""The simulated nodes are what the other tests take them for."""

from __future__ import annotations

import pytest

from aipower.model import UJ_PER_J
from fleet.fixture import Fleet
from fleet.plan import HOUR_S
from fleet.story import VLLM_POD

SUMMED = 'kind=~"gpu|cpu|dram"'


def test_a_query_finds_the_whole_energy_of_a_job_that_has_ended_on_all_its_nodes(fleet: Fleet) -> None:
    asked = fleet.by(
        "job", f'sum by (job) (max_over_time(aipower_job_energy_joules_total{{system="slurm",{SUMMED}}}[26h]))'
    )
    wanted = {job: energy_j for (system, job), energy_j in fleet.truth.jobs_j.items() if system == "slurm"}
    assert asked == pytest.approx(wanted, abs=2 / UJ_PER_J)
    assert asked.keys() == {"1001", "1002", "1003", "1004", "1005", "1006", "1007"}


def test_the_energy_of_jobs_is_what_the_story_says_they_drew(fleet: Fleet) -> None:
    for key, drawn_j in fleet.truth.drawn_j.items():
        # Also of the service that held its GPU over the restart of the agent, which must still know the idle level.
        # Of less than half a watt beside 55 W of static power hardly more is known than that.
        if key[1] != "systemd-journald.service":
            assert fleet.truth.jobs_j[key] == pytest.approx(drawn_j, rel=0.03), key


def test_the_second_finetune_used_a_fifth_less(fleet: Fleet) -> None:
    jobs = fleet.truth.jobs_j
    assert jobs["slurm", "1003"] / jobs["slurm", "1002"] == pytest.approx(0.8, abs=0.015)


def test_jobs_nobody_and_the_idle_devices_sum_to_the_device(fleet: Fleet) -> None:
    whole = fleet.by("device", "sum by (device) (aipower_device_energy_joules_total)")
    parts = fleet.by(
        "device",
        "sum by (device) (aipower_job_energy_joules_total) + sum by (device) (aipower_job_folded_energy_joules_total)",
    )
    assert parts == pytest.approx(whole, rel=1e-12)
    assert len(whole) == 12


def test_rates_work_in_the_coarse_and_in_the_fine_time(fleet: Fleet) -> None:
    for hours in (0, 1, 7, 23):
        power_w = fleet.value("sum(rate(aipower_device_energy_joules_total[5m]))", fleet.end_unix_s - hours * HOUR_S)
        assert 700 < power_w < 6000


def test_a_node_that_was_cut_off_went_on_counting(fleet: Fleet) -> None:
    at = fleet.start_unix_s + 15 * HOUR_S
    assert fleet.by("instance", 'up{job="aipower"}', at) == {"node-a:9877": 1, "node-b:9877": 1, "node-c:9877": 0}
    assert not fleet.query(f'aipower_job_energy_joules_total{{job="{VLLM_POD}"}}', at)
    assert fleet.value("sum(resets(aipower_device_energy_joules_total[26h]))") == 0


def test_a_broken_sensor_shows_no_power(fleet: Fleet) -> None:
    at = fleet.start_unix_s + 16.5 * HOUR_S
    assert fleet.value('aipower_sensor_up{device="GPU-bbbbbbbb-0000-0000-0000-000000000001"}', at) == 0
    assert not fleet.query('aipower_device_power_watts{device="GPU-bbbbbbbb-0000-0000-0000-000000000001"}', at)


def test_a_gpu_that_is_held_without_use_is_seen(fleet: Fleet) -> None:
    held = fleet.value('aipower_job_held_seconds_total{job="1005"}')
    assert fleet.value('aipower_job_unused_seconds_total{job="1005"}') == held
    assert held == pytest.approx(6 * HOUR_S, abs=300)


def test_the_servers_tokens_are_beside_the_pods_energy(fleet: Fleet) -> None:
    assert fleet.value("vllm:generation_tokens_total") == pytest.approx(fleet.truth.tokens["vllm-llama-0"])
    assert fleet.value("sglang:generation_tokens_total") == pytest.approx(fleet.truth.tokens["sglang-qwen-0"])
    assert fleet.by("pod", 'aipower_job_info{pod!=""}') == {"vllm-llama-0": 1, "sglang-qwen-0": 1}


def test_a_run_has_its_series(fleet: Fleet) -> None:
    assert fleet.value(f'sum(max_over_time(aipower_run_energy_joules_total{{name="bench",{SUMMED}}}[1h]))') > 100_000
