"""Whole commands: the real pynvml on the scripted driver, a meter's file, a person on a terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from aipower.calibration.file import load_calibrations, read_entries, save_entry
from calibration.bench import CARD, Bench
from calibration.test_file import ENTRY
from doctor.children import driver_of, run_doctor
from fake_driver.presets import h100
from fake_driver.script import Machine
from run.terminal import Terminal


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.at(0.0)
    return bench


def test_record_then_fit_then_show_then_remove(bench: Bench) -> None:
    ours = bench.folder / "ours.csv"
    recorded = bench.call("record", "--device", "gpu:0", "--seconds", "125", "--out", ours)
    assert recorded.returncode == 0, recorded.stderr
    assert "fit --ours" in recorded.stderr
    fitted = bench.call("fit", "--ours", ours, "--meter", bench.log(), "--meter-name", "shunt 7", "--json")
    assert fitted.returncode == 0, fitted.stderr
    result = json.loads(fitted.stdout)
    assert result["shift_s"] == pytest.approx(0.8, abs=0.1)
    entry = read_entries(bench.calibrations)[CARD.uuid]
    assert abs(entry.gain - 1 / 1.044) < 2 * entry.gain_se
    assert abs(entry.offset_w - 22.6 / 1.044) < 2 * entry.offset_se_w
    assert entry.uncertainty < 0.01
    assert (entry.meter, entry.driver, entry.device) == ("shunt 7", "570.86.15", CARD.name)
    loaded = load_calibrations({"XDG_CONFIG_HOME": str(bench.folder / "config")}, bench.folder / "none")
    assert loaded[CARD.uuid] == entry.calibration(f"shunt 7, {entry.date}, {bench.calibrations}")
    shown = bench.call("show").stdout
    assert CARD.uuid in shown
    assert f"{entry.words}, driver 570.86.15; {bench.calibrations}" in shown
    assert bench.call("remove", CARD.uuid).returncode == 0
    assert read_entries(bench.calibrations) == {}
    assert bench.call("remove", CARD.uuid).returncode == 2


def test_fit_records_by_itself_and_shows_what_changes(bench: Bench) -> None:
    done = bench.call("fit", "--seconds", "125", "--meter", bench.log(), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "nothing written" in done.stdout
    assert "error before" in done.stdout
    assert "s ahead of ours (correlation " in done.stdout
    assert not bench.calibrations.exists()


def test_refusals_write_nothing_and_say_what_to_do(bench: Bench) -> None:
    meter = bench.log(shift_s=4000)
    done = bench.call("fit", "--seconds", "12", "--meter", meter)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--shift SECONDS" in done.stderr
    assert done.stderr.count("\n") == 2
    assert not bench.calibrations.exists()


@pytest.mark.parametrize(("words", "told"), [
    (("fit", "--seconds", "10", "--meter", "none.csv"), "none.csv: No such file"),
    (("fit", "--meter", "x", "--ours", "script"), "not made by `aipower calibrate record`"),
    (("fit", "--meter", "x", "--output", "/proc/x/y"), "cannot be written"),
    (("fit", "--meter", "x", "--efficiency", "93"), "--efficiency 93"),
    (("fit", "--meter", "x", "--meter-accuracy", "nan"), "--meter-accuracy nan"),
    (("record", "--out", "o.csv", "--seconds", "0"), "--seconds 0"),
    (("record", "--out", "."), "is a folder"),
    (("record", "--out", "o.csv", "--device", "gpu:7"), "no device gpu:7 here; there are: gpu:0 (NVIDIA"),
    (("record", "--out", "o.csv", "--sensors", "rapl"), "--sensors rapl"),
])  # fmt: skip
def test_mistakes(bench: Bench, words: tuple[str, ...], told: str) -> None:
    script = [str(bench.folder / word) if word == "script" else word for word in words]
    done = bench.call(*script)
    assert done.returncode in {1, 2}
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_which_of_two(tmp_path: Path) -> None:
    bench = Bench(tmp_path, (CARD, h100(1)))
    bench.at(0.0)
    done = bench.call("record", "--out", tmp_path / "o.csv")
    assert (done.returncode, "name one with --device: gpu:0 (NVIDIA" in done.stderr) == (2, True)
    done = bench.call("record", "--device", "1", "--seconds", "10", "--out", tmp_path / "o.csv")
    assert (done.returncode, h100(1).uuid in (tmp_path / "o.csv").read_text()) == (0, True)


def test_a_person_types_what_the_meter_shows(bench: Bench) -> None:
    terminal = Terminal(bench.argv("steps", "--meter-accuracy", "0.1"), bench.folder, bench.env)
    try:
        terminal.expect(b"level 1: ")
        terminal.type(b"many\n")
        terminal.expect(b"is no number of watts")
        for level, (start_s, watts) in enumerate(((2.0, 55.0), (30.0, 230.0), (55.0, 450.0)), 1):
            terminal.expect(f"level {level}: ".encode())
            bench.at(start_s)
            terminal.type(b"\n" if level == 2 else b"")
            if level == 2:
                terminal.expect(b"3 levels are needed, 1 measured")
            terminal.type(f"{watts:.1f}\n".encode())
            terminal.expect(f"meter {watts:.1f} W".encode())
        terminal.expect(b"level 4: ")
        bench.at(72.0)
        terminal.type(b"300\n")
        terminal.expect(b"not steady")
        terminal.type(b"\n")
        assert terminal.code() == 0, terminal.seen
    finally:
        terminal.close()
    entry = read_entries(bench.calibrations)[CARD.uuid]
    assert entry.points == 3
    assert entry.gain == pytest.approx(1 / 1.044, rel=0.003)
    assert entry.offset_w == pytest.approx(22.6 / 1.044, abs=0.5)


def test_input_that_ends_too_early_writes_nothing(bench: Bench) -> None:
    done = bench.call("steps")
    assert (done.returncode, "0 of 3 load levels" in done.stderr) == (1, True)
    assert not bench.calibrations.exists()


@pytest.mark.parametrize("action", ["steps", "record"])
def test_ctrl_c_ends_with_130_and_no_file(action: str, tmp_path: Path) -> None:
    file = tmp_path / "result"
    option = "--output" if action == "steps" else "--out"
    words = [sys.executable, "-m", "aipower", "calibrate", action, "--sensors", "fake", "--device", "0"]
    terminal = Terminal([*words, option, str(file)], tmp_path, dict(os.environ))
    try:
        terminal.expect(b"level 1: " if action == "steps" else b"s to go")
        terminal.type(b"\x03")
        assert terminal.code() == 130
    finally:
        terminal.close()
    assert not file.exists()
    assert b"Traceback" not in terminal.seen


def test_the_doctor_knows_who_is_calibrated(bench: Bench) -> None:
    etc = bench.folder / "etc/aipower/calibration.json"
    save_entry(etc, CARD.uuid, ENTRY)
    env = driver_of(Machine((CARD, h100(1)), driver="580.1"), bench.folder)
    done = run_doctor(bench.folder, "--json", env=env)
    checks = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    assert checks["calibration"]["found"] == f"1 device in {etc}"
    assert checks["gpu-0-calibration"]["found"].startswith(f"calibrated: {ENTRY.words}")
    assert "made with driver 570.86.15, now 580.1" in checks["gpu-0-calibration"]["found"]
    assert checks["gpu-1-calibration"]["found"] == "not calibrated (±5 % ±12 W): aipower calibrate"
    assert {checks[f"gpu-{n}-calibration"]["verdict"] for n in (0, 1)} == {"ok"}


def test_the_doctor_finds_a_broken_file(bench: Bench) -> None:
    etc = bench.folder / "etc/aipower/calibration.json"
    etc.parent.mkdir(parents=True)
    etc.write_text("{")
    done = run_doctor(bench.folder, "--json", env=driver_of(Machine((CARD,)), bench.folder))
    checks = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    assert (done.returncode, checks["calibration"]["verdict"]) == (1, "fail")
    assert str(etc) in checks["calibration"]["found"]
    assert checks["gpu-0-calibration"]["verdict"] == "skip"
