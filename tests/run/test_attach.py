"""`aipower-run --pid N`: a process that runs already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from run.aipower_run import argv, call, environment
from run.helpers import eventually

WORKER = (
    "import os, time\n"
    "begin = time.process_time()\n"
    "while time.process_time() < begin + 0.5: pass\n"
    "open('warm', 'w').close()\n"
    "while not os.path.exists('go'): time.sleep(0.01)\n"
    "begin = time.process_time()\n"
    "while time.process_time() < begin + 0.5: pass\n"
    "open('worked', 'w').close()\n"
    "while not os.path.exists('end'): time.sleep(0.01)\n"
)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", WORKER], cwd=tmp_path)
    eventually((tmp_path / "warm").exists, "the worker")
    yield process
    process.kill()
    process.wait()


def attach(folder: Path, pid: int) -> subprocess.Popen[str]:
    """The wrapper, once it measures."""
    run = subprocess.Popen(
        argv("--sensors", "fake:1", "--json", "run.json", "--pid", str(pid)),
        cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stderr is not None
    while "measuring process" not in run.stderr.readline():
        assert run.poll() is None
    return run


def test_it_is_measured_until_it_ends(tmp_path: Path, worker: subprocess.Popen[bytes]) -> None:
    run = attach(tmp_path, worker.pid)
    time.sleep(0.5)
    (tmp_path / "go").touch()
    eventually((tmp_path / "worked").exists, "the work")
    (tmp_path / "end").touch()
    worker.wait()
    _, report = run.communicate(timeout=60)
    assert run.returncode == 0
    record = json.loads((tmp_path / "run.json").read_bytes())
    assert "total" in report
    assert record["energy_j"]["cpu"] > 0
    assert 0.3 < record["cpu_time_s"] < 0.9  # of the second half second, not of what was before
    assert [process["pid"] for process in record["processes"]] == [worker.pid]
    assert "time.process_time" in record["command"][0]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_is_measured_until_we_are_stopped(stop: int, tmp_path: Path, worker: subprocess.Popen[bytes]) -> None:
    run = attach(tmp_path, worker.pid)
    time.sleep(0.3)
    run.send_signal(stop)
    _, report = run.communicate(timeout=60)
    assert run.returncode == 0
    assert "1 of its processes still run" in report
    assert worker.poll() is None
    assert json.loads((tmp_path / "run.json").read_bytes())["surviving_processes"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--pid", "4194000"], "no such process"),
        (["--pid", "0"], "no number of a process"),
        (["--pid", "1", "true"], "leave the command away"),
        (["--pid", "1", "-r", "3"], "cannot repeat"),
        (["--pid", "x"], "invalid int"),
    ],
)
def test_mistakes_are_one_line(words: list[str], told: str, tmp_path: Path) -> None:
    done = call(tmp_path, *words, json_file=None)
    assert done.code == 2
    assert told in done.report
    assert len(done.report.splitlines()) == 1


def test_a_zombie_is_no_process(tmp_path: Path) -> None:
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    done = call(tmp_path, "--pid", str(zombie.pid), json_file=None)
    zombie.wait()
    assert (done.code, "no such process" in done.report) == (2, True)
