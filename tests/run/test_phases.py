"""Phases, work and figures of merit on their way from the program to the record; with and without an agent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aipower.phases import channel
from aipower.run import ear as ears
from daemon.agents import agent
from run.aipower_run import argv, call, environment
from run.helpers import eventually

PROGRAM = """
import aipower, time
for _ in range(2):
    with aipower.phase("train"):
        time.sleep(0.3)
        with aipower.phase("step"):
            time.sleep(0.3)
        aipower.log(tokens=500)
    aipower.step()
with aipower.phase("évaluation"):
    time.sleep(0.2)
aipower.metric(accuracy=0.9)
"""


def by_path(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {"/".join(phase["path"]): phase for phase in record["phases"]}


def check_told(record: Mapping[str, Any]) -> None:
    phases = by_path(record)
    assert list(phases) == ["train", "train/step", "évaluation", ""]
    assert [phases[name]["count"] for name in phases] == [2, 2, 1, 1]
    assert phases["train"]["wall_s"] >= 1.2 > phases["train/step"]["wall_s"] - 1.0
    assert phases["train"]["work"] == {"tokens": 1000.0}
    assert record["metrics"] == {"accuracy": 0.9}
    assert record["work"] == {"tokens": 1000.0, "steps": 2.0}


def check_sums(record: Mapping[str, Any]) -> None:
    for kind in ("gpu", "cpu", "dram", "total"):
        whole_j = record["energy_j"][kind]
        top_j = sum(phase["energy_j"][kind] for phase in record["phases"] if len(phase["path"]) < 2)
        assert top_j == pytest.approx(whole_j, abs=1e-5)


def test_a_program_tells_its_phases(tmp_path: Path) -> None:
    done = call(tmp_path, "--sensors", "fake:1", sys.executable, "-c", PROGRAM)
    assert done.code == 0, done.report
    check_told(done.record)
    check_sums(done.record)
    assert "train" in done.report
    assert "J/token" in done.report
    (series, *_) = done.record["power"]
    assert len(series["power_w"]) == len(series["run_power_w"])
    gpu = done.record["devices"][0]
    drawn_j = sum(power_w or 0.0 for power_w in series["power_w"]) * series["step_s"]
    assert drawn_j == pytest.approx(gpu["energy_j"], rel=0.1)


def test_the_agent_is_told_of_phases_too(tmp_path: Path) -> None:
    place = {"AIPOWER_SOCKET": str(tmp_path / "agent.sock")}
    with agent(tmp_path, "--sensors", "fake:1", env=place) as running:
        running.until_healthy()
        eventually(Path(place["AIPOWER_SOCKET"]).exists, "the socket")
        words = ["--metric", "loss=0.25", "--per", "tokens=4000", sys.executable, "-c", PROGRAM]
        done = call(tmp_path, *words, env=place)
    assert done.record["measured_by"] == "agent"
    assert done.record["metrics"] == {"accuracy": 0.9, "loss": 0.25}
    assert done.record["work"] == {"tokens": 4000.0, "steps": 2.0}
    (tokens, _) = done.record["per"]
    assert tokens["energy_j"] == pytest.approx(done.record["energy_j"]["total"] / 4000)
    assert list(by_path(done.record)) == ["train", "train/step", "évaluation", ""]
    check_sums(done.record)


def test_who_has_lost_the_descriptor_finds_the_pipe(tmp_path: Path) -> None:
    """As the ranks of torchrun: subprocess closes what it does not know."""
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PROGRAM!r}], check=True)"
    done = call(tmp_path, "--sensors", "fake:1", sys.executable, "-c", code)
    check_told(done.record)


def test_a_program_without_phases_has_none(tmp_path: Path) -> None:
    done = call(tmp_path, "--sensors", "fake:1", sys.executable, "-c", "import aipower; aipower.step(3)")
    assert done.record["phases"] == []
    assert done.record["work"] == {"steps": 3.0}


def test_what_makes_no_sense_is_counted_and_harms_nothing(tmp_path: Path) -> None:
    code = "import os; fd = int(os.environ['AIPOWER_PHASES'].split(':')[1]); os.write(fd, b'nonsense\\n' * 50)"
    done = call(tmp_path, "--sensors", "fake:1", sys.executable, "-c", code)
    assert done.code == 0
    (fault,) = [fault for fault in done.record["faults"] if fault["reason"] == "phases_lost"]
    assert fault["count"] == 50


def test_a_command_may_close_everything(tmp_path: Path) -> None:
    code = f"import os; os.closerange(3, 256)\n{PROGRAM}"
    done = call(tmp_path, "--sensors", "fake:1", sys.executable, "-c", code)
    assert done.code == 0
    check_told(done.record)


def test_figures_come_from_the_file_that_the_command_writes(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    code = f"import json; json.dump({{'accuracy': 0.8, 'name': 'x', 'ok': True}}, open({str(figures)!r}, 'w'))"
    done = call(tmp_path, "--metrics-file", figures, "--metric", "loss=1", sys.executable, "-c", code)
    assert done.record["metrics"] == {"accuracy": 0.8, "loss": 1.0}


@pytest.mark.parametrize("content", [None, "not json", "[1, 2]"])
def test_a_file_without_figures_is_one_line(content: str | None, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    if content is not None:
        figures.write_text(content)
    done = call(tmp_path, "--metrics-file", figures, "sh", "-c", "exit 3")
    assert done.code == 3
    assert done.report.count("no figures of merit") == 1
    assert done.record["metrics"] == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--metric", "accuracy"], "expected NAME=NUMBER"),
        (["--metric", "=1"], "expected NAME=NUMBER"),
        (["--per", "tokens=soon"], "expected NAME=NUMBER"),
        (["--per", "tokens=0"], "above 0"),
        (["--metric", "a=nan"], "expected NAME=NUMBER"),
    ],
)
def test_a_wrong_figure_is_a_mistake_before_the_command(words: list[str], told: str, tmp_path: Path) -> None:
    done = call(tmp_path, *words, "touch", "ran")
    assert done.code == 2
    assert told in done.report
    assert not (tmp_path / "ran").exists()


def test_the_variable_is_that_of_the_client() -> None:
    assert ears.VARIABLE == channel.VARIABLE


def test_the_series_is_for_the_wrapper_alone(tmp_path: Path) -> None:
    done = call(tmp_path, "sh", "-c", 'test -z "$AIPOWER_SERIES"', env={"AIPOWER_SERIES": "s-1:2:5"})
    assert done.code == 0
    assert done.record["series"] == {"id": "s-1", "index": 2, "count": 5}


def test_after_the_wrapper_a_writer_is_not_killed(tmp_path: Path) -> None:
    """Who writes into the pipe of a wrapper that has been killed gets no SIGPIPE, even if it would die of one."""
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "open('ready', 'w').close()\n"
        "while not os.path.exists('go'): time.sleep(0.01)\n"
        "import aipower\n"
        "for _ in range(100):\n"
        "    with aipower.phase('x'): pass\n"
        "open('done', 'w').close()\n"
    )
    run = subprocess.Popen(
        argv("--sensors", "fake:1", sys.executable, "-c", code),
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    eventually((tmp_path / "ready").exists, "the program")
    run.kill()
    run.wait()
    (tmp_path / "go").touch()
    eventually((tmp_path / "done").exists, "the end of the program")


def test_an_ear_hears_what_is_written_into_it() -> None:
    ear = ears.open_ear()
    assert ear is not None
    (writer,) = ear.descriptors
    assert writer >= ears.LEAST_DESCRIPTOR
    assert os.get_inheritable(writer)
    assert ear.read() == b""
    os.write(writer, b"E 1 2 3\n")
    assert ear.read() == b"E 1 2 3\n"
    assert ear.environment == {ears.VARIABLE: f"{os.getpid()}:{writer}:{os.fstat(writer).st_ino}"}
    os.close(writer)
    os.close(ear.fileno())


def test_phases_have_intervals_and_times(tmp_path: Path) -> None:
    done = call(tmp_path, "--sensors", "fake:1", sys.executable, "-c", PROGRAM)
    for phase in done.record["phases"]:
        low_j, high_j = phase["interval_j"]["total"]
        assert 0 <= low_j <= phase["energy_j"]["total"] <= high_j
        assert all(0 <= start_s <= end_s <= done.record["wall_s"] for start_s, end_s in phase["spans"])
