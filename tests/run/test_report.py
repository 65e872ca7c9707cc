"""The report as text: a pure function of the record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.run.record import (
    DeviceRecord,
    Energies,
    FaultLine,
    Intervals,
    Missing,
    ProcessRecord,
    RunRecord,
    to_json,
)  # fmt: skip
from aipower.run.report import duration, joules, render

GPU = DeviceRecord(
    "GPU-1",
    "gpu",
    "0",
    "NVIDIA H100",
    "counter",
    1000.0,
    (950.0, 1050.0),
    100.0,
    140.0,
    800.0,
    (750.0, 850.0),
    150.0,
    50.0,
)
RECORD = RunRecord(
    run_id="r1",
    name="",
    command=["python", "train.py"],
    exit_code=0,
    started_unix_s=1.7e9,
    wall_s=10.0,
    host="node",
    energy_j=Energies(800.0, 800.0),
    interval_j=Intervals((750.0, 850.0), (750.0, 850.0)),
    estimated_j=Energies(20.0, cpu=20.0),
    estimated_interval_j=Intervals((6.0, 100.0), cpu=(6.0, 100.0)),
    devices=[GPU],
    processes=[],
    faults=[],
    not_measured=[],
    cpu_time_s=4.0,
    max_rss_bytes=1,
    surviving_processes=0,
    complete=True,
    simulated=False,
    version="0",
)


def test_the_whole_report() -> None:
    assert render(RECORD) == (
        "aipower: python train.py  exit 0  10.00 s\n"
        "  GPU 0    800.0 J  [750.0 J .. 850.0 J]  by this run, energy counter\n"
        "           device 1000 J (mean 100.0 W, peak 140.0 W): 150.0 J idle, 50.00 J others and unattributed\n"
        "           NVIDIA H100\n"
        "  CPU      20.00 J  [6.00 J .. 100.0 J]  estimated from 4.00 CPU s, not in the total\n"
        "  total    800.0 J  [750.0 J .. 850.0 J]  measured = 0.2222 Wh\n"
    )


def test_what_was_not_measured_is_one_line_with_the_remedy() -> None:
    missing = Missing("CPU (RAPL)", "cpu", "no permission", "run as root")
    record = replace(RECORD, devices=[], energy_j=Energies(), interval_j=Intervals(), not_measured=[missing])
    text = render(record)
    assert "  CPU (RAPL) not measured: no permission; run as root\n" in text
    assert text.endswith("  total    nothing was measured\n")


def test_names_faults_survivors_and_hung_sensors_are_shown() -> None:
    fault = FaultLine("GPU-1", "gone", 1.0, 4.0, 3, "lost")
    record = replace(
        RECORD, name="baseline", faults=[fault] * 7, surviving_processes=2, complete=False, simulated=True
    )
    text = render(record)
    assert "[baseline]" in text
    assert "GPU-1: gone at 1.0 s to 4.0 s, 3 times: lost" in text
    assert "and 2 more in the --json record" in text
    assert "2 of its processes still run" in text
    assert "a sensor hung" in text
    assert "SIMULATED" in text


def test_processes_are_listed_when_there_are_several() -> None:
    rows = [ProcessRecord(n, f"worker {n}", 100.0 / n, (0.0, 200.0), n == 1, 1.0) for n in range(1, 8)]
    text = render(replace(RECORD, processes=rows))
    assert text.count("\n  process") == 5
    assert "100.0 J  1  worker 1\n" in text
    assert "worker 2, shared by busy time" in text
    assert "and 2 more\n" in text
    assert "process" not in render(replace(RECORD, processes=rows[:1]))


@pytest.mark.parametrize(
    ("energy_j", "text"),
    [(0.0, "0 J"), (1e-4, "0.10 mJ"), (0.5, "500.0 mJ"), (1.0, "1.00 J"), (999.96, "1000.0 J"), (1234.5, "1234 J"),
     (12345.0, "12.35 kJ"), (2.5e6, "2.50 MJ"), (3.6e9, "3600 MJ")],
)  # fmt: skip
def test_joules_are_short(energy_j: float, text: str) -> None:
    assert joules(energy_j) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.00 s"), (59.99, "59.99 s"), (61.0, "1 min 01 s"), (3723.0, "1 h 02 min 03 s")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5), st.text(max_size=30))
def test_no_command_line_can_play_with_the_terminal(command: list[str], name: str) -> None:
    text = render(replace(RECORD, command=command, name=name))
    assert text.count("\n") == render(RECORD).count("\n")
    assert all(char == "\n" or char.isprintable() for char in text)


@given(st.floats(0, 1e12))
def test_every_energy_has_a_text(energy_j: float) -> None:
    text = joules(energy_j)
    assert text.split()[1] in {"mJ", "J", "kJ", "MJ"}
    assert len(text) <= 12


def test_the_record_leads_with_its_schema() -> None:
    assert to_json(RECORD).startswith(b'{\n  "schema": "aipower.run/1",\n')
