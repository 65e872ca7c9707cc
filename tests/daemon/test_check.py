"""`aipower config check`: all mistakes at once, before the agent is started with them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.daemon.check import find_trouble
from aipower.settings.config import AgentConfig, describe


def config(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "aipower", "config", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def test_a_good_file_is_ok_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("interval_s = 2\n")
    done = config("check", "--config", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: ok\n", "")


def test_all_mistakes_are_told_one_per_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('intervall_s = 2\n\nmax_runs = "many"\nsocket = "here"\n')
    done = config("check", "--config", str(path), "--log-level", "loud", env={"AIPOWER_SENSORS": "gpus"})
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 5
    assert f'aipower: {path}:1: unknown key "intervall_s"; did you mean "interval_s"?' in lines
    assert any(line.startswith(f"aipower: {path}:3: max_runs = ") for line in lines)
    assert any(line.startswith(f"aipower: {path}:4: socket = ") for line in lines)
    assert any(line.startswith('aipower: AIPOWER_SENSORS="gpus": ') for line in lines)
    assert any(line.startswith('aipower: --log-level "loud": ') for line in lines)


def test_the_files_and_folders_it_names_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    wrong = AgentConfig(state_dir=str(path), socket=f"{tmp_path}/no/such.sock", web_config=f"{tmp_path}/web.yml")
    path.write_text(describe(wrong))
    calibration = tmp_path / "calibration.json"
    calibration.write_text("{")
    done = config("check", "--config", str(path), env={"AIPOWER_CALIBRATION": str(calibration)})
    assert done.returncode == 2
    first, second, third, fourth = done.stderr.splitlines()
    assert first.startswith(f"aipower: {calibration} is no calibration file")
    assert second == f"aipower: state_dir: {path} is no folder"
    assert third.startswith(f"aipower: socket: there is no folder {tmp_path}/no")
    assert f"{tmp_path}/web.yml" in fourth


def test_what_the_agent_will_make_need_not_be_there(tmp_path: Path) -> None:
    made = AgentConfig(state_dir=f"{tmp_path}/state", socket=f"{tmp_path}/a.sock")
    assert find_trouble(made, {}) == ()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(made.socket)
        (tmp_path / "state").mkdir()
        assert find_trouble(made, {}) == ()
    assert find_trouble(AgentConfig(socket=str(tmp_path)), {}) == (f"socket: {tmp_path} is no socket",)


@pytest.mark.parametrize("action", [[], ["show"]])
def test_showing_is_what_it_does_without_a_word(action: list[str]) -> None:
    done = config(*action, "--interval-s", "0.5")
    assert done.returncode == 0
    assert "interval_s = 0.5\n" in done.stdout


def test_a_misspelt_word_names_the_right_one() -> None:
    done = config("chek")
    assert done.returncode == 2
    assert "invalid choice: 'chek'" in done.stderr
    assert done.stderr.count("\n") == 1
