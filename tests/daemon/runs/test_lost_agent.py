"""`aipower-run` with a real agent, with one that dies meanwhile, and with one that is no help."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from aipower.run.link import candidates
from aipower.settings.places import client_sockets
from daemon.agents import Agent, agent, total
from daemon.runs.rigs import eventually
from run.aipower_run import argv, call, environment

BUSY = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass\n"
RAPL = {"name": "package-0", "energy_uj": "0", "max_energy_range_uj": str(10**12)}
WATTS = 50.0


def powercap(folder: Path) -> Path:
    """A tree with one package."""
    zone = folder / "intel-rapl:0"
    zone.mkdir(parents=True)
    for name, value in RAPL.items():
        (zone / name).write_text(value + "\n")
    return folder


class Counter(threading.Thread):
    """Advances the package's counter as 50 W would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._path = folder / "intel-rapl:0" / "energy_uj"
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.002):
            self._path.write_text(f"{int(time.monotonic() * WATTS * 1e6) % 10**12}\n")

    def end(self) -> None:
        self._over.set()
        self.join()


def measured(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_bytes())
    return record


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    return {"AIPOWER_SOCKET": str(tmp_path / "agent.sock")}


def begins(running: Agent, place: dict[str, str]) -> None:
    running.until_healthy()
    eventually(Path(place["AIPOWER_SOCKET"]).exists, "the socket")


def test_a_run_uses_the_agent_if_there_is_one(tmp_path: Path, place: dict[str, str]) -> None:
    with agent(tmp_path, "--sensors", "fake:1", env=place) as running:
        begins(running, place)
        done = call(tmp_path, "--name", "there", sys.executable, "-c", BUSY, "1.5", env=place)
        assert done.code == 0
        assert done.record["measured_by"] == "agent"
        assert done.record["energy_j"]["cpu"] > 0
        assert "by this run, energy counter" in done.report
        run = {"run": done.record["run_id"], "kind": "cpu"}
        eventually(lambda: total(running.series(), "aipower_run_energy_joules_total", **run) > 0, "the run's series")
        alone = call(tmp_path, "--no-agent", "true", env=place)
        assert alone.record["measured_by"] == "aipower-run"


def test_the_agent_reads_what_a_user_may_not(tmp_path: Path, place: dict[str, str]) -> None:
    tree = powercap(tmp_path / "powercap")
    counter = Counter(tree)
    counter.start()
    try:
        with agent(tmp_path, "--interval-s", "0.1", env={**place, "AIPOWER_POWERCAP_ROOT": str(tree)}) as running:
            begins(running, place)
            done = call(tmp_path, sys.executable, "-c", BUSY, "2", env=place)
    finally:
        counter.end()
    (package,) = done.record["devices"]
    assert package["method"] == "counter"
    assert package["energy_j"] == pytest.approx(WATTS * done.record["wall_s"], rel=0.1)
    assert done.record["not_measured"][0]["kind"] == "gpu"


def test_a_run_outlives_the_agent_and_tells_what_was_lost(tmp_path: Path, place: dict[str, str]) -> None:
    record = tmp_path / "run.json"
    with agent(tmp_path, "--sensors", "fake:1", env=place) as running:
        begins(running, place)
        run = subprocess.Popen(
            argv("--json", record, sys.executable, "-c", BUSY, "8"), env=environment(place), stderr=subprocess.PIPE
        )
        eventually(lambda: total(running.series(), "aipower_run_energy_joules_total"), "energy of the run")
        running.process.kill()
        running.process.wait()
        _, report = run.communicate()
    assert run.returncode == 0
    told = measured(record)
    assert told["measured_by"] == "aipower-run"
    assert told["complete"] is False
    (lost,) = [fault for fault in told["faults"] if fault["reason"] == "agent_lost"]
    assert 0 < lost["first_s"] < told["wall_s"]
    assert "agent_lost" in report.decode()
    assert told["cpu_time_s"] > 0.5


@pytest.mark.parametrize("manner", ["hangs up", "says nothing", "talks nonsense", "refuses"])
def test_an_agent_that_is_no_help_costs_no_measurement(manner: str, tmp_path: Path, place: dict[str, str]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(place["AIPOWER_SOCKET"])
        listener.listen()
        thread = threading.Thread(target=answer, args=(listener, manner), daemon=True)
        thread.start()
        done = call(tmp_path, "sh", "-c", "exit 3", env=place)
        thread.join()
    assert done.code == 3
    assert done.record["measured_by"] == "aipower-run"
    assert done.record["exit_code"] == 3
    assert "Traceback" not in done.report


def answer(listener: socket.socket, manner: str) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        if manner == "says nothing":
            connection.recv(4096)
        elif manner != "hangs up":
            connection.sendall(b"what?\n" if manner == "talks nonsense" else b'{"ok": false, "error": "no"}\n')


def test_client_and_agent_look_in_the_same_places() -> None:
    for environ in ({}, {"XDG_RUNTIME_DIR": "/run/user/7"}, {"AIPOWER_SOCKET": "/x/y"}, {"AIPOWER_SOCKET": "none"}):
        for uid in (0, 7):
            assert [Path(path) for path in candidates(environ, uid)] == list(client_sockets(environ, uid))


def test_no_agent_is_as_before(tmp_path: Path) -> None:
    done = call(tmp_path, "true", env={"AIPOWER_SOCKET": os.fspath(tmp_path / "nobody")})
    assert done.code == 0
    assert done.record["measured_by"] == "aipower-run"
    assert done.record["faults"] == []
