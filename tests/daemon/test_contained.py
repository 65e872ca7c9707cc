"""The real agent beside GPUs of which one hangs: the others, the pages and the stop do not wait for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from daemon.agents import LIMIT_S, Agent, Series, agent, total
from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import FaultRule, Gpu, Machine
from sensors.powercap import put_zone

FAST = ("--interval-s", "0.2", "--process-interval-s", "1")
HANG_S = 600.0
POWER, UP, ENERGY = "aipower_device_power_watts", "aipower_sensor_up", "aipower_device_energy_joules_total"
FAULTS = "aipower_agent_faults_total"


def environment(folder: Path, *gpus: Gpu, faults: tuple[FaultRule, ...] = ()) -> dict[str, str]:
    machine = Machine(gpus, faults=faults)
    return machine.environment(library("full"), machine.write(folder / "machine.txt"))


def hangs(function: str = "nvmlDeviceGet*", start_s: float = 0.0, end_s: float = 1e9, delay_s: float = HANG_S) -> Gpu:
    return h100(1, faults=(FaultRule(function, start_s, end_s, delay_s=delay_s),))


def until_up(running: Agent, gpu: Gpu, value: int, within_s: float = LIMIT_S) -> Series:
    """The page once `gpu` is up (1) or down (0)."""
    until_s = time.monotonic() + within_s
    while True:
        series = running.series()
        if [v for (name, labels), v in series.items() if name == UP and ("device", gpu.uuid) in labels] == [value]:
            return series
        assert time.monotonic() < until_s, f"{running.page()}\n{running.log.read_text()}"
        time.sleep(0.05)


def devices(series: Series, name: str) -> set[str]:
    return {dict(labels)["device"] for found, labels in series if found == name}


def assert_ends_soon(running: Agent) -> None:
    running.process.terminate()
    began_s = time.monotonic()
    assert running.process.wait(LIMIT_S) == 0
    assert time.monotonic() - began_s < 5
    assert "Traceback" not in running.log.read_text()


def test_one_of_three_that_hangs_for_ever_costs_only_itself(tmp_path: Path) -> None:
    well, ill, other = h100(0), hangs(start_s=8.0), h100(2)
    with agent(tmp_path, *FAST, env=environment(tmp_path, well, ill, other)) as running:
        until_up(running, ill, 1)
        before = until_up(running, ill, 0)
        began_s = time.monotonic()
        time.sleep(3)
        asked_s = time.monotonic()
        series = running.series()
        assert time.monotonic() - asked_s < 1
        passed_s = time.monotonic() - began_s
        assert devices(series, POWER) == {well.uuid, other.uuid}
        assert total(series, FAULTS, device=ill.uuid, reason="hung") > 0
        assert total(series, FAULTS, reason="late") == 0
        ticks = total(series, "aipower_agent_ticks_total") - total(before, "aipower_agent_ticks_total")
        assert ticks > 0.5 * passed_s / 0.2, "at its own pace, but for a machine that is busy with other things"
        for gpu in (well, other):
            used_j = total(series, ENERGY, device=gpu.uuid) - total(before, ENERGY, device=gpu.uuid)
            assert used_j == pytest.approx(gpu.idle_w * passed_s, rel=0.8)
        assert '"ok"' in running.page("/healthz")
        assert_ends_soon(running)


def test_one_that_hangs_for_seconds_comes_back_and_keeps_its_energy(tmp_path: Path) -> None:
    """One call is made while it hangs; it takes three seconds."""
    well, ill = h100(0), hangs(start_s=8.0, end_s=8.6, delay_s=3.0)
    with agent(tmp_path, *FAST, env=environment(tmp_path, well, ill)) as running:
        until_up(running, ill, 1)
        down = until_up(running, ill, 0)
        back = until_up(running, ill, 1, within_s=20)
        assert total(back, POWER, device=ill.uuid) > 0
        assert total(back, FAULTS, device=ill.uuid, reason="hung") > 0
        assert total(back, ENERGY, device=ill.uuid) >= total(down, ENERGY, device=ill.uuid)
        until_s = time.monotonic() + LIMIT_S
        while not same_energy(running.series(), well, ill):
            assert time.monotonic() < until_s, "the counter went on while it hung"
            time.sleep(0.2)
        assert_ends_soon(running)
        assert "leaving without it" not in running.log.read_text()


def same_energy(series: Series, one: Gpu, other: Gpu) -> bool:
    """True if two GPUs with the same load have used the same energy."""
    energy_j = [total(series, ENERGY, device=gpu.uuid) for gpu in (one, other)]
    return energy_j[0] > 70 * 12 and energy_j[1] == pytest.approx(energy_j[0], rel=0.05)


@pytest.mark.parametrize("function", ["nvmlDeviceGetUUID", "nvmlDeviceGetName"])
def test_one_that_hangs_from_the_start_joins_when_it_answers(function: str, tmp_path: Path) -> None:
    well, ill = h100(0), hangs(function, delay_s=12.0, end_s=6.0)
    with agent(tmp_path, *FAST, env=environment(tmp_path, well, ill)) as running:
        series = until_up(running, well, 1)
        assert devices(series, UP) == {well.uuid}
        running.until_logged("GPU 1 not measured: a call into its driver hangs")
        assert '"ok"' in running.page("/healthz")
        until_up(running, ill, 1)
        assert_ends_soon(running)


def test_an_init_that_hangs_does_not_keep_the_processors_from_being_measured(tmp_path: Path) -> None:
    zones = tmp_path / "powercap"
    put_zone(zones / "intel-rapl:0", "package-0", energy_uj=1_000_000)
    variables = environment(tmp_path, h100(0), faults=(FaultRule("nvmlInit*", end_s=6.0, delay_s=9.0),))
    began_s = time.monotonic()
    with agent(tmp_path, *FAST, env={**variables, "AIPOWER_POWERCAP_ROOT": str(zones)}) as running:
        running.until(f'{UP}{{device="intel-rapl:0"')
        assert time.monotonic() - began_s < 9, "the driver has not answered yet"
        running.until_healthy()
        until_up(running, h100(0), 1)
        running.until_logged("answers again")
        assert_ends_soon(running)


def test_what_was_named_and_hangs_keeps_the_agent_starting(tmp_path: Path) -> None:
    zones = tmp_path / "powercap"
    put_zone(zones / "intel-rapl:0", "package-0", energy_uj=1_000_000)
    variables = environment(tmp_path, h100(0), faults=(FaultRule("nvmlInit*", delay_s=HANG_S),))
    flags = ("--sensors", "nvml,rapl", *FAST)
    with agent(tmp_path, *flags, env={**variables, "AIPOWER_POWERCAP_ROOT": str(zones)}) as running:
        running.until(f'{UP}{{device="intel-rapl:0"')
        page = running.page("/healthz")
        assert '"starting"' in page
        assert "GPU (NVML) has not answered yet" in page
        assert_ends_soon(running)


def test_what_was_named_and_is_refused_late_ends_the_agent(tmp_path: Path) -> None:
    rules = (FaultRule("nvmlInit*", delay_s=4.0, code=9),)
    with agent(tmp_path, "--sensors", "nvml", *FAST, env=environment(tmp_path, h100(0), faults=rules)) as running:
        assert '"starting"' in running.page("/healthz")
        assert running.process.wait(LIMIT_S) == 2
        last = running.log.read_text().splitlines()[-1]
        assert "--sensors nvml: the NVIDIA driver is not loaded" in last


def test_a_gpu_that_appears_beside_others_is_found(tmp_path: Path) -> None:
    well, later = h100(0), h100(1, lost_s=((-1.0, 12.0),))
    with agent(tmp_path, *FAST, env=environment(tmp_path, well, later)) as running:
        series = until_up(running, well, 1)
        assert devices(series, UP) == {well.uuid}
        until_up(running, later, 1, within_s=30)
        assert total(running.series(), UP, device=well.uuid) == 1
