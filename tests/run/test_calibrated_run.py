"""`aipower-run` on a card that reads wrongly, as an RTX 4090 did that was measured: gain 1.044, offset -22.6 W."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.calibration.entry import Entry
from aipower.calibration.file import VARIABLE, save_entry
from fake_driver.build import library
from fake_driver.presets import h100, rtx4090
from fake_driver.script import Gpu, Machine, Segment
from run.aipower_run import Done, call, sum_of_parts_j

GAIN, OFFSET_W = 1.044, -22.6
CARD = rtx4090(0, gain=GAIN, offset_w=OFFSET_W, shapes=(Segment(0.0, 1000.0, 275.0),))
"""300 W in truth, shown as 290.6 W."""
ENTRY = Entry(1 / GAIN, -OFFSET_W / GAIN, 0.0005, 0.1, 0.0, 0.1, 8, (3.5, 450.0), "board 7", "2026-11-23")


def measure(
    folder: Path, calibration: Path | None, *options: str, gpus: tuple[Gpu, ...] = (CARD,)
) -> tuple[Done, Machine]:
    machine = Machine(gpus)
    env = machine.environment(library("full"), machine.write(folder / "machine.txt"))
    env |= {"HOME": str(folder), "XDG_CONFIG_HOME": ""}
    if calibration is not None:
        env[VARIABLE] = str(calibration)
    return call(folder, *options, "sh", "-c", "sleep 3; exit 5", env=env), machine


def true_j(machine: Machine, done: Done) -> float:
    """Of all GPUs during the run."""
    start_s = done.record["started_unix_s"] - machine.wall_offset_s - machine.t0_s
    return sum(gpu.true_energy_j(start_s, start_s + done.record["wall_s"]) for gpu in machine.gpus)


def test_with_its_calibration_the_energy_is_right(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    save_entry(file, CARD.uuid, ENTRY)
    done, machine = measure(tmp_path, file, "-v")
    (device,) = done.record["devices"]
    assert device["energy_j"] == pytest.approx(true_j(machine, done), rel=0.005)
    assert device["mean_w"] == pytest.approx(300.0, rel=0.005)
    assert device["peak_w"] == pytest.approx(300.0, rel=0.005)
    low_j, high_j = device["interval_j"]
    assert high_j - low_j < 0.02 * device["energy_j"]
    assert sum_of_parts_j(device) == pytest.approx(device["energy_j"], abs=3e-6)
    assert device["calibration"] == f"board 7, 2026-11-23, {file}"
    assert "calibrated by board 7, 2026-11-23" in done.report


def test_without_one_the_interval_holds_the_truth_and_tells_what_repeats(tmp_path: Path) -> None:
    done, machine = measure(tmp_path, None)
    (device,) = done.record["devices"]
    energy_j = true_j(machine, done)
    assert device["energy_j"] == pytest.approx(energy_j * 290.6 / 300, rel=0.005)
    assert device["interval_j"][0] < energy_j < device["interval_j"][1]
    low_j, high_j = device["repeatable_interval_j"]
    assert low_j <= device["energy_j"] <= high_j < energy_j
    assert device["calibration"] == ""
    assert "calibrat" not in done.report


def test_a_calibration_is_for_its_device_alone(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    save_entry(file, CARD.uuid, ENTRY)
    done, _ = measure(tmp_path, file, gpus=(CARD, h100(1, shapes=(Segment(0.0, 1000.0, 230.0),))))
    assert [device["mean_w"] for device in done.record["devices"]] == pytest.approx([300.0, 300.0], rel=0.005)
    assert [bool(device["calibration"]) for device in done.record["devices"]] == [True, False]


@pytest.mark.parametrize("content", ["no calibration", None])
def test_a_broken_file_is_one_line_and_a_fault_and_the_run_goes_on(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    if content is not None:
        file.write_text(content)
    done, _ = measure(tmp_path, file, "-q")
    assert done.code == 5
    assert done.report.startswith("aipower-run: measured without calibration: ")
    assert str(file) in done.report
    assert done.report.count("\n") == 1
    assert [fault["detail"] for fault in done.record["faults"] if fault["reason"] == "calibration"] == [
        done.report.removeprefix("aipower-run: ").rstrip("\n")
    ]
    (device,) = done.record["devices"]
    assert (device["calibration"], device["energy_j"] > 0) == ("", True)
