"""The report as text: a pure function of the record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.record.report import render
from aipower.record.wording import bracket, duration, joules, plus_minus
from aipower.runrecord import (
    DeviceRecord,
    Energies,
    FaultLine,
    Intervals,
    Missing,
    ProcessRecord,
    RunRecord,
    to_json,
)  # fmt: skip

GPU = DeviceRecord(
    device="GPU-1",
    kind="gpu",
    index="0",
    name="NVIDIA H100",
    method="counter",
    energy_j=1000.0,
    interval_j=(950.0, 1050.0),
    mean_w=100.0,
    peak_w=140.0,
    run_energy_j=800.0,
    run_interval_j=(750.0, 850.0),
    idle_j=150.0,
    other_j=30.0,
    unattributed_j=20.0,
    covered_s=10.0,
    repeatable_interval_j=(999.0, 1001.0),
    repeatable_run_interval_j=(780.0, 804.0),
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
    repeatable_interval_j=Intervals((780.0, 804.0), (780.0, 804.0)),
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
        "  GPU 0    800.0 J  [750.0 .. 850.0 J]  by this run, energy counter\n"
        "           device 1000 J (mean 100.0 W, peak 140.0 W): 150.0 J idle, 30.00 J other processes, "
        "20.00 J unattributed\n"
        "           NVIDIA H100\n"
        "  CPU      20.00 J  [6.0 .. 100.0 J]  estimated from 4.00 s of CPU time, not in the total\n"
        "  total    800.0 J  [750.0 .. 850.0 J]  measured = 0.2222 Wh\n"
    )


def test_verbose_tells_how_well_runs_compare_and_whose_scale_it_is() -> None:
    assert "repeatable" not in render(RECORD)
    assert "repeatable: device ±0.1 %, run ±2.5 %; not calibrated, ±5 % ±12 W\n" in render(RECORD, verbose=True)
    calibrated = replace(GPU, calibration="board 7, 2026-11-23, /etc/c.json", repeatable_run_interval_j=None)
    text = render(replace(RECORD, devices=[calibrated]), verbose=True)
    assert "repeatable: device ±0.1 %; calibrated by board 7, 2026-11-23, /etc/c.json\n" in text
    none = replace(GPU, energy_j=None, interval_j=None, repeatable_interval_j=None)
    assert "repeatable" not in render(replace(RECORD, devices=[none]), verbose=True)


def test_what_was_not_measured_is_one_line_with_the_remedy() -> None:
    missing = Missing("CPU (RAPL)", "cpu", "no permission", "run as root")
    record = replace(RECORD, devices=[], energy_j=Energies(), interval_j=Intervals(), not_measured=[missing])
    text = render(record)
    assert "  CPU (RAPL) not measured: no permission; run as root\n" in text
    assert text.endswith("  total    nothing was measured\n")


def test_names_faults_survivors_and_hung_sensors_are_shown() -> None:
    fault = FaultLine("GPU-1", "gone", 1.0, 4.0, 3, "lost")
    hung = FaultLine(None, "hung", 0.0, 0.0, 1, "no answer")
    record = replace(
        RECORD, name="baseline", faults=[*[fault] * 6, hung], surviving_processes=2, complete=False, simulated=True
    )
    text = render(record)
    assert "[baseline]" in text
    assert "GPU 0: gone at 1.0 s to 4.0 s, 3 times: lost" in text
    assert "and 2 more in the --json record" in text
    assert "2 of its processes still run" in text
    assert "a sensor hung" in text
    assert "SIMULATED" in text


def test_processes_are_listed_when_there_are_several() -> None:
    rows = [ProcessRecord(n, f"worker {n}", 100.0 / n, (0.0, 200.0), (0.0, 200.0), n == 1, 1.0) for n in range(1, 8)]
    text = render(replace(RECORD, processes=rows))
    assert text.count("\n  process") == 5
    assert "100.0 J  1  worker 1\n" in text
    assert "worker 2, never seen apart" in text
    assert "and 2 more; -v shows all\n" in text
    assert "\n  process" not in render(replace(RECORD, processes=rows[:1]))


@pytest.mark.parametrize(
    ("energy_j", "text"),
    [(0.0, "0 J"), (1e-4, "0.10 mJ"), (0.5, "500.0 mJ"), (1.0, "1.00 J"), (999.96, "1000 J"),
     (99.996, "100.0 J"), (-1e-9, "0 J"), (1234.5, "1234 J"),
     (12345.0, "12.35 kJ"), (2.5e6, "2.50 MJ"), (3.6e9, "3600 MJ")],
)  # fmt: skip
def test_joules_are_short(energy_j: float, text: str) -> None:
    assert joules(energy_j) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 ms"),
        (0.0042, "4.2 ms"),
        (-0.1, "0.0 ms"),
        (0.1, "0.10 s"),
        (59.999, "1 min 00 s"),
        (59.99, "59.99 s"),
        (61.0, "1 min 01 s"),
        (3723.0, "1 h 02 min 03 s"),
    ],
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


@pytest.mark.parametrize(
    ("interval_j", "text"),
    [
        (None, ""),
        ((0.0, 0.0), "[0 .. 0 J]"),
        ((0.5311, 2.09), "[0.53 .. 2.09 J]"),
        ((0.0, 2.5), "[0 .. 2.50 J]"),
        ((999.0, 12345.0), "[1.00 .. 12.35 kJ]"),
        ((0.001, 0.5), "[1.0 .. 500.0 mJ]"),
    ],
)
def test_a_bracket_has_one_unit(interval_j: tuple[float, float] | None, text: str) -> None:
    assert bracket(interval_j) == text


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_every_bracket_names_its_unit_once(one_j: float, other_j: float) -> None:
    text = bracket((min(one_j, other_j), max(one_j, other_j)))
    assert text.startswith("[")
    assert sum(char.isalpha() for char in text) == len(text.split()[-1]) - 1


def test_a_part_that_nobody_knows_is_no_zero() -> None:
    unknown = replace(GPU, run_energy_j=None, run_interval_j=None, run_unknown="this driver does not say who works")
    text = render(replace(RECORD, devices=[unknown], energy_j=Energies(), interval_j=Intervals()))
    assert "  GPU 0    the run's part is not known: this driver does not say who works\n" in text
    assert "device 1000 J" in text
    assert text.endswith("  total    the run's part is not known\n")


def test_a_total_says_what_it_does_not_hold() -> None:
    unknown = replace(GPU, device="GPU-2", index="1", run_energy_j=None, run_interval_j=None)
    assert render(replace(RECORD, devices=[GPU, unknown])).endswith("Wh, without GPU 1\n")


def test_a_sensor_that_left_shows_for_how_long_it_was_watched() -> None:
    text = render(replace(RECORD, wall_s=3.1, devices=[replace(GPU, covered_s=0.1)], complete=False))
    assert "           covers 0.1 of 3.1 s\n" in text
    assert "do not cover the whole run" in text
    assert "hung" not in text
    assert "covers" not in render(RECORD)


NOT_USED = replace(
    GPU, device="GPU-9", index="9", run_energy_j=0.0, run_interval_j=(0.0, 0.0), other_j=0.0, unattributed_j=0.0
)


@pytest.mark.parametrize(
    ("device", "faults", "unused"),
    [
        (NOT_USED, [], True),
        (replace(NOT_USED, energy_j=None, run_energy_j=None), [], False),
        (replace(NOT_USED, unattributed_j=11.0), [], False),
        (replace(NOT_USED, unattributed_j=1.0, run_interval_j=(0.0, 1.0)), [], True),
        (replace(NOT_USED, run_interval_j=(0.0, 50.0)), [], False),
        (NOT_USED, [FaultLine("GPU-9", "gone", 1.0, 1.0, 1, "")], False),
    ],
)
def test_only_what_surely_was_not_used_is_called_so(
    device: DeviceRecord, faults: list[FaultLine], unused: bool
) -> None:
    text = render(replace(RECORD, devices=[GPU, device], faults=faults))
    assert ("that this run did not use" in text) is unused
    assert ("GPU 9" in text) is not unused


def test_two_dies_of_a_package_have_two_labels() -> None:
    dies = [
        replace(GPU, device=f"intel-rapl:{n}", kind="cpu", index="0", name=f"package-0-die-{n} (Xeon)") for n in (0, 1)
    ]
    memory = replace(GPU, device="intel-rapl:0:0", kind="dram", index="0", name="dram of package-0-die-0")
    text = render(replace(RECORD, devices=[*dies, memory]))
    assert "\n  CPU 0 package-0-die-0 800.0 J" in text
    assert "\n  CPU 0 package-0-die-1 800.0 J" in text
    assert "\n  DRAM 0   800.0 J" in text


def test_one_reason_is_one_line_and_no_remedy_no_semicolon() -> None:
    missing = [Missing(f"{kind} (RAPL)", kind.lower(), "root only", "") for kind in ("CPU", "DRAM")]
    text = render(replace(RECORD, not_measured=missing))
    assert "  CPU (RAPL) and DRAM (RAPL) not measured: root only\n" in text


def test_the_remedy_of_a_fault_fits() -> None:
    detail = "the driver says that the GPU is lost: " + "x" * 60 + "; restart the machine"
    text = render(replace(RECORD, faults=[FaultLine("GPU-1", "gone", 0.0, 0.0, 1, detail)]))
    assert "restart the machine" in text


@pytest.mark.parametrize(
    ("energy_j", "interval_j", "text"),
    [
        (100.0, (99.9, 100.05), "±0.1 %"),
        (100.0, (0.0, 260.0), "±160 %"),
        (100.0, (97.46, 100.0), "±2.5 %"),
        (100.0, (90.0, 100.0), "±10 %"),
        (100.0, (100.0, 100.0), "±0 %"),
        (0.0, (0.0, 1.0), ""),
        (None, None, ""),
    ],
)
def test_the_farther_end_in_percent(energy_j: float | None, interval_j: tuple[float, float] | None, text: str) -> None:
    assert plus_minus(energy_j, interval_j) == text
