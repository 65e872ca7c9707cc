"""Phases of real programs in the record of the real `aipower-run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from run.aipower_run import Done, call

BURN = """
import aipower, os, subprocess, sys, threading, time

def burn(wall_s):
    end = time.monotonic() + wall_s
    while time.monotonic() < end: pass
"""


def run(folder: Path, program: str) -> Done:
    done = call(folder, "--no-save", "--sensors", "fake", sys.executable, "-c", BURN + program)
    assert done.code == 0, done.report
    return done


def phases(done: Done) -> dict[str, Any]:
    return {"/".join(phase["path"]): phase for phase in done.record["phases"]}


def test_phases_work_and_results(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
for _ in range(2):
    with aipower.phase("train"):
        with aipower.phase("forward"): burn(0.4)
        burn(0.2)
        aipower.step(5)
        aipower.log(tokens=100)
    with aipower.phase("validate"): time.sleep(0.3)
aipower.metric(accuracy=0.5)
aipower.metric(accuracy=0.91)
""",
    )
    found = phases(done)
    assert set(found) == {"", "train", "train/forward", "validate"}
    assert {name: phase["count"] for name, phase in found.items() if name} == {
        "train": 2, "train/forward": 2, "validate": 2,
    }  # fmt: skip
    assert found["train"]["wall_s"] >= 1.2
    assert 0.8 <= found["train/forward"]["wall_s"] <= found["train"]["wall_s"]
    assert found["train"]["work"] == {"steps": 10.0, "tokens": 200.0}
    assert done.record["metrics"] == {"accuracy": 0.91}
    assert done.record["work"] == {"steps": 10.0, "tokens": 200.0}
    assert {unit["unit"] for unit in done.record["per"]} == {"steps", "tokens"}
    top_j = sum(found[name]["energy_j"]["total"] for name in ("", "train", "validate"))
    assert abs(top_j - done.record["energy_j"]["total"]) < 1e-3 * top_j
    assert done.record["faults"] == []


def test_processes_name_phases_of_their_own(tmp_path: Path) -> None:
    """One that inherited the pipe, one that did not, and one that has forked."""
    done = run(
        tmp_path,
        """
script = "import aipower, time\\nwith aipower.phase('worker'): time.sleep(0.3); aipower.step()"
with aipower.phase("main"):
    children = [subprocess.Popen([sys.executable, "-c", script], close_fds=close) for close in (True, False)]
    pid = os.fork()
    if pid == 0:
        with aipower.phase("worker"): time.sleep(0.3); aipower.step()
        os._exit(0)
    os.waitpid(pid, 0)
    assert [child.wait() for child in children] == [0, 0]
""",
    )
    found = phases(done)
    assert found["worker"]["count"] == 3
    assert found["worker"]["work"] == {"steps": 3.0}
    assert found["main"]["count"] == 1
    assert done.record["faults"] == []


def test_a_daemon_that_closes_all_descriptors(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
with aipower.phase("before"): burn(0.1)
os.closerange(3, 4096)
files = [open("victim", "wb") for _ in range(100)]
with aipower.phase("after"): burn(0.1)
os.closerange(3, 4096)
""",
    )
    assert {"before", "after"} <= set(phases(done))
    assert (tmp_path / "victim").read_bytes() == b""


def test_a_storm_of_messages_is_told_and_does_no_harm(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
def storm():
    for _ in range(1_500):
        with aipower.phase("tiny"): aipower.step()

with aipower.phase("storm"):
    threads = [threading.Thread(target=storm) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
time.sleep(0.8)
aipower.log(done=1)
""",
    )
    found = phases(done)
    assert found["storm"]["count"] == 1
    lost = sum(fault["count"] for fault in done.record["faults"] if fault["reason"] == "phases_lost")
    assert done.record["work"]["done"] == 1.0
    assert 3_000 - lost <= done.record["work"]["steps"] <= 3_000
