"""A sampler with a desk and a socket, over simulated devices, in this process."""

from __future__ import annotations

import json
import math
import os
import socket
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from msgspec.structs import replace

from aipower.books.ledger import Ledger
from aipower.daemon.runs.desk import RunDesk, Shop
from aipower.daemon.runs.service import RunService
from aipower.daemon.runs.taps import Taps
from aipower.daemon.sampling.sampler import Pace, Sampler
from aipower.meter import Meter
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import Sensor, SystemClock
from aipower.sensors.fake import FakeSensor, Wave
from aipower.sensors.select import Machine, discover, parse_selection

DEADLINE_S = 60.0
IDLE_W, PER_CPU_W = 20.0, 50.0
MAX_GAP_S = 5.0


@dataclass(frozen=True, slots=True)
class Rig:
    """What the agent is made of, as far as runs go."""

    path: Path
    desk: RunDesk
    sampler: Sampler
    service: RunService
    ledger: Ledger


class LoadDriven(Wave):
    """A processor that draws by what its CPUs do: of one that waves as it likes, a run may seem to have no part."""

    def power_w(self, at_s: float) -> float:  # noqa: ARG002 - it is the same at all times
        """Power at full load: what was measured is in the energy."""
        return self.idle_w + self.swing_w

    def energy_j(self, at_s: float) -> float:
        """Idle power for the time, and `swing_w` for each CPU second of the machine so far."""
        return self.idle_w * at_s + self.swing_w * ProcFs().cpu_totals().busy_s


def load_driven(sensor: Sensor) -> Sensor:
    """The simulated processor, driven by the real load; any other sensor as it is."""
    if sensor.device.kind != "cpu" or not isinstance(sensor, FakeSensor):
        return sensor
    return replace(sensor, wave=LoadDriven(IDLE_W, 0.0, PER_CPU_W, math.inf, 0.0))


@contextmanager
def rig(path: Path, most_runs: int = 64) -> Iterator[Rig]:
    """A running one that listens at `path`."""
    clock = SystemClock()
    table = ProcessTable(procfs := ProcFs(), clock)
    found = discover(
        parse_selection("fake:1"), Machine(table, clock, os.environ), MachineCpuUsage(procfs, table, clock)
    )
    sensors = replace(found.sensors, sensors=[load_driven(sensor) for sensor in found.sensors.sensors])
    taps, desk, ledger = Taps(), RunDesk(most_runs), Ledger(found.directory)
    meter = Meter(taps.wrap(sensors), ledger, clock, MAX_GAP_S, run_of=desk.run_of)
    desk.open_shop(Shop(meter, ledger, taps, table, procfs, clock, MAX_GAP_S, {}, str, tuple))
    sampler = Sampler(meter, ledger, Pace(0.2, 0.4), clock, lambda: None, desk)
    service = RunService(path, desk, sampler)
    sampler.start()
    service.start()
    try:
        yield Rig(path, desk, sampler, service, ledger)
    finally:
        service.stop()
        sampler.stop()


class Caller:
    """A raw client of the socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(DEADLINE_S)
        self._socket.connect(os.fspath(path))
        self._file = self._socket.makefile("rb")

    def say(self, line: bytes) -> None:
        self._socket.sendall(line)

    def ask(self, **fields: object) -> dict[str, Any]:
        """The answer to one request."""
        self.say(json.dumps(fields).encode() + b"\n")
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next answer; empty once the agent has hung up."""
        line = self._file.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer

    def end(self, **fields: object) -> tuple[dict[str, Any], str]:
        """The record and the report of the run."""
        answer = self.ask(do="end", **{**ENDING, **fields})
        assert answer["ok"], answer
        record, report = self._file.read(answer["record"]), self._file.read(answer["report"])
        return json.loads(record), report.decode()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


ENDING: dict[str, object] = {
    "started_unix_s": 1.0,
    "exit_code": 0,
    "cpu_s": 0.1,
    "max_rss_bytes": 1,
    "survivors": 0,
    "command": ["work"],
}


def eventually(look: Any, what: str) -> Any:
    """What `look` returns once it is true."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, f"never came: {what}"
        time.sleep(0.01)
    return found


def as_user(uid: int, work: Any) -> Sequence[Any]:
    """What `work` returns in a child process of user `uid`, through JSON."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            os.write(writer, json.dumps(work()).encode())
        except BaseException:  # noqa: BLE001 - nothing of pytest's must run here
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        answer = answers.read()
    os.waitpid(pid, 0)
    found: Sequence[Any] = json.loads(answer)
    return found
