"""The experiments against cards whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import coverage, power_fields
from benchmarks.gpu.integral import LOADS
from benchmarks.gpu.seams import IDLE, STEADY
from fake_driver.presets import a100, h100, v100
from fake_driver.script import Busy, EnergyCounter, FaultRule, PowerSensor, Process, Sampler
from gpu_experiments.rig import experiment
from gpu_experiments.scripted import PIDS, shapes

LOAD_W = 300.0
STRETCH_S = 6.0
"""Of one load of the sweep: the fake part-time counter looks at all of the time since 0."""


@pytest.mark.parametrize(("preset", "period_s"), [(h100, 0.1), (v100, 0.02)])
def test_counter_finds_period_step_and_power(tmp_path: Path, preset: Any, period_s: float) -> None:
    gpu = preset(shapes=shapes([STEADY], LOAD_W))
    data = experiment(tmp_path, gpu, "counter", [STEADY], scale=0.2)["data"]
    for state, power_w in (("idle", gpu.idle_w), ("load", gpu.idle_w + LOAD_W)):
        assert data[state]["period_s"] == pytest.approx(period_s, rel=2e-3)
        assert data[state]["interval_s"]["p50"] == pytest.approx(period_s, abs=2e-3)
        assert data[state]["step"]["p50"] == pytest.approx(1000 * power_w * period_s, abs=1)
        assert data[state]["power_w"] == pytest.approx(power_w, rel=2e-3)
        assert data[state]["falls"] == 0


def test_power_fields_find_interval_and_delay(tmp_path: Path) -> None:
    """The load drifts, so that each publication shows; memory's share is of the average alone, of the module none."""
    sources = (STEADY, power_fields.STEPS)
    specs = sources * 4
    gpu = h100(shapes=shapes(specs, LOAD_W, drift_w=90.0))
    data = experiment(tmp_path, gpu, "power-fields", specs, scale=0.3)["data"]
    assert data["instant"]["period_s"] == pytest.approx(0.1, rel=5e-3)
    assert data["instant"]["delay_s"]["p50"] == pytest.approx(0.1, abs=0.01)
    assert data["average"]["delay_s"]["p50"] == pytest.approx(0.5, abs=0.11)
    assert data["average of memory"]["interval_s"]["count"] > 10
    assert "NVML 3" in data["instant of module"]["unavailable"]
    assert data["instant"]["age_s"]["p50"] == pytest.approx(0.0, abs=0.01)


def coverage_of(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    specs = [IDLE, STEADY, *coverage.plan(0.1)]
    gpu = h100(shapes=shapes(specs, LOAD_W, block_s=STRETCH_S), **changes)
    data = experiment(tmp_path, gpu, "coverage", specs, scale=0.3, block_s=STRETCH_S)["data"]
    own_period = min(data["findings"], key=lambda period: abs(float(period) - 100))
    found = data["findings"][own_period]
    assert isinstance(found, dict)
    assert found["instant"]["verdict"] == "part-time"
    assert found["instant"]["seen_share"] == pytest.approx(0.25, abs=0.06)
    return found


def test_coverage_tells_a_full_counter(tmp_path: Path) -> None:
    found = coverage_of(tmp_path)
    assert found["counter"]["verdict"] == "full"
    assert found["counter"]["fit"]["mean_w"] == pytest.approx(70 + LOAD_W / 2, rel=0.01)
    assert found["average"]["verdict"] == "full"


def test_coverage_tells_a_part_time_counter_and_average(tmp_path: Path) -> None:
    energy = EnergyCounter("parttime")
    found = coverage_of(tmp_path, energy=energy, average=PowerSensor(100, 1000, sample_ms=25))
    assert found["counter"]["verdict"] == "part-time"
    assert found["counter"]["seen_share"] == pytest.approx(0.25, abs=0.06)
    assert found["average"]["verdict"] == "part-time"


def test_samples_say_that_they_are_not_supported(tmp_path: Path) -> None:
    result = experiment(tmp_path, h100(), "samples")
    assert all("NVML 3" in one["unavailable"] for one in result["data"].values())


@pytest.mark.parametrize(("mode", "ratio"), [("one", 1.0), ("each", 0.0)])
def test_sampler_is_a_fair_coin_or_none(tmp_path: Path, mode: Any, ratio: float) -> None:
    processes = tuple(Process(pid, busy=(Busy(-1e6, 1e6, 50.0),)) for pid in PIDS)
    gpu = h100(processes=processes, sampler=Sampler(mode))
    data = experiment(tmp_path, gpu, "process-sampler")["data"]
    pooled = [data[period] for period in data]
    assert len(pooled) == 5
    mean_ratio = sum(found["ratio"] for found in pooled) / 5
    assert mean_ratio == pytest.approx(ratio, abs=0.45)
    for found in pooled:
        assert found["sample_period_s"] == pytest.approx(1 / 6, abs=0.01)
        assert found["sum_percent"] == pytest.approx(100, abs=3)
        assert found["share"] == pytest.approx(0.5, abs=0.12)
        assert found["one_pid"] == (1.0 if mode == "one" else 0.0)


def test_latency_finds_the_slow_call(tmp_path: Path) -> None:
    slow = FaultRule("nvmlDeviceGetComputeRunningProcesses*", delay_s=0.02)
    data = experiment(tmp_path, h100(faults=(slow,)), "latency", scale=0.1)["data"]
    assert set(data) == {"idle", "load"}
    assert data["idle"]["nvmlDeviceGetComputeRunningProcesses"]["p50"] >= 0.02
    assert data["idle"]["nvmlDeviceGetTotalEnergyConsumption"]["p50"] < 0.02
    assert "NVML 3" in data["idle"]["nvmlDeviceGetSamples"]


def test_integral_agrees_with_a_full_counter(tmp_path: Path) -> None:
    specs = [spec for spec in LOADS.values() if spec is not None]
    gpu = h100(shapes=shapes(specs, LOAD_W), instant=PowerSensor(100, 100))
    data = experiment(tmp_path, gpu, "integral", specs, scale=0.3)["data"]
    for name, power_w in (("idle", 70.0), ("steady", 370.0), ("square 1.05 s", 70.0 + 0.6 * LOAD_W)):
        assert data[name]["counter_j"] / data[name]["span_s"] == pytest.approx(power_w, rel=0.02)
        assert data[name]["difference"]["instant"] == pytest.approx(0, abs=0.01)


def test_integral_finds_a_counter_that_skips(tmp_path: Path) -> None:
    """Half of the idle minute is missing in the counter."""
    gpu = h100(jumps_mj=((10.0, -70_000.0 * 9),))
    data = experiment(tmp_path, gpu, "integral", scale=0.3, missing="no torch")["data"]["idle"]
    assert data["difference"]["instant"] > 0.9


def test_idle_card_alone_where_there_are_no_loads(tmp_path: Path) -> None:
    result = experiment(tmp_path, a100(), "integral", scale=0.2, missing="no torch")
    assert result["data"]["steady"] == {"unavailable": "no torch"}
    assert result["data"]["idle"]["counter_j"] / result["data"]["idle"]["span_s"] == pytest.approx(55, rel=0.01)
    assert list(result["data"]["idle"]["difference"]) == ["instant"]


def test_idle_ladder_of_an_even_card_is_flat(tmp_path: Path) -> None:
    data = experiment(tmp_path, h100(), "idle-ladder", scale=0.3)["data"]
    assert [rung["contexts"] for rung in data["rungs"]] == [0, 1, 2, 4, 1, 0]
    assert all(rung["power"]["mean_w"] == pytest.approx(70, rel=0.01) for rung in data["rungs"])
    assert data["ladder"]["first"]["mean_w"] == pytest.approx(0, abs=0.5)
