"""Snapshots for pipes: text, JSON, many of them, and mistakes on the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from run.helpers import LIMIT_S

FAKE = ("--sensors", "fake:2")


def top(*flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONUTF8": "1", "COLUMNS": "150", **env}
    argv = [sys.executable, "-m", "aipower", "top", *flags]
    return subprocess.run(argv, capture_output=True, text=True, env=variables, timeout=LIMIT_S, check=False)


def documents(found: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert (found.returncode, found.stderr) == (0, "")
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_once_prints_the_tables() -> None:
    found = top(*FAKE, "--once")
    assert (found.returncode, found.stderr) == (0, "")
    assert "\x1b" not in found.stdout
    for word in ("SIMULATED SENSORS", "GPU 1", "METHOD", "train.py", "idle: what the bare devices draw", "total"):
        assert word in found.stdout
    assert all(len(line) <= 150 for line in found.stdout.splitlines())


def test_json_sums_to_the_total() -> None:
    (found,) = documents(top(*FAKE, "--json", "--once", "2"))
    assert found["schema"] == "aipower.top/1"
    assert found["source"]["kind"] == "self"
    assert found["simulated"] is True
    rows = [*found["processes"], *found["accounts"]]
    assert sum(row["energy_j"] for row in rows) == pytest.approx(found["total"]["energy_j"])
    assert found["total"]["energy_j"] == pytest.approx(sum(device["energy_j"] for device in found["devices"]))
    assert sum(row["power_w"] or 0 for row in rows) == pytest.approx(found["total"]["power_w"])
    for device in found["devices"]:
        parts = ("idle_j", "processes_j", "other_j", "unattributed_j")
        assert sum(device[part] for part in parts) == pytest.approx(device["energy_j"])
        assert device["method"] in {"counter", "integrated", "estimated"}
    watts = [row["power_w"] for row in found["processes"]]
    assert watts == sorted(watts, reverse=True)


def test_filter_and_sort_hold_for_json() -> None:
    (found,) = documents(top(*FAKE, "--json", "--once", "1", "--filter", "vllm", "--sort", "pid"))
    assert {"vllm"} <= {row["comm"] for row in found["processes"]}
    assert all("vllm" in row["command"] for row in found["processes"])
    assert found["hidden_processes"] > 0


def test_batch_prints_so_many() -> None:
    found = documents(top(*FAKE, "-b", "-n", "3", "--json"))
    assert len(found) == 3
    times = [one["at_unix_s"] for one in found]
    assert times == sorted(set(times))
    text = top(*FAKE, "-b", "-n", "2").stdout
    assert text.count("aipower top") >= 2
    assert "\n\n" in text


def test_without_sensors_nothing_is_measured_and_nothing_is_0(tmp_path: os.PathLike[str]) -> None:
    environ = {"AIPOWER_POWERCAP_ROOT": os.fspath(tmp_path)}
    (found,) = documents(top("--no-agent", "--json", "--once", "1", **environ))
    assert "cpu" in {missing["kind"] for missing in found["not_measured"]}
    assert all(missing["reason"] and missing["remedy"] for missing in found["not_measured"])
    assert (found["total"] is None) == (not found["devices"])
    text = top("--no-agent", "--once", "0", **environ).stdout
    assert ("nothing measured" in text) == (not found["devices"])


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--interval", "0.1"), "from 1 to 60"),
        (("--interval", "nan"), "from 1 to 60"),
        (("--once", "x"), "number of seconds"),
        (("-n", "3"), "add -b"),
        (("-b", "-n", "0"), "number of snapshots"),
        (("-b", "--once"), "leave one of them out"),
        (("--sort", "joules"), "--sort"),
        (("--once", "--url", "ftp://x"), "no address"),
        (("--once", "--sensors", "nonsense"), "unknown sensor"),
        (("--once", "--sensors", "fake:2", "--url", "http://x"), "leave one of them out"),
        (("--intervall", "2"), "did you mean --interval"),
    ],
)
def test_mistakes_get_one_line(flags: tuple[str, ...], word: str) -> None:
    found = top(*flags)
    assert found.returncode == 2, found.stderr
    assert word in found.stderr
    assert found.stderr.count("\n") == 1
    assert found.stdout == ""


DOCUMENT = (Path(__file__).parents[2] / "docs" / "top.md").read_text()
COMMANDS = re.findall(r"^    \.venv/bin/aipower top (.*(?:--once|-b).*)$", DOCUMENT, re.MULTILINE)


def test_the_document_has_commands() -> None:
    assert len(COMMANDS) == 3


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_of_the_document_run(words: str) -> None:
    found = top(*words.split())
    assert (found.returncode, found.stderr) == (0, "")
    assert "SIMULATED" in found.stdout or '"simulated": true' in found.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m aipower top --sensors fake:2 -b | head -n 3; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""


def test_a_full_disk_is_one_line() -> None:
    command = f"{sys.executable} -m aipower top --sensors fake:2 --once 1 > /dev/full"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert found.returncode == 1
    assert "cannot be written: No space left on device" in found.stderr
