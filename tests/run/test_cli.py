"""`aipower-run` as a user meets it: exit codes, options, output files, and nothing on the command's streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from run.aipower_run import argv, call, environment, sum_of_parts_j
from run.helpers import appears, eventually, gone

ENERGY_KEYS = {"total", "gpu", "cpu", "dram"}
FIXED_FIELDS = {
    "schema", "run_id", "name", "command", "exit_code", "started_unix_s", "wall_s", "host", "energy_j", "estimated_j",
    "interval_j", "devices", "processes", "phases", "faults", "carbon", "cost", "equivalents",
}  # fmt: skip


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("exit 0", 0), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
def test_the_exit_code_is_the_commands_own(script: str, code: int, tmp_path: Path) -> None:
    done = call(tmp_path, "sh", "-c", script)
    assert done.code == code
    assert done.record["exit_code"] == code
    assert f"exit {code}" in done.report


def test_a_missing_command_is_127_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = call(tmp_path, "no-such-command-at-all")
    assert done.code == 127
    assert done.report == "aipower-run: no-such-command-at-all: command not found\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_be_executed_is_126(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no program")
    done = call(tmp_path, "./data", json_file=None)
    assert done.code == 126
    assert done.report.count("\n") == 1


def test_nothing_is_written_to_standard_output_or_the_folder(tmp_path: Path) -> None:
    done = call(tmp_path, "printf", r"a\0b\377", json_file=None)
    assert done.out == b"a\0b\xff"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--json", "out"], ["-h"], ["-q"], ["--sensors", "fake"], ["--", "--version"]])
def test_options_after_the_command_are_the_commands(words: list[str], tmp_path: Path) -> None:
    shown = call(tmp_path, sys.executable, "-c", "import sys; print(sys.argv[1:])", *words, json_file=None)
    assert shown.out.decode().strip() == str(words)
    assert list(tmp_path.iterdir()) == []


def test_a_double_dash_ends_our_options(tmp_path: Path) -> None:
    done = call(tmp_path, "-q", "--", "echo", "--", "x", json_file=None)
    assert (done.code, done.out, done.report) == (0, b"-- x\n", "")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([], "no command"),
        (["--jsonn", "x", "true"], "unrecognized arguments: --jsonn"),
        (["--js", "x", "true"], "unrecognized arguments: --js"),
        (["--senors", "x", "true"], "did you mean --sensors?"),
        (["--interval", "0", "true"], "--interval 0: must be from"),
        (["--interval", "nan", "true"], "--interval nan: must be from"),
        (["--interval", "soon", "true"], "invalid float value"),
        (["--sensors", "gpu", "true"], 'unknown sensor "gpu"'),
        (["--sensors", "fake:0", "true"], "fake:N"),
        (["--sensors", "", "true"], "no sensor named"),
        (["--json", "-", "true"], "standard output belongs to the command"),
        (["--json", "/dev/stdout", "true"], "standard output belongs to the command"),
        (["--json", "no/such/folder/x.json", "true"], "No such file or directory; name a file"),
        (["--json"], "expected one argument"),
    ],
)
def test_misuse_is_one_line_and_2_before_anything_is_run(words: list[str], hint: str, tmp_path: Path) -> None:
    done = call(tmp_path, *words, json_file=None)
    assert done.code == 2
    assert hint in done.report
    assert done.report.startswith("aipower-run: ")
    assert done.report.count("\n") == 1


def test_a_bad_output_path_costs_no_run(tmp_path: Path) -> None:
    done = call(tmp_path, "--json", tmp_path, "touch", tmp_path / "ran", json_file=None)
    assert done.code == 2
    assert not (tmp_path / "ran").exists()


def test_an_old_record_survives_a_command_that_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"old": 1}')
    assert call(tmp_path, "no-such-command-at-all").record == {"old": 1}


def test_a_long_old_record_is_replaced_entirely(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"old": "' + "x" * 100_000 + '"}')
    assert call(tmp_path, "true").record["schema"] == "aipower.run/1"


def test_a_sensor_that_was_named_must_be_there(tmp_path: Path) -> None:
    done = call(tmp_path, "--sensors", "rapl", "touch", "ran", json_file=None)
    assert done.code == 2
    assert done.report.startswith("aipower-run: --sensors rapl: ")
    assert not (tmp_path / "ran").exists()


def test_without_any_sensor_the_run_works_and_says_what_is_missing(tmp_path: Path) -> None:
    done = call(tmp_path, "--name", "bare", sys.executable, "-c", "sum(i * i for i in range(3_000_000))")
    record = done.record
    assert done.code == 0
    assert set(record) >= FIXED_FIELDS
    assert record["energy_j"] == dict.fromkeys(ENERGY_KEYS)
    assert record["interval_j"] == dict.fromkeys(ENERGY_KEYS)
    low_j, high_j = record["estimated_interval_j"]["cpu"]
    assert 0 < low_j < record["estimated_j"]["cpu"] < high_j
    assert high_j > 5 * low_j
    assert {missing["kind"] for missing in record["not_measured"]} >= {"gpu", "cpu"}
    assert all(missing["remedy"] for missing in record["not_measured"])
    assert "nothing was measured" in done.report
    assert "not in the total" in done.report
    assert record["name"] == "bare"
    assert record["command"][0] == sys.executable


def test_odd_bytes_in_the_command_line_do_not_break_the_record(tmp_path: Path) -> None:
    done = call(tmp_path, "printf", "%s", os.fsdecode(b"\xff\n\x1b[31m"))
    assert done.code == 0
    assert done.out == b"\xff\n\x1b[31m"
    assert "\x1b" not in done.report
    assert done.record["command"][2].startswith("\ufffd")


def test_sigterm_reaches_the_command_and_the_report_is_still_printed(tmp_path: Path) -> None:
    script = 'trap "echo saved; exit 42" TERM; touch ready; while :; do sleep 0.05; done'
    wrapper = subprocess.Popen(
        argv("--json", "run.json", "sh", "-c", script),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    appears(tmp_path / "ready")
    wrapper.send_signal(signal.SIGTERM)
    out, report = wrapper.communicate(timeout=60)
    assert (wrapper.returncode, out) == (42, b"saved\n")
    assert b"exit 42" in report
    assert json.loads((tmp_path / "run.json").read_bytes())["exit_code"] == 42


def test_a_killed_wrapper_leaves_the_training_alone(tmp_path: Path) -> None:
    script = "echo $$ > pid; while [ ! -e finish ]; do sleep 0.05; done; touch finished"
    wrapper = subprocess.Popen(argv("sh", "-c", script), cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL)
    eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), "pid")
    wrapper.kill()
    wrapper.wait()
    (tmp_path / "finish").touch()
    appears(tmp_path / "finished")
    gone(int((tmp_path / "pid").read_text()))


def test_a_closed_standard_error_does_not_change_the_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *argv("sh", "-c", "exit 5")],
        cwd=tmp_path,
        env=environment(),
        check=False,
    )
    assert done.returncode == 5


def test_a_full_disk_costs_the_record_and_nothing_else(tmp_path: Path) -> None:
    done = call(tmp_path, "--json", "/dev/full", "sh", "-c", "exit 3", json_file=None)
    assert done.code == 3
    assert "could not be written: No space left on device" in done.report


def test_short_lived_children_are_credited_like_one_process(tmp_path: Path) -> None:
    burn = "import time; t=time.process_time\nwhile t() < {}: pass"
    one = call(tmp_path, sys.executable, "-c", burn.format(2.0))
    many = call(
        tmp_path,
        "sh",
        "-c",
        f'i=0; while [ $i -lt 20 ]; do "{sys.executable}" -S -c "{burn.format(0.1)}"; i=$((i+1)); done',
    )
    assert one.record["cpu_time_s"] == pytest.approx(2.0, rel=0.05)
    assert many.record["cpu_time_s"] == pytest.approx(2.0, rel=0.05)
    assert many.record["estimated_j"]["cpu"] == pytest.approx(one.record["estimated_j"]["cpu"], rel=0.05)


def test_descendants_that_outlive_the_command_are_left_alone_or_waited_for(tmp_path: Path) -> None:
    script = "(sleep 1.5; touch late) >/dev/null 2>&1 & exit 4"
    began_s = time.monotonic()
    left = call(tmp_path, "sh", "-c", script)
    assert left.code == 4
    assert left.record["surviving_processes"] >= 1
    assert "--wait" in left.report
    appears(tmp_path / "late")
    assert time.monotonic() - began_s >= 1.5
    (tmp_path / "late").unlink()
    waited = call(tmp_path, "--wait", "sh", "-c", script)
    assert (tmp_path / "late").exists()
    assert waited.record["wall_s"] >= 1.5
    assert (waited.code, waited.record["surviving_processes"]) == (4, 0)


def test_the_simulated_machine_drives_the_real_pipeline(tmp_path: Path) -> None:
    done = call(tmp_path, "--sensors", "fake:3", "sleep", "1.5")
    record = done.record
    assert record["simulated"] is True
    assert "SIMULATED" in done.report
    assert [device["kind"] for device in record["devices"]] == ["gpu", "gpu", "gpu", "cpu", "dram"]
    assert all(device["energy_j"] > 0 for device in record["devices"])
    for device in record["devices"]:
        parts_j = sum_of_parts_j(device)
        assert parts_j == pytest.approx(device["energy_j"], rel=1e-6)
    assert sorted(device["run_energy_j"] > 0 for device in record["devices"][:3]) == [False, False, True]
    assert record["energy_j"]["total"] == pytest.approx(sum(record["energy_j"][k] for k in ("gpu", "cpu", "dram")))


def test_help_and_version_go_to_standard_output(tmp_path: Path) -> None:
    shown = call(tmp_path, "--help", json_file=None)
    assert shown.code == 0
    assert b"aipower-run [options] [--] command" in shown.out
    assert call(tmp_path, "--version", json_file=None).out.startswith(b"aipower ")
