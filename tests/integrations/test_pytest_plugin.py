"""The plugin in real runs of pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aipower.integrations.pytest_meter import TestEnergy, summary

TESTS = """
import time, pytest, aipower

@pytest.fixture
def slow():
    time.sleep(0.3)

def test_busy(slow):
    end = time.monotonic() + 1.2
    while time.monotonic() < end: pass

def test_quick():
    with aipower.phase("inner"): pass

@pytest.mark.parametrize("name", ["c", "a b"])
def test_named(name): time.sleep(0.05)

def test_failing(): assert False
"""
ON = ["-p", "no:cacheprovider", "-p", "aipower.integrations.pytest_plugin"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def run(folder: Path, *words: str, code: int = 1) -> str:
    environment = {
        **os.environ,
        "AIPOWER_POWERCAP_ROOT": str(folder / "none"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", "-q", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def energies(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text())
    assert found["schema"] == "aipower.pytest/1"
    return {test["nodeid"].rpartition("::")[2]: test for test in found["tests"]}


def test_energy_of_each_test(folder: Path) -> None:
    shown = run(folder, *ON, "--aipower-sensors", "fake", "--aipower-json", "energy.json")
    found = energies(folder / "energy.json")
    assert list(found) == ["test_busy", "test_quick", "test_named[c]", "test_named[a b]", "test_failing"]
    busy = found["test_busy"]
    low_j, high_j = busy["interval_j"]
    assert low_j <= busy["energy_j"] <= high_j
    assert busy["energy_j"] == max(test["energy_j"] for test in found.values()) > 0
    assert 1.5 <= busy["wall_s"] < 30
    assert "energy of tests" in shown
    assert "together, by 5 tests" in shown
    assert "test_it.py::test_busy" in shown


def test_off_unless_it_is_asked_for(folder: Path) -> None:
    (folder / "conftest.py").write_text(
        "import sys\n"
        "def pytest_sessionfinish():\n"
        "    assert 'aipower.integrations.pytest_meter' not in sys.modules\n"
        "    assert 'aipower.measuring' not in sys.modules\n"
        "    assert 'msgspec' not in sys.modules\n"
    )
    assert "energy of tests" not in run(folder, *ON)


def test_nothing_measured_is_told(folder: Path) -> None:
    (folder / "nvml").write_text("")
    shown = run(folder, *ON, "--aipower", "-k", "quick", code=0)
    assert "energy of tests" in shown
    if "nothing was measured" in shown:
        assert "CPU (RAPL)" in shown


def test_a_sensor_that_was_named_and_is_missing(folder: Path) -> None:
    shown = run(folder, *ON, "--aipower", "--aipower-sensors", "rapl", code=4)
    assert "--sensors rapl" in shown
    assert "Traceback" not in shown


def test_a_file_that_cannot_be_written(folder: Path) -> None:
    shown = run(folder, *ON, "--aipower-json", "none/energy.json", code=4)
    assert "--aipower-json none/energy.json: No such file or directory" in shown
    assert "Traceback" not in shown


def test_more_tests_than_a_measurement_has_room_for(folder: Path) -> None:
    (folder / "test_it.py").write_text(
        "import pytest\n@pytest.mark.parametrize('number', range(450))\ndef test_it(number): pass\n"
    )
    run(folder, *ON, "--aipower-sensors", "fake", "--aipower-json", "energy.json", code=0)
    assert list(energies(folder / "energy.json")) == [f"test_it[{number}]" for number in range(450)]


def test_workers_tell_the_main_process(folder: Path) -> None:
    pytest.importorskip("xdist")
    words = [*ON, "-p", "xdist", "-n", "2", "--aipower-sensors", "fake", "--aipower-json", "energy.json"]
    shown = run(folder, *words)
    # A worker with nothing but quick tests may have nothing to tell of their energy, but it tells of them.
    assert len(energies(folder / "energy.json")) == 5
    assert "energy of tests" in shown


def test_the_summary_of_nothing() -> None:
    assert summary([], "") == ["nothing was measured: no test has run"]
    unknown = TestEnergy("a", 1.0, None, None, resolved=True)
    assert summary([unknown], "no sensor") == ["nothing was measured: no sensor"]


def test_the_summary_of_tests_that_were_too_short() -> None:
    tests = [TestEnergy("a", 1.0, 3.0, (1.0, 5.0), resolved=True), TestEnergy("b", 0.0, None, None, resolved=True)]
    lines = summary(tests, "")
    assert lines[-2:] == [
        "   3.00 J  together, by 1 test",
        "1 test over before the sensors had anything to tell",
    ]


def test_the_summary_has_the_largest_first() -> None:
    tests = [
        TestEnergy(f"test-{number}", 1.0, float(number), (0.0, 20.0), resolved=number != 11) for number in range(12)
    ]
    lines = summary(tests, "")
    assert "test-11" in lines[0]
    assert "by its time alone" in lines[0]
    assert "by its time alone" not in lines[1]
    assert lines[-2:] == ["and 2 more; --aipower-json FILE writes all", "  66.00 J  together, by 12 tests"]
