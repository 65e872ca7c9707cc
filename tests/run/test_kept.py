"""Runs are kept; a page can be written; a run that is going or was killed is told from one that has ended."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from run.aipower_run import argv, call, environment
from run.helpers import eventually


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def env_of(store: Path) -> dict[str, str]:
    return {"AIPOWER_RUNS_DIR": str(store)}


def test_a_run_is_kept_and_the_next_command_is_told(tmp_path: Path, store: Path) -> None:
    done = call(tmp_path, "--sensors", "fake:1", "true", env=env_of(store))
    (file,) = store.iterdir()
    assert json.loads(file.read_bytes()) == done.record
    assert file.name == f"{done.record['run_id']}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"aipower report {done.record['run_id'].rpartition('-')[2]} --html report.html" in done.report


def test_no_save_keeps_nothing(tmp_path: Path, store: Path) -> None:
    done = call(tmp_path, "--no-save", "true", env=env_of(store))
    assert done.code == 0
    assert not store.exists()
    assert "next" not in done.report


def test_a_store_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call(tmp_path, "sh", "-c", "exit 4", env=env_of(tmp_path / "file" / "below"))
    assert done.code == 4
    assert done.report.count("is not kept") == 1
    assert "Traceback" not in done.report


def test_a_run_that_goes_is_marked_until_its_record_is_there(tmp_path: Path, store: Path) -> None:
    run = subprocess.Popen(
        argv("--name", "long", "sh", "-c", "touch began; while [ ! -e go ]; do sleep 0.01; done"),
        cwd=tmp_path, env=environment(env_of(store)), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    eventually((tmp_path / "began").exists, "the command")
    eventually(lambda: list(store.glob("*.going")), "the marker")
    (marker,) = store.glob("*.going")
    told = json.loads(marker.read_bytes())
    assert (told["name"], told["pid"], told["command"][0]) == ("long", run.pid, "sh")
    (tmp_path / "go").touch()
    assert run.wait() == 0
    assert [file.suffix for file in store.iterdir()] == [".json"]


def test_the_marker_of_a_killed_run_stays(tmp_path: Path, store: Path) -> None:
    run = subprocess.Popen(
        argv("sleep", "60"),
        cwd=tmp_path,
        env=environment(env_of(store)),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    eventually(lambda: list(store.glob("*.going")), "the marker")
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert [file.suffix for file in store.iterdir()] == [".going"]
    subprocess.run(["pkill", "-KILL", "-s", str(run.pid)], check=False)


def test_html_writes_a_page(tmp_path: Path) -> None:
    done = call(tmp_path, "--sensors", "fake:1", "--html", "page.html", "true")
    assert done.code == 0, done.report
    page = (tmp_path / "page.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert done.record["run_id"] in page


def test_a_page_that_cannot_be_written_is_a_mistake_before_the_command(tmp_path: Path) -> None:
    done = call(tmp_path, "--html", "no/such/page.html", "touch", "ran")
    assert done.code == 2
    assert "--html no/such/page.html" in done.report
    assert not (tmp_path / "ran").exists()


def test_what_a_wrong_configuration_says_is_told_before_the_command(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[footprint]\npue = 'much'\n")
    done = call(tmp_path, "touch", "ran", env={"AIPOWER_USER_CONFIG": str(config)})
    assert done.code == 2
    assert "pue" in done.report
    assert not (tmp_path / "ran").exists()


def test_price_and_place_are_in_record_and_report(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[footprint]\nzone = "DEU"\nprice_per_kwh = 0.3\ncurrency = "EUR"\npue = 1.2\n')
    words = ["--sensors", "fake:1", sys.executable, "-c", "import time; time.sleep(0.5)"]
    done = call(tmp_path, *words, env={"AIPOWER_USER_CONFIG": str(config)})
    energy_kwh = done.record["energy_j"]["total"] / 3.6e6
    assert done.record["cost"]["amount"] == pytest.approx(energy_kwh * 1.2 * 0.3)
    carbon = done.record["carbon"]
    assert carbon["co2e_g"] == pytest.approx(energy_kwh * 1.2 * carbon["intensity_g_per_kwh"])
    (line,) = [line for line in done.report.splitlines() if line.startswith("  carbon")]
    assert "DEU" in line
    assert str(carbon["year"]) in line
