"""The real `aipower agent`, started as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from daemon.agents import Agent, Series, agent, total
from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import Gpu, Machine, Process, Sampler, Segment

DEVICE, COMPONENT = "aipower_device_energy_joules_total", "aipower_device_component_energy_joules_total"
PROCESS = "aipower_process_energy_joules_total"
FOLDED = "aipower_process_folded_energy_joules_total"
JOB, FOLDED_JOBS = "aipower_job_energy_joules_total", "aipower_job_folded_energy_joules_total"
FAST = ("--interval-s", "0.2", "--process-interval-s", "1")


def driver(folder: Path, *gpus: Gpu) -> dict[str, str]:
    machine = Machine(gpus)
    return machine.environment(library("full"), machine.write(folder / "machine.txt"))


def devices(series: Series) -> set[str]:
    return {dict(labels)["device"] for name, labels in series if name == DEVICE}


def assert_sums_are_exact(series: Series) -> None:
    """Parts to 1 ppm of the whole, and processes to their components."""
    for device in devices(series):
        whole = total(series, DEVICE, device=device)
        assert total(series, COMPONENT, device=device) == pytest.approx(whole, rel=1e-6)
        jobs = total(series, JOB, device=device) + total(series, FOLDED_JOBS, device=device)
        assert jobs == pytest.approx(whole, rel=1e-6)
        for part in ("context", "active"):
            split = sum(total(series, name, device=device, component=part) for name in (PROCESS, FOLDED))
            assert split == pytest.approx(total(series, COMPONENT, device=device, component=part), rel=1e-6, abs=1e-5)


def test_the_simulated_machine_in_both_formats(tmp_path: Path) -> None:
    with agent(tmp_path, "--sensors", "fake:3", *FAST) as running:
        running.until('kind="cpu"} ')
        running.until(f'{PROCESS}{{comm="train.py"')
        running.until("aipower_device_power_limit_watts{")
        running.until(f'{JOB}{{device="GPU-fake-0",index="0",job="4711"')
        series = running.series()
        assert total(series, "aipower_job_held_seconds_total", job="4711") > 0
        assert len(devices(series)) == 5
        assert_sums_are_exact(series)
        assert "aipower_build_info" in running.page()
        open_metrics = running.page(accept="application/openmetrics-text; version=1.0.0")
        assert open_metrics.endswith("# EOF\n")
        families = parse_openmetrics(open_metrics)  # type: ignore[no-untyped-call]  # not annotated upstream
        assert {family.name for family in families} >= {"aipower_device_energy_joules"}
        assert '"ok"' in running.page("/healthz")


def test_the_agent_is_a_process_like_any_other_and_says_which(tmp_path: Path) -> None:
    with agent(tmp_path, "--sensors", "fake", *FAST) as running:
        running.until("aipower_agent_energy_share_ratio ")
        series = running.series()
    own_j = total(series, "aipower_agent_energy_joules_total")
    assert own_j == total(series, "aipower_agent_energy_joules_total", kind="cpu") + total(
        series, "aipower_agent_energy_joules_total", kind="dram"
    )
    assert 0 < total(series, PROCESS, pid=str(running.process.pid)) <= own_j
    summed_j = sum(total(series, DEVICE, kind=kind) for kind in ("gpu", "cpu", "dram"))
    # Energy of before the first process was seen is in the device's, not in what the agent's is a share of.
    assert own_j / summed_j * (1 - 1e-9) <= total(series, "aipower_agent_energy_share_ratio") < 1


def test_counters_never_fall_and_sums_hold_while_it_runs(tmp_path: Path) -> None:
    with agent(tmp_path, "--sensors", "fake", *FAST) as running:
        running.until('kind="cpu"} ')
        before: Series = {}
        for _ in range(8):
            series = running.series()
            assert_sums_are_exact(series)
            for key, value in before.items():
                if key[0].endswith("_total"):
                    assert series[key] >= value
            before = series
            time.sleep(0.4)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(number: int, tmp_path: Path) -> None:
    with agent(tmp_path, "--sensors", "fake") as running:
        running.until(DEVICE)
        running.process.send_signal(number)
        assert running.process.wait(20) == 0
        log = running.log.read_text()
        assert "stopping" in log
        assert "Traceback" not in log


def refused(*flags: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "aipower", *flags],
        capture_output=True,
        text=True,
        env={**os.environ, "AIPOWER_POWERCAP_ROOT": "/nonexistent", **(env or {})},
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_an_address_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, errors = refused("agent", "--sensors", "fake", "--listen", address)
    assert code != 0
    assert address in errors.splitlines()[-1]
    assert "in use" in errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (["agent", "--interval-s", "soon"], "--interval-s"),
        (["agent", "--sensors", "gpus"], 'unknown sensor "gpus"'),
        (["agent", "--config", "/no/such/file.toml"], "/no/such/file.toml"),
        (["agent", "--listenn", "x"], "unrecognized arguments: --listenn"),
        (["agnt"], "did you mean agent?"),
        (["agent", "--intervals", "3"], "did you mean --interval-s?"),
        (["doctor", "--jsno"], "did you mean --json?"),
    ],
)
def test_misuse_is_2_and_one_line(flags: list[str], hint: str) -> None:
    code, errors = refused(*flags)
    assert code == 2
    assert hint in errors
    assert errors.count("\n") == 1


def test_a_named_sensor_that_is_missing_is_2_and_the_last_line() -> None:
    code, errors = refused("agent", "--sensors", "rapl", "--listen", "127.0.0.1:0")
    assert code == 2
    assert "--sensors rapl: " in errors.splitlines()[-1]


def test_an_unknown_key_names_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("intervall_s = 1\n")
    code, errors = refused("agent", "--config", str(tmp_path / "a.toml"))
    assert code == 2
    assert 'did you mean "interval_s"' in errors


def test_config_prints_what_would_be_used() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aipower", "config", "--listen", "127.0.0.1:1234"],
        capture_output=True,
        text=True,
        env={**os.environ, "AIPOWER_RETENTION_S": "60"},
        check=True,
    )
    assert 'listen = "127.0.0.1:1234"\n' in done.stdout
    assert "retention_s = 60.0\n" in done.stdout


def worker(pid: int, start_s: float = 0.0) -> Process:
    return Process(pid, start_s, busy=60.0, only_alive=True)


def test_who_used_a_gpu_and_how_an_ended_process_leaves(tmp_path: Path) -> None:
    job = subprocess.Popen(["sleep", "1000"])
    gpu = h100(
        0, shapes=(Segment(1.5, 1000, 300.0),), processes=(worker(job.pid, start_s=1.5),), sampler=Sampler("each")
    )
    mine = f'{PROCESS}{{comm="sleep",component="active",device="{gpu.uuid}",index="0",kind="gpu",pid="{job.pid}"'
    try:
        with agent(tmp_path, *FAST, "--retention-s", "3", env=driver(tmp_path, gpu)) as running:
            page = running.until(mine)
            assert f'uuid="{gpu.uuid}"' in page
            assert 'method="counter"' in page
            deadline_s = time.monotonic() + 60
            while (used := total(running.series(), PROCESS, device=gpu.uuid, pid=str(job.pid))) == 0:
                assert time.monotonic() < deadline_s
                time.sleep(0.1)
            job.kill()
            job.wait()
            while total(series := running.series(), FOLDED, device=gpu.uuid) == 0:
                assert time.monotonic() < deadline_s
                time.sleep(0.1)
            assert total(series, PROCESS, device=gpu.uuid, pid=str(job.pid)) == 0
            assert total(series, PROCESS, device=gpu.uuid, comm="other") == 0
            assert total(series, FOLDED, device=gpu.uuid) >= used
            assert total(series, "aipower_agent_folded_series_total") >= 1
            assert_sums_are_exact(series)
    finally:
        job.kill()
        job.wait()


def test_the_cap_on_series_folds_the_rest(tmp_path: Path) -> None:
    jobs = [subprocess.Popen(["sleep", "1000"]) for _ in range(6)]
    processes = tuple(worker(job.pid) for job in jobs)
    gpu = h100(0, shapes=(Segment(0, 1000, 300.0),), processes=processes, sampler=Sampler("each"))
    try:
        with agent(tmp_path, *FAST, "--max-processes", "3", env=driver(tmp_path, gpu)) as running:
            running.until('comm="other"')
            series = running.series()
            shown = {dict(labels)["pid"] for name, labels in series if name == PROCESS} - {""}
            assert len(shown) <= 3
            assert_sums_are_exact(series)
    finally:
        for job in jobs:
            job.kill()
            job.wait()


def test_a_lost_gpu_loses_its_power_and_keeps_its_counter(tmp_path: Path) -> None:
    lost = h100(0, lost_s=((6.0, 1000.0),))
    well = h100(1)
    with agent(tmp_path, *FAST, env=driver(tmp_path, lost, well)) as running:
        running.until(f'{DEVICE}{{device="{lost.uuid}"')
        running.until(f'aipower_sensor_up{{device="{lost.uuid}",index="0",kind="gpu"}} 0')
        series = running.series()
        assert total(series, "aipower_sensor_up", device=well.uuid) == 1
        assert total(series, "aipower_device_power_watts", device=well.uuid) > 0
        powered = {dict(labels)["device"] for name, labels in series if name == "aipower_device_power_watts"}
        assert powered == {well.uuid}
        assert total(series, DEVICE, device=lost.uuid) > 0
        assert total(series, "aipower_agent_faults_total", device=lost.uuid, reason="gone") >= 1
        assert '"ok"' in running.page("/healthz")


def test_a_gpu_that_comes_back_is_found_again(tmp_path: Path) -> None:
    gpu = h100(0, lost_s=((6.0, 11.0),))
    with agent(tmp_path, *FAST, env=driver(tmp_path, gpu)) as running:
        running.until(f'aipower_sensor_up{{device="{gpu.uuid}",index="0",kind="gpu"}} 0')
        before = total(running.series(), DEVICE, device=gpu.uuid)
        running.until(f'aipower_sensor_up{{device="{gpu.uuid}",index="0",kind="gpu"}} 1')
        again: Agent = running
        deadline_s = time.monotonic() + 30
        while total(again.series(), DEVICE, device=gpu.uuid) <= before:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)


def test_without_any_sensor_it_serves_and_says_so(tmp_path: Path) -> None:
    with agent(tmp_path, *FAST, env={"LD_LIBRARY_PATH": "/nonexistent"}) as running:
        assert "aipower_build_info" in running.page()
        running.until_healthy()
        log = running.log.read_text()
        assert "GPU (NVML) not measured" in log
        assert "CPU (RAPL) not measured" in log
