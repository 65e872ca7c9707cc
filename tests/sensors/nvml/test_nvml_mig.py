"""Who worked on a GPU that MIG has split, against the scripted activity of its instances."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pynvml
import pytest

from aipower.model import ProcessId
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.mig import LOOK_AGAIN_S, MigUsage
from fake_driver.build import strictest
from fake_driver.presets import a100, h100
from fake_driver.script import Busy, FaultRule, Gpu, Instance, Process, not_supported
from sensors.nvml.rig import Rig, rig
from sensors.nvml.standin import FakeClock, Standin, fails

SAMPLE, METRICS = "nvmlGpmMigSampleGet", "nvmlGpmMetricsGet"
ONE, TWO, FOUR = 7, 3, 1
"""Ids of instances of one, two and four slices, as a driver may give them."""
MIX = (
    Instance(ONE, 1, sm=70.0, tensor=35.0, dram=14.0, graphics=90.0),
    Instance(TWO, 2, sm=(Busy(0, 10, 50.0),), tensor=20.0, dram=10.0),
    Instance(FOUR, 4, sm=25.0, dram=50.0),
)
TENANTS = (Process(11, instance=ONE), Process(12, instance=TWO), Process(13, instance=FOUR))


def gpu(*processes: Process, instances: tuple[Instance, ...] = MIX, **changes: Any) -> Gpu:
    return h100(processes=processes, instances=instances, mig="on", **changes)


def poll(machine: Rig, *times_s: float) -> list[dict[str, Any]]:
    return [machine.at(now_s).collect() for now_s in times_s]


def about(**seconds: float) -> dict[str, Any]:
    return {name.removeprefix("p"): pytest.approx(value, abs=1e-6) for name, value in seconds.items()}


def test_activity_is_weighted_with_the_slices(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS), variant=strictest()) as machine:
        machine.discover()
        first, second, third = poll(machine, 1.0, 3.0, 13.0)
    assert (first["sampled"], first["busy_s"]) == (False, {})
    assert second["sampled"]
    assert second["samples"] == 0
    assert second["busy_s"] == about(p11=2 * 0.7 / 7, p12=2 * 0.5 * 2 / 7, p13=2 * 0.25 * 4 / 7)
    assert second["activity"]["11"] == pytest.approx([2 * 0.7 / 7, 2 * 0.35 / 7, 2 * 0.14 / 7])
    assert second["activity"]["13"] == pytest.approx([2 * 0.25 * 4 / 7, 0.0, 2 * 0.5 * 4 / 7])
    assert third["busy_s"]["12"] == pytest.approx(7 * 0.5 * 2 / 7)
    assert (second["holders"], second["unknown_busy_s"]) == ([11, 12, 13], 0)


def test_several_in_one_instance_share_it(tmp_path: Path) -> None:
    crowd = (Process(11, instance=FOUR), Process(12, instance=FOUR), Process(9001, instance=FOUR))
    with rig(tmp_path, gpu(*crowd, instances=MIX[2:])) as machine:
        machine.discover()
        *_, window = poll(machine, 1.0, 2.0)
    part_s = 0.25 * 4 / 7 / 3
    assert window["busy_s"] == about(p11=part_s, p12=part_s)
    assert window["unknown_busy_s"] == pytest.approx(part_s)


def test_an_instance_of_nobody_known_is_unknown_work(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS[:1])) as machine:
        machine.discover()
        *_, window = poll(machine, 1.0, 2.0)
    assert window["unknown_busy_s"] == pytest.approx(0.5 * 2 / 7 + 0.25 * 4 / 7)


def test_engines_without_sm_activity_still_work(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS, instances=(Instance(ONE, 1, graphics=70.0),))) as machine:
        machine.discover()
        *_, window = poll(machine, 1.0, 2.0)
    assert (window["busy_s"], window["activity"]) == (about(p11=0.1), {})


def test_a_window_too_short_for_the_monitor_is_like_the_last(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS)) as machine:
        machine.discover()
        poll(machine, 1.0, 2.0)
        calls = machine.calls
        (window,) = poll(machine, 2.05)
        assert (machine.calls - calls)[f"{SAMPLE} 0"] == 0
    assert window["busy_s"]["11"] == pytest.approx(0.05 * 0.1)


def test_ampere_has_no_monitor_and_is_not_asked_each_time(tmp_path: Path) -> None:
    card = a100(processes=TENANTS, instances=MIX, mig="on")
    with rig(tmp_path, card) as machine:
        machine.discover()
        windows = poll(machine, *(float(second) for second in range(1, 41)))
        assert machine.calls[f"{SAMPLE} 0"] == 2
    assert not any(window["sampled"] or window["busy_s"] for window in windows)
    assert windows[0]["holders"] == [11, 12, 13]


def test_a_window_costs_two_calls_per_instance(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS)) as machine:
        machine.discover()
        poll(machine, 1.0)
        machine.at(2.0)
        calls = machine.calls_of("collect")
    monitor = {call: count for call, count in calls.items() if "Gpm" in call or "Mig" in call}
    assert monitor == {f"{SAMPLE} 0": 3, f"{METRICS} -": 3}


@pytest.mark.parametrize("function", [SAMPLE, METRICS, "nvmlDeviceGetMigDeviceHandleByIndex"])
@pytest.mark.parametrize("code", [2, 3, 10, 999])
def test_a_monitor_that_fails_is_silence_and_may_come_back(tmp_path: Path, function: str, code: int) -> None:
    rules = (FaultRule(function, 0.0, 5.0, code=code),)
    with rig(tmp_path, gpu(*TENANTS), faults=rules) as machine:
        machine.discover()
        assert not any(window["sampled"] for window in poll(machine, 1.0, 2.0, 3.0))
        *_, window = poll(machine, 45.0, 46.0, 47.0)
        assert machine.calls[f"{SAMPLE} 0"] <= 16
    assert window["busy_s"]["11"] == pytest.approx(0.1)


def test_a_monitor_that_stumbles_is_watched_again_at_once(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS, faults=(FaultRule(SAMPLE, 3.5, 4.5, code=999),))) as machine:
        machine.discover()
        windows = poll(machine, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert [window["sampled"] for window in windows] == [False, True, True, False, False, True]


def test_instances_that_are_made_anew_are_seen_within_ten_seconds(tmp_path: Path) -> None:
    """For half a minute there is none, and those that were there are refused."""
    away = (
        FaultRule("nvmlDeviceGetMigDeviceHandleByIndex", 2.5, 32.5, code=6),
        FaultRule(SAMPLE, 2.5, 32.5, code=2),
    )
    with rig(tmp_path, gpu(*TENANTS, faults=away)) as machine:
        machine.discover()
        windows = poll(machine, *(float(second) for second in range(1, 43)))
    assert [window["sampled"] for window in windows[:2]] == [False, True]
    assert not any(window["sampled"] for window in windows[2:32])
    assert windows[-1]["busy_s"] == about(p11=0.7 / 7, p13=0.25 * 4 / 7)


def test_a_gpu_that_left_is_gone(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS, faults=(FaultRule(SAMPLE, 3.0, code=15),))) as machine:
        machine.discover()
        poll(machine, 1.0, 2.0)
        assert machine.at(4.0).failure("collect").kind == "SensorGoneError"


def test_a_process_in_an_instance_that_is_not_there_is_looked_for_once(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TENANTS, Process(14, 2.5, instance=99))) as machine:
        machine.discover()
        windows = poll(machine, 1.0, 2.0, 3.0, 4.0, 5.0)
        assert machine.calls["nvmlDeviceGetMaxMigDeviceCount 0"] == 2
    assert all(window["sampled"] for window in windows[1:])
    assert "14" not in windows[-1]["busy_s"]


def test_an_old_driver_without_utilisation_is_not_taken_for_mig(tmp_path: Path) -> None:
    card = h100(processes=(Process(11, busy=50.0),), faults=not_supported("nvmlDeviceGetMaxMigDeviceCount"))
    with rig(tmp_path, card, variant="no-utilization") as machine:
        machine.discover()
        windows = poll(machine, 1.0, 2.0)
    assert not any(window["sampled"] for window in windows)


def test_an_instance_that_is_made_anew_with_the_same_id_has_its_new_size() -> None:
    """The monitor takes samples of the old and the new one alike: only the size tells."""
    slices = [1]

    def metrics(get: Any) -> None:
        for metric in get.metrics[:4]:
            metric.value, metric.nvmlReturn = 100.0, 0

    nvml = Standin(
        {
            "nvmlDeviceGetMaxMigDeviceCount": lambda _: 7,
            "nvmlDeviceGetMigDeviceHandleByIndex": lambda _, index: 0 if index == 0 else fails(6)(),
            "nvmlDeviceGetGpuInstanceId": lambda _: FOUR,
            "nvmlDeviceGetAttributes_v2": lambda _: Attributes(slices[0]),
            "nvmlGpmSampleAlloc": object,
            "nvmlGpmSampleFree": lambda _: None,
            SAMPLE: lambda *_: None,
            METRICS: metrics,
            "c_nvmlGpmMetricsGet_t": Question,
        }
    )
    clock, tenant = FakeClock(), ProcessId("boot", 11, 1)
    usage = MigUsage(Driver(nvml), 0, clock)
    found = []
    for second in range(20):
        slices[0] = 1 if second < 5 else 4
        clock.sleep(1)
        work = usage.collect({FOUR: (tenant,)})
        found.append(work and work.busy_s[tenant])
    assert found[:2] == [None, pytest.approx(1 / 7)]
    assert found[5 + int(LOOK_AGAIN_S) + 1 :] == [pytest.approx(4 / 7)] * (14 - int(LOOK_AGAIN_S))


@dataclass(frozen=True, slots=True)
class Attributes:
    gpuInstanceSliceCount: int  # noqa: N815 - NVML's name


class Question:
    """As pynvml's structure, but for samples that are no buffers of the driver's."""

    def __init__(self) -> None:
        self.metrics = pynvml.c_nvmlGpmMetricsGet_t().metrics
