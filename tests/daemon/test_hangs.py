"""The real agent beside a driver that hangs: it answers, and it ends when it is told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daemon.agents import LIMIT_S, agent, total
from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import FaultRule, Gpu, Machine

FAST = ("--interval-s", "0.2", "--process-interval-s", "1")
SOON_S = 8.0
"""An end takes three seconds at most; the rest is for a machine that is busy with other things."""


def environment(folder: Path, machine: Machine) -> dict[str, str]:
    return machine.environment(library("full"), machine.write(folder / "machine.txt"), folder / "calls")


def up(gpu: Gpu, value: int) -> str:
    """The line of /metrics that says whether `gpu` can be read."""
    return f'aipower_sensor_up{{device="{gpu.uuid}",index="0",kind="gpu"}} {value}'


def until_called(folder: Path, function: str, times: int = 1) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    calls = folder / "calls"
    while not calls.exists() or calls.read_text().count(function) < times:
        assert time.monotonic() < deadline_s, f"{function} was never called {times} times"
        time.sleep(0.05)


def test_a_driver_that_hangs_at_the_start_does_not_keep_the_agent(tmp_path: Path) -> None:
    machine = Machine((h100(0),), faults=(FaultRule("nvmlInit*", delay_s=600),))
    with agent(tmp_path, *FAST, env=environment(tmp_path, machine)) as running:
        assert '"starting"' in running.page("/healthz")
        assert "aipower_build_info" in running.page()
        until_called(tmp_path, "nvmlInit")
        running.until('aipower_agent_faults_total{device="",reason="hung"} 1')
        running.until_logged("GPU (NVML) does not answer")
        assert "GPU (NVML) has not answered yet" in running.page("/healthz")
        running.process.terminate()
        began_s = time.monotonic()
        assert running.process.wait(LIMIT_S) == 0
        assert time.monotonic() - began_s < SOON_S
        assert "Traceback" not in running.log.read_text()
        assert "leaving without it" in running.log.read_text()


def test_an_address_in_use_is_told_before_the_driver_is_touched(tmp_path: Path) -> None:
    variables = environment(tmp_path, Machine((h100(0),), faults=(FaultRule("nvmlInit*", delay_s=600),)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "aipower", "agent", "--listen", f"127.0.0.1:{taken.getsockname()[1]}"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert not (tmp_path / "calls").exists()


BROKEN = """
import sys
sys.path.insert(0, sys.argv[1])
from aipower.daemon.agent import serve, set_up_log
from aipower.daemon.finding.finder import Finder
from aipower.daemon.work import Parts
from aipower.seams import SystemClock
from aipower.settings.address import Address
from daemon.rigs import Rig, Sensor, Source
from fakes import GPU

def bug():
    raise ZeroDivisionError("a bug")

def make(end):
    clock = SystemClock()
    rig = Rig(clock, [Sensor(clock)], {GPU.id: Source(clock, bug)}, 0.05, lambda: end(1))
    return Parts(rig.sampler, Finder(rig.meter, rig.sampler, (), clock))

set_up_log("info")
sys.exit(serve(Address("127.0.0.1", 0), make, SystemClock()))
"""


def test_an_agent_that_cannot_sample_any_more_ends_and_says_so() -> None:
    """Systemd starts it again."""
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, tests], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("ZeroDivisionError: a bug") == 1
    assert "giving up" in done.stderr


def test_a_driver_that_hangs_later_does_not_keep_the_agent(tmp_path: Path) -> None:
    """The GPU leaves, and the session that would find it again never begins."""
    gpu = h100(0, lost_s=((8.0, 1000.0),))
    machine = Machine((gpu,), faults=(FaultRule("nvmlInit*", start_s=7.0, delay_s=600),))
    with agent(tmp_path, *FAST, env=environment(tmp_path, machine)) as running:
        running.until(up(gpu, 1))
        running.until(up(gpu, 0))
        running.until_logged("GPU (NVML) does not answer")
        assert '"ok"' in running.page("/healthz")
        running.process.terminate()
        began_s = time.monotonic()
        assert running.process.wait(LIMIT_S) == 0
        assert time.monotonic() - began_s < SOON_S
        assert "leaving without it" in running.log.read_text()


def test_reads_that_hang_show_no_power_and_do_not_keep_the_agent(tmp_path: Path) -> None:
    gpu = h100(0)
    machine = Machine((gpu,), faults=(FaultRule("nvmlDeviceGet*", start_s=6.0, delay_s=600),))
    with agent(tmp_path, *FAST, env=environment(tmp_path, machine)) as running:
        running.until(up(gpu, 1))
        running.until('reason="hung"')
        running.until(up(gpu, 0))
        series = running.series()
        assert "aipower_device_power_watts" not in {name for name, _ in series}
        assert total(series, "aipower_device_energy_joules_total", device=gpu.uuid) > 0
        assert '"ok"' in running.page("/healthz")
        running.process.terminate()
        began_s = time.monotonic()
        assert running.process.wait(LIMIT_S) == 0
        assert time.monotonic() - began_s < SOON_S
        assert "leaving without it" in running.log.read_text()


def test_a_driver_that_is_loaded_later_is_found(tmp_path: Path) -> None:
    gpu = h100(0)
    machine = Machine((gpu,), faults=(FaultRule("nvmlInit*", end_s=4.0, code=9),))
    with agent(tmp_path, *FAST, env=environment(tmp_path, machine)) as running:
        running.until_healthy()
        assert "aipower_device_info{" not in running.page()
        began_s = time.monotonic()
        running.until("aipower_device_info{")
        assert time.monotonic() - began_s < 30
        running.until(up(gpu, 1))


def test_a_counter_that_gets_stuck_is_no_longer_called_the_source(tmp_path: Path) -> None:
    gpu = h100(0, stuck_s=((6.0, 1000.0),))
    with agent(tmp_path, *FAST, env=environment(tmp_path, Machine((gpu,)))) as running:
        running.until('method="counter"')
        assert 'method="counter"' not in running.until('method="integrated"')


@pytest.mark.parametrize("delay_s", [0.02, 0.06, 0.12, 0.25, 0.5])
def test_an_early_interrupt_leaves_no_traceback(delay_s: float, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        code = "import sys; from aipower.cli import main; print('up', flush=True); sys.exit(main(sys.argv[1:]))"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "agent", "--sensors", "fake", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=dict(os.environ),
        )
    assert process.stdout is not None
    with process.stdout as out:
        assert out.readline() == "up\n"
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) in {0, 130}
    assert "Traceback" not in (tmp_path / "log").read_text()
