"""The course of a series, with a wrapper whose figures the test knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from repeat.desk import HERE, Desk

ID = r"\d{8}T\d{6}Z-[0-9a-f]{8}"


def test_each_repetition_is_a_run_of_its_own(desk: Desk) -> None:
    desk.script({"total_j": 10.0}, {"total_j": 12.0}, {"total_j": 14.0})
    done = desk.call(fake=True, name="base", passed=("--sensors=fake", "--metric", "a=1"))
    assert done.code == 0
    calls = desk.calls()
    assert [re.fullmatch(rf"({ID}):(\d):3", call["series"])[2] for call in calls] == ["1", "2", "3"]  # type: ignore[index]
    assert len({call["series"].partition(":")[0] for call in calls}) == 1
    for call in calls:
        assert call["argv"][:4] == ["--sensors=fake", "--metric", "a=1", "--name=base"]
        assert call["argv"][-3:] == ["-q", "--", "true"]
    assert done.summary["mean_j"]["total"] == 12.0
    assert done.summary["id"] == calls[0]["series"].partition(":")[0]
    assert [one["series"]["index"] for one in done.summary["records"]] == [1, 2, 3]
    assert "mean     12.00 J" in done.err


def test_warm_ups_come_first_are_not_kept_and_count_nowhere(desk: Desk) -> None:
    desk.script({"total_j": 99.0}, {"total_j": 99.0}, {"total_j": 10.0})
    done = desk.call(fake=True, warmup=2)
    assert [call["series"].split(":")[1] for call in desk.calls()] == ["0", "0", "1", "2", "3"]
    assert ["--no-save" in call["argv"] for call in desk.calls()] == [True, True, False, False, False]
    assert done.summary["mean_j"]["total"] == 10.0
    assert len(done.summary["records"]) == 3


def test_failure_ends_the_series_with_its_code(desk: Desk) -> None:
    desk.script({}, {"code": 7}, {})
    done = desk.call(fake=True)
    assert done.code == 7
    assert len(desk.calls()) == 2
    assert "aipower-run: repetition 2 of 3 failed with exit 7; --ignore-failure goes on" in done.err
    assert "1          10.00 J" in done.err
    assert done.summary["exit_code"] == 7
    assert done.summary["mean_of"] == [1]


def test_failure_of_a_warm_up_ends_the_series_too(desk: Desk) -> None:
    desk.script({"code": 4})
    done = desk.call(fake=True, warmup=1)
    assert done.code == 4
    assert "a warm-up failed with exit 4" in done.err
    assert len(desk.calls()) == 1


def test_failures_are_ignored_where_that_was_asked_for(desk: Desk) -> None:
    desk.script({"total_j": 10.0}, {"code": 7, "total_j": 500.0}, {"total_j": 12.0})
    done = desk.call(fake=True, keep_going=True)
    assert done.code == 0
    assert done.summary["mean_j"]["total"] == 11.0
    assert done.summary["failed"] == [{"index": 2, "exit_code": 7}]
    assert "repetition 2 failed: in no mean" in done.err


def test_run_without_a_record_ends_the_series_in_one_line(desk: Desk) -> None:
    desk.script({}, {"no_record": True, "code": 127})
    done = desk.call(fake=True, keep_going=True)
    assert done.code == 127
    assert "aipower-run: repetition 2 of 3 left no record; exit 127\n" in done.err
    assert len(desk.calls()) == 2
    assert done.summary["mean_of"] == [1]


def test_run_without_a_record_is_an_error_even_where_the_command_has_succeeded(desk: Desk) -> None:
    desk.script({"no_record": True, "code": 0})
    assert desk.call(fake=True).code == 1


def test_prepare_runs_before_each_run(desk: Desk) -> None:
    desk.call(("sh", "-c", "echo run >> order"), fake=True, warmup=1, repetitions=2, prepare="echo prepare >> order")
    assert (desk.folder / "order").read_text().split() == ["prepare", "run"] * 3


def test_prepare_that_fails_ends_the_series_in_one_line(desk: Desk) -> None:
    done = desk.call(fake=True, prepare="test ! -e calls.jsonl || exit 9")
    assert done.code == 1
    assert "aipower-run: --prepare 'test ! -e calls.jsonl || exit 9' failed with exit 9\n" in done.err
    assert len(desk.calls()) == 1
    assert done.summary["mean_of"] == [1]


def test_words_of_a_prepare_that_failed_are_shown(desk: Desk) -> None:
    done = desk.call(fake=True, prepare="echo why >&2; exit 1", output="null")
    assert done.err == "aipower-run: --prepare 'echo why >&2; exit 1' failed with exit 1\n  | why\n"


def test_without_a_temporary_folder_nothing_runs(desk: Desk) -> None:
    code = "import tempfile; tempfile.tempdir = '/nonexistent'; import driver; raise SystemExit(driver.main())"
    argv = desk.argv(("true",), fake=True)
    done = subprocess.run(
        [sys.executable, "-c", code, *argv[2:]],
        cwd=desk.folder, env={**desk.environment(), "PYTHONPATH": str(HERE)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no temporary folder: No such file or directory; set TMPDIR" in done.stderr
    assert desk.calls() == []


def test_prepare_and_command_do_not_see_our_variable(desk: Desk) -> None:
    done = desk.call(fake=True, prepare='echo "[$AIPOWER_SERIES]"', repetitions=1)
    assert done.out == "[]\n"


def test_repetitions_read_from_dev_null(desk: Desk) -> None:
    done = desk.call(("cat",), stdin="words", fake=True)
    assert done.out == ""
    assert {call["stdin"] for call in desk.calls()} == {"/dev/null"}


def test_single_repetition_keeps_its_standard_input(desk: Desk) -> None:
    assert desk.call(("cat",), stdin="words", fake=True, repetitions=1).out == "words"


def test_output_of_the_command_is_its_own(desk: Desk) -> None:
    done = desk.call(("sh", "-c", "echo out; echo err >&2"), fake=True)
    assert done.out == "out\n" * 3
    assert done.err.startswith("err\n" * 3)


def test_output_may_go_nowhere(desk: Desk) -> None:
    done = desk.call(("sh", "-c", "echo out; echo err >&2"), fake=True, output="null")
    assert done.out == ""
    assert "err\n" not in done.err


def test_words_of_a_failure_that_went_nowhere_are_shown(desk: Desk) -> None:
    done = desk.call(("sh", "-c", "echo why >&2; exit 3"), fake=True, output="null")
    assert done.code == 3
    assert "  | why\n" in done.err


def test_quiet_series_says_nothing(desk: Desk) -> None:
    done = desk.call(fake=True, quiet=True)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert done.summary["mean_j"]["total"] == 10.0


def test_quiet_series_tells_why_it_has_failed(desk: Desk) -> None:
    desk.script({"code": 7})
    assert desk.call(fake=True, quiet=True).err == (
        "aipower-run: repetition 1 of 3 failed with exit 7; --ignore-failure goes on\n"
    )


def test_json_that_cannot_be_written_is_told_before_anything_runs(desk: Desk) -> None:
    done = desk.call(fake=True, json="no/such/folder/file.json")
    assert done.code != 0
    assert "no/such/folder/file.json" in done.err
    assert desk.calls() == []


def test_nothing_is_left_in_the_temporary_folder(desk: Desk) -> None:
    desk.call(("sh", "-c", "exit 1"), fake=True, output="null", prepare="true")
    assert list(desk.temporary.iterdir()) == []


def test_no_folder_of_the_working_directory_shadows_the_standard_library(desk: Desk) -> None:
    for name in ("signal.py", "time.py", "msgspec.py", "aipower.py"):
        (desk.folder / name).write_text("raise SystemExit('shadowed')\n")
    done = desk.call(passed=("--sensors=fake", "--no-agent"), repetitions=1)
    assert done.code == 0
    assert "shadowed" not in done.err


def test_command_has_descriptors_that_we_were_given(desk: Desk, tmp_path: Path) -> None:
    with (tmp_path / "other").open("w") as file:
        subprocess.run(
            desk.argv((sys.executable, "-c", f"import os; os.write({file.fileno()}, b'x')"), fake=True),
            pass_fds=(file.fileno(),), cwd=desk.folder, env=desk.environment(), check=True, capture_output=True,
        )  # fmt: skip
    assert (tmp_path / "other").read_text() == "xxx"


def test_devices_cool_down_between_runs(desk: Desk) -> None:
    desk.script({"total_j": 500.0})
    (desk.folder / "cool").write_text("sleep 1.5; rm -f hot\n")
    heat = "touch hot; setsid sh cool > /dev/null 2>&1 < /dev/null &"
    done = desk.call(("sh", "-c", f"test ! -e hot || exit 5; {heat}"), fake=True, looks=True, cool_down="auto")
    assert done.code == 0, done.err
    assert done.summary["started_warm"] == []
    assert "no cool-down" not in done.err


@pytest.mark.parametrize("sensors", ["rapl", "auto"])
def test_without_readable_sensors_a_note_tells_that_nothing_cools_down(desk: Desk, sensors: str) -> None:
    done = desk.call(fake=True, cool_down="auto", passed=(f"--sensors={sensors}",), repetitions=2)
    assert done.code == 0
    assert done.err.count("no cool-down: ") == 1
    assert len(done.summary["notes"]) == 1


def test_single_run_without_preparation_needs_no_idle_power(desk: Desk) -> None:
    done = desk.call(fake=True, cool_down="auto", passed=("--sensors=rapl",), repetitions=1)
    assert done.code == 0
    assert "cool-down" not in done.err


def test_real_runs_of_a_simulated_machine(desk: Desk) -> None:
    passed = ("--sensors=fake", "--no-agent")
    done = desk.call(("sleep", "1"), passed=passed, repetitions=3, cool_down="auto", verbose=True)
    assert done.code == 0, done.err
    assert done.summary["simulated"]
    assert done.summary["mean_j"]["gpu"] > 0
    assert done.summary["interval_j"]["total"][1] > done.summary["mean_j"]["total"]
    assert [one["exit_code"] for one in done.summary["records"]] == [0, 0, 0]
    assert len({one["run_id"] for one in done.summary["records"]}) == 3
    assert "SIMULATED SENSORS" in done.err


def test_exit_codes_of_a_real_wrapper(desk: Desk) -> None:
    passed = ("--sensors=fake", "--no-agent")
    assert desk.call(("sh", "-c", "exit 9"), passed=passed).code == 9
    missing = desk.call(("no-such-command-here",), passed=passed)
    assert missing.code == 127
    assert "no-such-command-here: command not found" in missing.err
    assert desk.call(("sh", "-c", "kill -9 $$"), passed=passed).code == 137
