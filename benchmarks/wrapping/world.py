"""The node on which all is wrapped: eight GPUs of the scripted driver, two processors whose counters run, an agent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.wrapping.build import Programs

TESTS = Path(__file__).resolve().parents[2] / "tests"
GPUS, SOCKETS = 8, 2
CALL_US = 20.0
"""What the driver sleeps in each call; the kernel rounds it up to about 75 us."""
IDLE_W, BUSY_W = 40.0, 20.0
"""Of a socket, and for each core at work more."""
RANGE_UJ = 262_143_328_850
READY_S = 30.0


@dataclass(frozen=True, slots=True)
class World:
    """What those who measure are told of it."""

    folder: Path
    programs: Programs
    environ: Mapping[str, str]
    """Of every arm: the driver, and a home of this benchmark's own."""
    ours: Mapping[str, str]
    """What `aipower-run` gets beside that."""
    agent_pid: int


@contextmanager
def world(folder: Path, programs: Programs) -> Iterator[World]:
    """The node, with an agent that answers, as long as the context lasts."""
    environ = _environment(folder, programs)
    ours = _ours(folder)
    with _counters(folder, programs), _agent(folder, {**environ, **ours}) as pid:
        yield World(folder, programs, environ, ours, pid)


def agent_cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process since it began, to the nanosecond: see clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def _environment(folder: Path, programs: Programs) -> dict[str, str]:
    """Ours, with the driver of `GPUS` idle GPUs, an empty home, and the programs to be found by their names."""
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    from fake_driver.build import library  # noqa: PLC0415 - it lives with the tests
    from fake_driver.cost import Latency  # noqa: PLC0415 - as above
    from fake_driver.presets import h100  # noqa: PLC0415 - as above
    from fake_driver.script import Machine  # noqa: PLC0415 - as above

    machine = Machine(tuple(h100(number) for number in range(GPUS)))
    home = folder / "home"
    home.mkdir()
    told = {name: value for name, value in os.environ.items() if not name.startswith(("AIPOWER_", "PYTHON", "SLURM_"))}
    driver = machine.environment(library(), machine.write(folder / "machine")) | Latency(CALL_US).environment
    path = f"{programs.load.parent}:{os.environ.get('PATH', os.defpath)}"
    return told | driver | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": path}


def _ours(folder: Path) -> dict[str, str]:
    """The variables of `aipower-run`. An installed package has its bytecode; that of a checkout is kept here."""
    return {
        "AIPOWER_SOCKET": str(folder / "agent.sock"),
        "AIPOWER_RUNS_DIR": str(folder / "runs"),
        "AIPOWER_POWERCAP_ROOT": str(folder / "sys"),
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }


@contextmanager
def _counters(folder: Path, programs: Programs) -> Iterator[None]:
    """A powercap tree of `SOCKETS` packages whose counters move each millisecond."""
    files = [_zone(folder / "sys" / f"intel-rapl:{number}", number) for number in range(SOCKETS)]
    process = subprocess.Popen([programs.counter, str(IDLE_W), str(BUSY_W), *files])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _zone(folder: Path, number: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"package-{number}\n")
    (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    (folder / "energy_uj").write_text("100000000000\n")
    return folder / "energy_uj"


@contextmanager
def _agent(folder: Path, environ: Mapping[str, str]) -> Iterator[int]:
    """The pid of an agent that listens."""
    path = folder / "agent.sock"
    words = ["--socket", str(path), "--listen", "127.0.0.1:0", "--state-dir", "none"]
    log = folder / "agent.log"
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "aipower", "agent", *words], env=environ, stderr=errors)
    try:
        _wait_for(path, process, log)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once somebody listens at `path`.

    Raises:
        RuntimeError: `process` has ended or takes too long.
    """
    until_s = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < until_s:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(os.fspath(path))
            return
        time.sleep(0.05)
    raise RuntimeError(f"the agent does not answer: {log.read_text()[-500:]}")
